//! The scenarios as tests for cargo and nextest.

use std::process::ExitCode;
use std::sync::Arc;

use baselines::Verdict;
use libtest_mimic::{Arguments, Failed, Trial};

use crate::error::Usage;
use crate::judge::{self, RUNS};
use crate::output::{self, print_error};
use crate::repeats::PROCESSES;
use crate::report::explain;
use crate::scenario::PLANTED;
use crate::suite::{Recorded, Suite};
use crate::{Registry, child, limits};

/// One test for each scenario, one for the canaries, one for baselines without a scenario, and `extra`.
pub(crate) fn run(suite: &Suite, registry: &Registry, extra: Vec<Trial>) -> ExitCode {
    let arguments = Arguments::from_args();
    if !arguments.list
        && let Some(problem) = limits::invalid(registry)
    {
        return output::finish(Err(Usage(problem).into()));
    }
    let recorded = Recorded::load(suite.baselines.clone());
    // A debug build has no baseline, so that one run in each process is enough to see whether they agree.
    let runs = if cfg!(debug_assertions) { PROCESSES } else { RUNS };
    if cfg!(debug_assertions) && !arguments.list {
        print_error("debug build: only leaks, agreement of runs and the canaries are checked;");
        print_error(&format!("totals are judged in release: {}", suite.command));
    }
    let stale: Vec<String> = recorded.stale(registry).map(|(id, _)| id.clone()).collect();
    let command = suite.command;
    let mut trials = extra;
    trials.push(Trial::test("canaries", || {
        child::check_instrument().map_err(|error| format!("{error:#}").into())
    }));
    trials
        .push(Trial::test("no_baseline_without_a_scenario", move || check_stale(&stale, command)));
    let shared = Arc::new((suite.clone(), recorded));
    for (id, scenario) in registry.iter().filter(|(id, _)| !id.starts_with(PLANTED)) {
        let (id, unit, shared) = (*id, scenario.unit, Arc::clone(&shared));
        trials.push(Trial::test(id, move || {
            let (suite, recorded) = &*shared;
            let report = judge::judge_one(suite, id, unit, runs, recorded);
            match report.verdict {
                Verdict::Pass => Ok(()),
                // Said above: no totals are judged.
                Verdict::NotComparable if cfg!(debug_assertions) => Ok(()),
                _ => Err(explain(id, &report).into()),
            }
        }));
    }
    libtest_mimic::run(&arguments, trials).exit_code()
}

fn check_stale(stale: &[String], command: &str) -> Result<(), Failed> {
    if stale.is_empty() {
        return Ok(());
    }
    Err(format!(
        "recorded without a scenario: {}; if they are gone on purpose: {command} --update --prune --reason \"…\"",
        stale.join(", ")
    )
    .into())
}
