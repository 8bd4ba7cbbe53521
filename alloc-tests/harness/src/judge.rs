//! Scenarios measured and held to their baselines.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Mutex;

use baselines::alloc::Metric;
use baselines::compare::{Change, Limit, Measurement, judge};
use baselines::sites::{SiteChange, Sites};
use baselines::suite_report::{Leak, ScenarioReport};
use baselines::{Error, Verdict};

use crate::attribute::{self, Attribution, CallSite, Question};
use crate::child::{self, Task};
use crate::error::Blind;
use crate::limits;
use crate::pending::Store;
use crate::pins::Pins;
use crate::repeats::{self, Measured, PROCESSES, Rules};
use crate::result::{is_unfit, unmeasured};
use crate::scenario::Label;
use crate::setup::{Recorded, Setup};
use crate::sites::MOST_SHOWN;

const NO_SITE: &str = "no call site: in one more run, with call stacks, each site allocated as recorded; run it again, \
    and if it differs now and then, look for the cause with --doctor";

/// Default number of kept runs at N and at 2N.
pub(crate) const RUNS: u64 = 10;

/// Measures and judges scenarios, one on each processor at a time. `done` is called after each.
pub(crate) fn run(
    setup: &Setup,
    scenarios: &[(&str, &Label)],
    runs: u64,
    recorded: &Recorded,
    store: Option<&Store>,
    done: impl Fn(&str) + Sync,
) -> BTreeMap<String, ScenarioReport> {
    let queue = Mutex::new(scenarios.iter());
    let results = Mutex::new(BTreeMap::new());
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
                    let Some((id, label)) = next else { break };
                    let result = judge_one(setup, id, label, runs, recorded, store);
                    done(id);
                    results.lock().expect("no holder panics").insert((*id).to_owned(), result);
                }
            });
        }
    });
    results.into_inner().expect("no holder panics")
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

/// Measures and judges one scenario, and asks for call sites if it does not pass. What can be recorded goes to `store`.
pub(crate) fn judge_one(
    setup: &Setup,
    id: &str,
    label: &Label,
    runs: u64,
    recorded: &Recorded,
    store: Option<&Store>,
) -> ScenarioReport {
    let (report, sites) = judge_with_sites(setup, id, label, runs, recorded, store.is_some());
    if let Some(store) = store {
        store.settle(id, &report, sites, recorded);
    }
    report
}

/// The report and, if it explains a verdict or is to be `kept`, the call sites.
fn judge_with_sites(
    setup: &Setup,
    id: &str,
    label: &Label,
    runs: u64,
    recorded: &Recorded,
    kept: bool,
) -> (ScenarioReport, Option<Sites>) {
    let baseline = recorded.baseline.as_ref().ok();
    // A debug build has other totals, so that no baseline applies to it.
    let baseline = baseline.filter(|_| !cfg!(debug_assertions));
    let entry = baseline.and_then(|baseline| baseline.scenarios.get(id));
    let mut report = unmeasured(label.unit, entry.cloned());
    report.slack.clone_from(&label.slack);
    let limit = match limits::of(id) {
        Ok(limit) => limit,
        Err(error) => {
            report.notes.push(format!("{error:#}"));
            return (report, None);
        }
    };
    let rules = Rules { is_strict: setup.is_strict, slack: &label.slack, pins: Pins::USUAL };
    let measured = measure(id, runs, rules, &mut report);
    let Some(measurement) = measured else { return (report, None) };
    report.verdict = judge(entry, Some(&measurement), limit, &label.slack).verdict;
    if report.verdict == Verdict::Nondeterministic {
        report.measured = None;
    }
    if cfg!(debug_assertions) && report.verdict == Verdict::Missing {
        report.verdict = Verdict::NotComparable;
    }
    if let Some(Limit([n, double])) = limit {
        report.notes.push(format!(
            "judged by MAX_ALLOCS_ALLOWED_{id}={n},{double} instead of the recorded blocks at N and 2N"
        ));
    }
    if report.verdict == Verdict::Missing
        && let Err(error) = &recorded.baseline
    {
        report.verdict = error.verdict();
    }
    let sites = add_sites(setup, id, &recorded.root, kept, &mut report);
    (report, sites)
}

/// Measures one scenario. `None` if the server broke it; the verdict is then in the report.
fn measure(
    id: &str,
    runs: u64,
    rules: Rules<'_>,
    report: &mut ScenarioReport,
) -> Option<Measurement> {
    let sentences =
        |left_open: Vec<String>| left_open.into_iter().map(|one| format!("left open: {one}"));
    match repeats::measure(id, runs, rules) {
        Ok(Measured::Counted { counts, live, left_open, calls, notes, wavering }) => {
            report.notes.extend(sentences(left_open));
            if live.fds > 0 {
                report.notes.extend(call_sites(id, |sites| attribute::openers(sites, live.fds)));
            }
            report.notes.extend(notes);
            report.live = live;
            report.measured = Some(counts.clone());
            let changes = report.changes();
            if let Some(change) = changes.iter().find(|change| change.metric == Metric::Calls) {
                let calls: Vec<_> = calls.into_iter().take(MOST_SHOWN).collect();
                report.notes.push(format!("system calls at N, 2N: {}", calls.join("; ")));
                report.notes.extend(call_sites(id, |sites| attribute::nearest(sites, change)));
            }
            let wavers = !wavering.is_empty();
            report.wavering = wavering.iter().map(ToString::to_string).collect();
            Some(Measurement::Counted { counts, live, wavers })
        }
        Ok(Measured::Broken { why, left_open }) => {
            report.live.fds = left_open.len() as u64;
            let leaked = !left_open.is_empty();
            report.verdict = if leaked { Verdict::Leaked } else { Verdict::Regressed };
            report.notes.push(why);
            report.notes.extend(sentences(left_open));
            None
        }
        Ok(Measured::Printed { why }) => {
            report.verdict = Verdict::Regressed;
            report.notes.push(why);
            report.notes.extend(call_sites(id, attribute::writes));
            None
        }
        Err(error) => {
            report.notes.push(format!("{error:#}"));
            let blind = error.is::<Blind>();
            Some(if blind { Measurement::Blind } else { Measurement::Failed })
        }
    }
}

/// Sentences about the call sites of system calls.
fn call_sites(id: &str, describe: impl FnOnce(Vec<CallSite>) -> Vec<String>) -> Vec<String> {
    let sites = child::ask(id, Task::TraceCalls);
    sites.map_or_else(|error| vec![format!("no sites of system calls: {error:#}")], describe)
}

/// The call sites that differ between runs, or, if those of a process agree, between processes.
pub(crate) fn wavering_sites(id: &str) -> anyhow::Result<Vec<String>> {
    let within = child::ask::<Attribution>(id, Task::Attribute(Question::Wavering))?.notes;
    if within.is_empty() { sites_by_process(id) } else { Ok(within) }
}

/// The call sites that differ between processes, for a scenario whose runs agree within each.
fn sites_by_process(id: &str) -> anyhow::Result<Vec<String>> {
    let ask = || child::ask::<Attribution>(id, Task::Attribute(Question::Sites));
    let one = ask()?;
    for _ in 1..PROCESSES {
        let other = ask()?;
        let sites = baselines::sites::diff(&one.sites, &other.sites);
        let notes = sites.into_iter().take(MOST_SHOWN).map(
            |SiteChange { key, recorded, measured, .. }| {
                let [one_of, other_of] = [recorded, measured].map(|cost| cost.unwrap_or_default());
                let place = one.places.get(&key).or_else(|| other.places.get(&key));
                format!(
                    "from process to process {:?} and {:?} blocks at N, 2N of {}: {key}",
                    one_of.blocks,
                    other_of.blocks,
                    place.map_or("an unknown place", |place| place)
                )
            },
        );
        let notes: Vec<_> = notes.collect();
        if !notes.is_empty() {
            return Ok(notes);
        }
    }
    Ok(vec!["no call site differed when it ran again; repeat it with --runs 100".to_owned()])
}

/// Adds the call sites that the verdict calls for, and returns all. If they are not available, a note says so.
fn add_sites(
    setup: &Setup,
    id: &str,
    root: &Path,
    kept: bool,
    report: &mut ScenarioReport,
) -> Option<Sites> {
    // Other sites, of no scenario or of other operations, explain nothing.
    let is_new = matches!(report.verdict, Verdict::Missing | Verdict::NotComparable);
    let questions: &[Question] = match report.verdict {
        Verdict::Regressed | Verdict::Improved => &[Question::Sites],
        Verdict::Leaked if report.live.tasks > 0 => &[Question::Tasks, Question::Sites],
        Verdict::Leaked => &[Question::Sites],
        _ if is_new && kept && !is_unfit(report) => &[Question::Sites],
        _ => &[],
    };
    if report.verdict == Verdict::Nondeterministic {
        let sites = wavering_sites(id);
        report
            .notes
            .extend(sites.unwrap_or_else(|error| vec![format!("no call sites: {error:#}")]));
    }
    let mut all = None;
    for question in questions {
        let Attribution { sites, places, leaks, grown, once, notes } =
            match child::ask(id, Task::Attribute(*question)) {
                Ok(attribution) => attribution,
                Err(error) => {
                    report.notes.push(format!("no call sites: {error:#}"));
                    continue;
                }
            };
        report.notes.extend(notes);
        report.leaks.extend(if setup.is_strict { leaks } else { grown });
        let changes_once =
            |change: &Change| matches!(change.metric, Metric::OnceBlocks | Metric::OnceBytes);
        if report.changes().iter().any(changes_once) {
            report.notes.extend(once.iter().take(MOST_SHOWN).map(|site| {
                let Leak { key, place, blocks, bytes } = site;
                format!("once in a process: {blocks} blocks, {bytes} bytes of {place}: {key}")
            }));
        }
        match baselines::sites::load(&baselines::sites::path(root, id)) {
            _ if sites.is_empty() || is_new => {}
            Err(Error::Missing { path }) => {
                report.notes.push(format!("no call sites: {} is missing", path.display()));
            }
            Err(error) => report.notes.push(error.with_command(&setup.update_command())),
            Ok(recorded) => {
                report.sites_changed = baselines::sites::diff(&recorded, &sites);
                for site in &mut report.sites_changed {
                    site.place = places.get(&site.key).cloned();
                }
                let in_heap =
                    |change: &Change| matches!(change.metric, Metric::Blocks | Metric::Bytes);
                if report.sites_changed.is_empty() && report.changes().iter().any(in_heap) {
                    report.notes.push(NO_SITE.to_owned());
                }
            }
        }
        all = Some(sites);
    }
    all
}
