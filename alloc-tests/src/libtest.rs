//! The scenarios as cargo's and nextest's tests.

use std::process::ExitCode;
use std::sync::Arc;

use baselines::Verdict;
use libtest_mimic::{Arguments, Failed, Trial};

use crate::cli::{PLANTED, complain};
use crate::suite::{self, RUNS, Recorded};
use crate::{Registry, Unit, child};

/// A test per scenario, one for the canaries, one for entries without a scenario, and those of the gate itself.
pub(crate) fn run(registry: &Registry, gate: Vec<Trial>) -> ExitCode {
    let arguments = Arguments::from_args();
    let recorded = Recorded::load(suite::root());
    // Totals of a debug build are not judged, so it needs to see only that runs agree.
    let runs = if cfg!(debug_assertions) { 2 } else { RUNS };
    if cfg!(debug_assertions) && !arguments.list {
        complain(
            "debug build: the law (nothing left alive), agreement and the canaries are checked;",
        );
        complain("totals are judged in release: scripts/run-alloc-tests.sh");
    }
    let stale: Vec<String> = recorded.stale(registry).map(|(id, _)| id.clone()).collect();
    let mut trials = gate;
    trials.push(Trial::test("canaries", || {
        child::sing().map_err(|error| format!("{error:#}").into())
    }));
    trials.push(Trial::test("no_baseline_without_a_scenario", move || check_stale(&stale)));
    let recorded = Arc::new(recorded);
    for (id, scenario) in registry.iter().filter(|(id, _)| !id.starts_with(PLANTED)) {
        let (id, unit, recorded) = (*id, scenario.unit(), Arc::clone(&recorded));
        trials.push(Trial::test(id, move || check(id, unit, runs, &recorded)));
    }
    libtest_mimic::run(&arguments, trials).exit_code()
}

fn check(id: &str, unit: Unit, runs: usize, recorded: &Recorded) -> Result<(), Failed> {
    let judged = suite::judge_one(id, unit, runs, recorded);
    match judged.judgement.verdict {
        Verdict::Pass => Ok(()),
        _ => Err(judged.explanation().into()),
    }
}

fn check_stale(stale: &[String]) -> Result<(), Failed> {
    if stale.is_empty() {
        return Ok(());
    }
    let script = "scripts/run-alloc-tests.sh --update --prune --reason \"…\"";
    Err(format!(
        "recorded, but no scenario is called so: {}; if they are meant to be gone: {script}",
        stale.join(", ")
    )
    .into())
}
