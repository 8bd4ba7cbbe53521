//! All scenarios against their baselines.

use std::path::{Path, PathBuf};
use std::sync::Mutex;

use anyhow::Context;
use baselines::alloc::{Counts, Provenance};
use baselines::compare::{Judgement, Limit, Measurement, judge};
use baselines::{AllocBaseline, Error, Verdict};

use crate::attribute::{Attribution, Question};
use crate::child::{self, Reply, Task};
use crate::judged::Judged;
use crate::measure::Outcome;
use crate::{Registry, Unit, limits};

/// Kept runs at each N where nobody asks for another number.
pub const RUNS: usize = 10;

/// Where the recorded numbers of this tree are.
#[must_use]
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../baselines")
}

/// The target triple that this runner is built for.
pub const TARGET: &str = env!("PLIMSOLL_TARGET");

/// What the counts of this build depend on.
///
/// # Errors
///
/// If the lockfile cannot be read.
pub fn provenance() -> anyhow::Result<Provenance> {
    use sha1::{Digest, Sha1};
    let lockfile = Path::new(env!("CARGO_MANIFEST_DIR")).join("../Cargo.lock");
    let bytes =
        std::fs::read(&lockfile).with_context(|| format!("cannot read {}", lockfile.display()))?;
    let hash: String = Sha1::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect();
    Ok(Provenance {
        rustc: env!("PLIMSOLL_RUSTC").to_owned(),
        profile: env!("PLIMSOLL_PROFILE").to_owned(),
        lockfile: format!("sha1:{hash}"),
    })
}

/// The recorded numbers of this target, and the folder they are in.
#[derive(Debug)]
pub struct Recorded {
    /// The folder `baselines`, or another of its shape.
    pub root: PathBuf,
    /// What was read from it.
    pub baseline: Result<AllocBaseline, Error>,
}

impl Recorded {
    /// Reads what `root` holds for this target; that it holds nothing is for the verdicts to say.
    #[must_use]
    pub fn load(root: PathBuf) -> Self {
        let baseline = AllocBaseline::load(&baselines::alloc::path(&root, TARGET));
        Self { root, baseline }
    }

    /// Entries that no scenario of `registry` stands for.
    pub fn stale<'a>(
        &'a self,
        registry: &'a Registry,
    ) -> impl Iterator<Item = (&'a String, &'a Counts)> {
        let known = self.baseline.iter().flat_map(|baseline| &baseline.scenarios);
        known.filter(|(id, _)| !registry.contains_key(id.as_str()))
    }
}

/// Measures and judges `scenarios`, one on each processor at a time; `done` hears of each as it ends. A scenario that
/// fails is a verdict like any other.
pub fn run(
    scenarios: &[(&str, Unit)],
    runs: usize,
    recorded: &Recorded,
    done: impl Fn(&Judged) + Sync,
) -> Vec<Judged> {
    let queue = Mutex::new(scenarios.iter());
    let judged = Mutex::new(Vec::with_capacity(scenarios.len()));
    let workers = std::thread::available_parallelism().map_or(1, usize::from).min(scenarios.len());
    std::thread::scope(|scope| {
        for worker in 0..workers {
            let (queue, judged, done) = (&queue, &judged, &done);
            scope.spawn(move || {
                if let Err(error) = pin_to_one_processor(worker) {
                    eprintln!("slower than it could be: cannot choose a processor: {error}");
                }
                loop {
                    let next = queue.lock().expect("no holder panics").next();
                    let Some((id, unit)) = next else { break };
                    let one = judge_one(id, *unit, runs, recorded);
                    done(&one);
                    judged.lock().expect("no holder panics").push(one);
                }
            });
        }
    });
    let mut judged = judged.into_inner().expect("no holder panics");
    judged.sort_by(|a, b| a.id.cmp(&b.id));
    judged
}

/// Keeps this thread, and every process that it starts, on one of the processors it may use. A driver and a server that
/// take turns are three times as fast without a wake-up across processors; the counts are the same.
fn pin_to_one_processor(worker: usize) -> rustix::io::Result<()> {
    use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};
    let allowed = sched_getaffinity(None)?;
    let processors: Vec<usize> = (0..CpuSet::MAX_CPU).filter(|cpu| allowed.is_set(*cpu)).collect();
    let mut one = CpuSet::new();
    one.set(processors[worker % processors.len()]);
    sched_setaffinity(None, &one)
}

/// Measures and judges one scenario, and finds out who did it if it is not as recorded.
#[must_use]
pub fn judge_one(id: &str, unit: Unit, runs: usize, recorded: &Recorded) -> Judged {
    let entry = recorded.baseline.as_ref().ok().and_then(|baseline| baseline.scenarios.get(id));
    let mut judged = Judged::new(id, unit, entry.cloned());
    let limit = match limits::of(id) {
        Ok(limit) => limit,
        Err(error) => {
            judged.notes.push(format!("{error:#}"));
            return judged;
        }
    };
    let measurement = match child::ask(id, Task::Measure(runs)) {
        Ok(Reply::Measured(Outcome::Counted { counts, live, descriptors })) => {
            judged.notes.extend(descriptors.iter().map(|words| format!("left open: {words}")));
            judged.live = live;
            judged.measured = Some(counts.clone());
            Measurement::Counted { counts, live }
        }
        Ok(Reply::Measured(Outcome::Broken { why, descriptors })) => {
            judged.notes.push(why);
            judged.notes.extend(descriptors.iter().map(|words| format!("left open: {words}")));
            judged.live.fds = descriptors.len() as u64;
            let verdict = if descriptors.is_empty() { Verdict::Regressed } else { Verdict::Leaked };
            judged.judgement = Judgement { verdict, changes: Vec::new() };
            // It would break again.
            return judged;
        }
        Ok(Reply::Measured(Outcome::Nondeterministic { differences })) => {
            judged.notes.extend(differences);
            Measurement::Nondeterministic
        }
        Ok(Reply::Blind(why)) => {
            judged.notes.push(why);
            Measurement::Blind
        }
        Ok(Reply::Failed(why)) => {
            judged.notes.push(why);
            Measurement::Failed
        }
        Ok(Reply::Attributed(_) | Reply::Sees) => {
            unreachable!("invariant: a measuring child answers with a measurement")
        }
        Err(error) => {
            judged.notes.push(format!("{error:#}"));
            Measurement::Failed
        }
    };
    if cfg!(debug_assertions) && matches!(measurement, Measurement::Counted { .. }) {
        // Totals of a debug build are nobody's: only the law holds in it.
        let verdict = if judged.live.is_zero() { Verdict::Pass } else { Verdict::Leaked };
        judged.judgement = Judgement { verdict, changes: Vec::new() };
    } else {
        judged.judgement = judge(judged.recorded.as_ref(), Some(&measurement), limit);
    }
    if let Some(Limit(most)) = limit {
        judged.notes.push(format!(
            "judged by MAX_ALLOCS_ALLOWED_{id}={most} blocks instead of the recorded ones"
        ));
    }
    if judged.judgement.verdict == Verdict::Missing
        && let Err(error) = &recorded.baseline
    {
        judged.judgement.verdict = error.verdict();
    }
    explain(&mut judged, &recorded.root);
    judged
}

/// Asks for call sites where the verdict calls for them. Not to get them is a note, not another verdict.
fn explain(judged: &mut Judged, root: &Path) {
    let mut questions = Vec::new();
    match judged.judgement.verdict {
        Verdict::Regressed | Verdict::Improved => questions.push(Question::Sites),
        Verdict::Leaked if judged.live.tasks > 0 => {
            questions.extend([Question::Tasks, Question::Sites])
        }
        Verdict::Leaked => questions.push(Question::Sites),
        Verdict::Nondeterministic => questions.push(Question::Wavering),
        _ => {}
    }
    for question in questions {
        match child::ask(&judged.id, Task::Attribute(question)) {
            Ok(Reply::Attributed(attribution)) => take(judged, root, attribution),
            Ok(Reply::Failed(why) | Reply::Blind(why)) => {
                judged.notes.push(format!("no call sites: {why}"))
            }
            Ok(Reply::Measured(_) | Reply::Sees) => {
                unreachable!("invariant: an attributing child answers with an attribution")
            }
            Err(error) => judged.notes.push(format!("no call sites: {error:#}")),
        }
    }
}

fn take(judged: &mut Judged, root: &Path, attribution: Attribution) {
    for site in &attribution.wavering {
        let ranges = [
            (site.blocks, "blocks"),
            (site.bytes, "bytes"),
            (site.peak_bytes, "bytes at the peak"),
        ];
        let ranges = ranges.iter().filter(|([least, most], _)| least != most);
        let ranges: Vec<String> =
            ranges.map(|([least, most], what)| format!("{least} to {most} {what}")).collect();
        judged.notes.push(format!("from run to run {}: {}", ranges.join(", "), site.key));
    }
    if !attribution.sites.is_empty() {
        match baselines::sites::load(&baselines::sites::path(root, &judged.id)) {
            Ok(recorded) => {
                judged.sites = baselines::sites::diff(&recorded, &attribution.sites);
                for site in &mut judged.sites {
                    site.place = attribution.places.get(&site.key).cloned();
                }
            }
            Err(Error::Missing { .. }) => {}
            Err(error) => judged.notes.push(error.to_string()),
        }
    }
    for task in attribution.tasks {
        judged
            .notes
            .push(format!("never joined: a task spawned at {} by {}", task.place, task.key));
    }
    judged.leaks.extend(attribution.leaks);
}
