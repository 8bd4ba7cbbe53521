//! The scenarios as tests for cargo and nextest.

use std::sync::Arc;

use anyhow::bail;
use baselines::Verdict;
use libtest_mimic::{Arguments, Failed, Trial};

use crate::error::Usage;
use crate::judge::{self, RUNS};
use crate::output::print_error;
use crate::repeats::PROCESSES;
use crate::report::explain;
use crate::scenario::PLANTED;
use crate::scenario::Registry;
use crate::setup::{Recorded, Setup};
use crate::{child, limits};

/// Exit code of a test program with a failed test, as cargo and nextest expect it.
const FAILED: u8 = 101;

/// One test for each scenario, one for the canaries, one for baselines without a scenario, and `extra`.
pub(crate) fn run(setup: &Setup, registry: &Registry, extra: Vec<Trial>) -> anyhow::Result<u8> {
    let arguments = Arguments::from_args();
    if !arguments.list
        && let Some(problem) = limits::invalid(registry)
    {
        bail!(Usage(problem));
    }
    let recorded = Recorded::load(setup.baselines.clone());
    // A debug build has no baseline, so that one run in each process is enough to see whether they agree.
    let runs = if cfg!(debug_assertions) { PROCESSES } else { RUNS };
    if cfg!(debug_assertions) && !arguments.list {
        print_error("debug build: only leaks, agreement of runs and the canaries are checked;");
        print_error(&format!("totals are judged in release: {}", setup.command));
    }
    let stale: Vec<String> = recorded.stale(registry).map(|(id, _)| id.clone()).collect();
    let command = setup.command.clone();
    let mut trials = extra;
    trials.push(Trial::test("canaries", || {
        child::check_instrument().map_err(|error| format!("{error:#}").into())
    }));
    trials
        .push(Trial::test("no_baseline_without_a_scenario", move || check_stale(&stale, &command)));
    let shared = Arc::new((setup.clone(), recorded));
    for (id, scenario) in registry.iter().filter(|(id, _)| !id.starts_with(PLANTED)) {
        let (id, label, shared) = (*id, scenario.label.clone(), Arc::clone(&shared));
        trials.push(Trial::test(id, move || {
            let (setup, recorded) = &*shared;
            let report = judge::judge_one(setup, id, &label, runs, recorded);
            match report.verdict {
                Verdict::Pass => Ok(()),
                // Said above: no totals are judged.
                Verdict::NotComparable if cfg!(debug_assertions) => Ok(()),
                _ => Err(explain(id, &report).into()),
            }
        }));
    }
    Ok(u8::from(libtest_mimic::run(&arguments, trials).has_failed()) * FAILED)
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
