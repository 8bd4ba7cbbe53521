//! Scenarios measured and held to their baselines.

use std::path::Path;
use std::sync::Mutex;

use baselines::compare::{Limit, Measurement, judge};
use baselines::suite_report::ScenarioReport;
use baselines::{Error, Verdict};

use crate::attribute::{Attribution, Question};
use crate::child::{self, Reply, Task};
use crate::limits;
use crate::measure::Outcome;
use crate::result::ScenarioResult;
use crate::suite::{Recorded, Suite};

/// Default number of kept runs at N and at 2N.
pub(crate) const RUNS: u64 = 10;

/// Measures and judges scenarios (id and unit), one on each processor at a time. `done` is called after each. The
/// results are in the order of the ids.
pub(crate) fn run(
    suite: &Suite,
    scenarios: &[(&str, &str)],
    runs: u64,
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
pub(crate) fn judge_one(
    suite: &Suite,
    id: &str,
    unit: &str,
    runs: u64,
    recorded: &Recorded,
) -> ScenarioResult {
    let entry = recorded.baseline.as_ref().ok().and_then(|baseline| baseline.scenarios.get(id));
    let mut result = ScenarioResult::new(id, unit, entry.cloned());
    let limit = match limits::of(id) {
        Ok(limit) => limit,
        Err(error) => {
            result.report.notes.push(format!("{error:#}"));
            return result;
        }
    };
    let Some(measurement) = measure(id, runs, &mut result.report) else { return result };
    if cfg!(debug_assertions) && matches!(measurement, Measurement::Counted { .. }) {
        // A debug build has other totals, so only the leak check applies to it.
        let leaked = !result.report.live.is_zero();
        result.report.verdict = if leaked { Verdict::Leaked } else { Verdict::Pass };
    } else {
        result.take(judge(entry, Some(&measurement), limit));
    }
    if let Some(Limit(most)) = limit {
        result.report.notes.push(format!(
            "judged by MAX_ALLOCS_ALLOWED_{id}={most} blocks instead of the recorded ones"
        ));
    }
    if result.report.verdict == Verdict::Missing
        && let Err(error) = &recorded.baseline
    {
        result.report.verdict = error.verdict();
    }
    add_sites(suite, id, &recorded.root, &mut result.report);
    result
}

/// Measures one scenario. `None` if the server broke it; the verdict is then in the report.
fn measure(id: &str, runs: u64, report: &mut ScenarioReport) -> Option<Measurement> {
    let left_open =
        |descriptors: Vec<String>| descriptors.into_iter().map(|one| format!("left open: {one}"));
    match child::ask(id, Task::Measure { runs }) {
        Ok(Reply::Measured(Outcome::Counted { counts, live, descriptors })) => {
            report.notes.extend(left_open(descriptors));
            report.live = live;
            report.measured = Some(counts.clone());
            Some(Measurement::Counted { counts, live })
        }
        Ok(Reply::Measured(Outcome::Broken { why, descriptors })) => {
            report.live.fds = descriptors.len() as u64;
            let leaked = !descriptors.is_empty();
            report.verdict = if leaked { Verdict::Leaked } else { Verdict::Regressed };
            report.notes.push(why);
            report.notes.extend(left_open(descriptors));
            None
        }
        Ok(Reply::Measured(Outcome::Nondeterministic { differences })) => {
            report.notes.extend(differences);
            Some(Measurement::Nondeterministic)
        }
        Ok(Reply::Blind(why)) => {
            report.notes.push(why);
            Some(Measurement::Blind)
        }
        Ok(Reply::Failed(why)) => {
            report.notes.push(why);
            Some(Measurement::Failed)
        }
        Ok(other) => unreachable!("invariant: a measuring child does not answer {other:?}"),
        Err(error) => {
            report.notes.push(format!("{error:#}"));
            Some(Measurement::Failed)
        }
    }
}

/// Adds the call sites that the verdict calls for. If they are not available, a note says so.
fn add_sites(suite: &Suite, id: &str, root: &Path, report: &mut ScenarioReport) {
    let questions: &[Question] = match report.verdict {
        Verdict::Regressed | Verdict::Improved => &[Question::Sites],
        Verdict::Leaked if report.live.tasks > 0 => &[Question::Tasks, Question::Sites],
        Verdict::Leaked => &[Question::Sites],
        Verdict::Nondeterministic => &[Question::Wavering],
        _ => &[],
    };
    for question in questions {
        match child::ask(id, Task::Attribute(*question)) {
            Ok(Reply::Attributed(Attribution { sites, places, leaks, notes })) => {
                report.notes.extend(notes);
                report.leaks.extend(leaks);
                match baselines::sites::load(&baselines::sites::path(root, id)) {
                    _ if sites.is_empty() => {}
                    Err(Error::Missing { .. }) => {}
                    Err(error) => report.notes.push(error.with_command(&suite.update_command())),
                    Ok(recorded) => {
                        report.sites_changed = baselines::sites::diff(&recorded, &sites);
                        for site in &mut report.sites_changed {
                            site.place = places.get(&site.key).cloned();
                        }
                    }
                }
            }
            Ok(Reply::Failed(why) | Reply::Blind(why)) => {
                report.notes.push(format!("no call sites: {why}"))
            }
            Ok(other) => unreachable!("invariant: an attributing child does not answer {other:?}"),
            Err(error) => report.notes.push(format!("no call sites: {error:#}")),
        }
    }
}
