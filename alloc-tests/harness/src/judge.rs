//! Scenarios measured and held to their baselines.

use std::path::Path;
use std::sync::Mutex;

use baselines::compare::{Judgement, Limit, Measurement, judge};
use baselines::{Error, Verdict};

use crate::attribute::{Attribution, Question};
use crate::child::{self, Reply, Task};
use crate::limits;
use crate::measure::Outcome;
use crate::result::ScenarioResult;
use crate::suite::{Recorded, Suite};

/// Default number of kept runs at N and at 2N.
pub const RUNS: usize = 10;

/// Measures and judges scenarios (id and unit), one on each processor at a time. `done` is called after each. The
/// results are in the order of the ids.
pub fn run(
    suite: &Suite,
    scenarios: &[(&str, &'static str)],
    runs: usize,
    recorded: &Recorded,
    done: impl Fn(&ScenarioResult) + Sync,
) -> Vec<ScenarioResult> {
    let queue = Mutex::new(scenarios.iter());
    let results = Mutex::new(Vec::with_capacity(scenarios.len()));
    let workers = std::thread::available_parallelism().map_or(1, usize::from).min(scenarios.len());
    std::thread::scope(|scope| {
        for worker in 0..workers {
            let (queue, results, done) = (&queue, &results, &done);
            scope.spawn(move || {
                if let Err(error) = pin_to_one_processor(worker) {
                    eprintln!("slower than necessary: cannot choose a processor: {error}");
                }
                loop {
                    let next = queue.lock().expect("no holder panics").next();
                    let Some((id, unit)) = next else { break };
                    let result = judge_one(suite, id, unit, runs, recorded);
                    done(&result);
                    results.lock().expect("no holder panics").push(result);
                }
            });
        }
    });
    let mut results = results.into_inner().expect("no holder panics");
    results.sort_by(|a, b| a.id.cmp(&b.id));
    results
}

/// Keeps this thread and its child processes on one of the processors it may use. Without wake-ups across processors a
/// driver and a server that take turns are three times as fast; the counts are the same.
fn pin_to_one_processor(worker: usize) -> rustix::io::Result<()> {
    use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};
    let allowed = sched_getaffinity(None)?;
    let processors: Vec<usize> = (0..CpuSet::MAX_CPU).filter(|cpu| allowed.is_set(*cpu)).collect();
    let mut one = CpuSet::new();
    one.set(processors[worker % processors.len()]);
    sched_setaffinity(None, &one)
}

/// Measures and judges one scenario, and asks for call sites if it does not pass.
#[must_use]
pub fn judge_one(
    suite: &Suite,
    id: &str,
    unit: &'static str,
    runs: usize,
    recorded: &Recorded,
) -> ScenarioResult {
    let entry = recorded.baseline.as_ref().ok().and_then(|baseline| baseline.scenarios.get(id));
    let mut result = ScenarioResult::new(id, unit, entry.cloned());
    let limit = match limits::of(id) {
        Ok(limit) => limit,
        Err(error) => {
            result.notes.push(format!("{error:#}"));
            return result;
        }
    };
    let left_open = |descriptors: &[String]| -> Vec<String> {
        descriptors.iter().map(|one| format!("left open: {one}")).collect()
    };
    let measurement = match child::ask(id, Task::Measure { runs }) {
        Ok(Reply::Measured(Outcome::Counted { counts, live, descriptors })) => {
            result.notes.extend(left_open(&descriptors));
            result.live = live;
            result.measured = Some(counts.clone());
            Measurement::Counted { counts, live }
        }
        Ok(Reply::Measured(Outcome::Broken { why, descriptors })) => {
            result.notes.push(why);
            result.notes.extend(left_open(&descriptors));
            result.live.fds = descriptors.len() as u64;
            let verdict = if descriptors.is_empty() { Verdict::Regressed } else { Verdict::Leaked };
            result.judgement = Judgement { verdict, changes: Vec::new() };
            // Call sites are not available: the scenario would break again.
            return result;
        }
        Ok(Reply::Measured(Outcome::Nondeterministic { differences })) => {
            result.notes.extend(differences);
            Measurement::Nondeterministic
        }
        Ok(Reply::Blind(why)) => {
            result.notes.push(why);
            Measurement::Blind
        }
        Ok(Reply::Failed(why)) => {
            result.notes.push(why);
            Measurement::Failed
        }
        Ok(Reply::Attributed(_) | Reply::InstrumentWorks) => {
            unreachable!("invariant: a measuring child answers with a measurement")
        }
        Err(error) => {
            result.notes.push(format!("{error:#}"));
            Measurement::Failed
        }
    };
    if cfg!(debug_assertions) && matches!(measurement, Measurement::Counted { .. }) {
        // A debug build has other totals, so only the leak check applies to it.
        let verdict = if result.live.is_zero() { Verdict::Pass } else { Verdict::Leaked };
        result.judgement = Judgement { verdict, changes: Vec::new() };
    } else {
        result.judgement = judge(result.recorded.as_ref(), Some(&measurement), limit);
    }
    if let Some(Limit(most)) = limit {
        result.notes.push(format!(
            "judged by MAX_ALLOCS_ALLOWED_{id}={most} blocks instead of the recorded ones"
        ));
    }
    if result.judgement.verdict == Verdict::Missing
        && let Err(error) = &recorded.baseline
    {
        result.judgement.verdict = error.verdict();
    }
    add_sites(suite, &mut result, &recorded.root);
    result
}

/// Adds the call sites that the verdict calls for. If they are not available, a note says so.
fn add_sites(suite: &Suite, result: &mut ScenarioResult, root: &Path) {
    let questions: &[Question] = match result.judgement.verdict {
        Verdict::Regressed | Verdict::Improved => &[Question::Sites],
        Verdict::Leaked if result.live.tasks > 0 => &[Question::Tasks, Question::Sites],
        Verdict::Leaked => &[Question::Sites],
        Verdict::Nondeterministic => &[Question::Wavering],
        _ => &[],
    };
    for question in questions {
        match child::ask(&result.id, Task::Attribute(*question)) {
            Ok(Reply::Attributed(attribution)) => add(suite, result, root, attribution),
            Ok(Reply::Failed(why) | Reply::Blind(why)) => {
                result.notes.push(format!("no call sites: {why}"))
            }
            Ok(Reply::Measured(_) | Reply::InstrumentWorks) => {
                unreachable!("invariant: an attributing child answers with an attribution")
            }
            Err(error) => result.notes.push(format!("no call sites: {error:#}")),
        }
    }
}

fn add(suite: &Suite, result: &mut ScenarioResult, root: &Path, attribution: Attribution) {
    for site in &attribution.wavering {
        let ranges = [
            (site.blocks, "blocks"),
            (site.bytes, "bytes"),
            (site.peak_bytes, "bytes at the peak"),
        ];
        let ranges = ranges.iter().filter(|([fewest, most], _)| fewest != most);
        let ranges: Vec<String> =
            ranges.map(|([fewest, most], of)| format!("{fewest} to {most} {of}")).collect();
        result.notes.push(format!("from run to run {}: {}", ranges.join(", "), site.key));
    }
    if !attribution.sites.is_empty() {
        match baselines::sites::load(&baselines::sites::path(root, &result.id)) {
            Ok(recorded) => {
                result.sites = baselines::sites::diff(&recorded, &attribution.sites);
                for site in &mut result.sites {
                    site.place = attribution.places.get(&site.key).cloned();
                }
            }
            Err(Error::Missing { .. }) => {}
            Err(error) => result.notes.push(error.with_command(&suite.update_command())),
        }
    }
    for task in attribution.tasks {
        let note = format!("never joined: a task spawned at {} by {}", task.place, task.key);
        result.notes.push(note);
    }
    result.leaks.extend(attribution.leaks);
}
