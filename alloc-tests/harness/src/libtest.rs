//! The scenarios as tests for cargo and nextest.

use std::collections::BTreeMap;
use std::env::VarError;
use std::sync::{Arc, Mutex};

use anyhow::{bail, ensure};
use baselines::Verdict;
use baselines::suite_report::ScenarioReport;
use libtest_mimic::{Arguments, Failed, Trial};

use crate::error::Usage;
use crate::judge::{self, RUNS};
use crate::output::{print, print_error};
use crate::pending::Store;
use crate::record::record;
use crate::repeats::PROCESSES;
use crate::report::explain;
use crate::result::is_unfit;
use crate::scenario::PLANTED;
use crate::scenario::Registry;
use crate::setup::{DEBUG_ASSERTIONS, Recorded, Setup};
use crate::{child, limits};

/// Exit code of a test program with a failed test, as cargo and nextest expect it.
const FAILED: u8 = 101;

/// The reason for new numbers: the tests then record them.
const UPDATE: &str = "PLIMSOLL_UPDATE";

/// What the tests of one process share.
struct Shared {
    setup: Setup,
    recorded: Recorded,
    store: Option<Store>,
    /// The reason to record, if they record.
    reason: Option<String>,
    /// What is to be recorded.
    results: Mutex<BTreeMap<String, ScenarioReport>>,
}

/// One test for each scenario, one for the canaries, one for baselines without a scenario, and `extra`.
pub(crate) fn run(setup: &Setup, registry: &Registry, extra: Vec<Trial>) -> anyhow::Result<u8> {
    let arguments = Arguments::from_args();
    let reason = if arguments.list { None } else { reason()? };
    if !arguments.list
        && let Some(problem) = limits::invalid(registry)
    {
        bail!(Usage(problem));
    }
    let recorded = Recorded::load(setup.baselines.clone());
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
    let shared = Arc::new(Shared {
        setup: setup.clone(),
        recorded,
        store: if arguments.list { None } else { Store::of(setup, registry) },
        reason,
        results: Mutex::default(),
    });
    for (id, scenario) in registry.iter().filter(|(id, _)| !id.starts_with(PLANTED)) {
        let (id, label, shared) = (*id, scenario.label.clone(), Arc::clone(&shared));
        trials.push(Trial::test(id, move || shared.check(id, &label)));
    }
    let has_failed = libtest_mimic::run(&arguments, trials).has_failed();
    let is_recorded = shared.record(registry)?;
    if let Some(store) = &shared.store
        && store.has_kept()
    {
        let command = setup.test_command();
        print_error(&format!(
            "if the new numbers are justified: cargo plimsoll review, or {command}"
        ));
    }
    Ok(u8::from(has_failed || !is_recorded) * FAILED)
}

/// The reason in the environment, if the numbers are to be recorded.
fn reason() -> anyhow::Result<Option<String>> {
    let reason = match std::env::var(UPDATE) {
        Err(VarError::NotPresent) => return Ok(None),
        reason => reason.unwrap_or_default(),
    };
    // `1` is what other tools want.
    ensure!(
        reason.chars().any(char::is_alphabetic),
        Usage(format!(
            "{UPDATE}={reason} is no reason; type {UPDATE}=\"why the numbers changed\", or unset it"
        ))
    );
    // What is left in a workflow would make every regression pass.
    let is_ci =
        std::env::var("CI").is_ok_and(|value| !["", "false", "0"].contains(&value.as_str()));
    ensure!(
        !is_ci,
        Usage(format!(
            "{UPDATE} is set in CI, where every test would pass; unset it, or record with suite --update"
        ))
    );
    ensure!(!cfg!(debug_assertions), "nothing recorded: {DEBUG_ASSERTIONS}");
    Ok(Some(reason))
}

impl Shared {
    fn check(&self, id: &'static str, label: &crate::scenario::Label) -> Result<(), Failed> {
        let Self { setup, recorded, store, reason, results } = self;
        // A debug build has no baseline, so that one run in each process is enough to see whether they agree.
        let runs = if cfg!(debug_assertions) { PROCESSES } else { RUNS };
        let store = store.as_ref().filter(|_| reason.is_none());
        let report = judge::judge_one(setup, id, label, runs, recorded, store);
        let is_well = match report.verdict {
            Verdict::Pass => true,
            // Said before: no totals are judged.
            Verdict::NotComparable if cfg!(debug_assertions) => true,
            _ => reason.is_some() && !is_unfit(&report),
        };
        let said = (!is_well).then(|| explain(&setup.root, id, &report));
        if reason.is_some() {
            results.lock().expect("no holder panics").insert(id.to_owned(), report);
        }
        said.map_or(Ok(()), |said| Err(said.into()))
    }

    /// Records what was measured, all or nothing. False if that failed.
    fn record(&self, registry: &Registry) -> anyhow::Result<bool> {
        let results = self.results.lock().expect("no holder panics");
        let Some(reason) = self.reason.as_ref().filter(|_| !results.is_empty()) else {
            return Ok(true);
        };
        match record(&self.setup, registry, &self.recorded.root, &results, reason, false) {
            Ok(summary) => {
                self.store
                    .iter()
                    .for_each(|store| store.remove(results.keys().map(String::as_str)));
                print(&summary)?;
                Ok(true)
            }
            Err(error) => {
                // Set by nextest, which runs each test in a process of its own.
                let is_alone = std::env::var_os("NEXTEST").is_some();
                let cure =
                    if is_alone { "; nextest records one at a time: type cargo test" } else { "" };
                print_error(&format!("error: {error:#}{cure}"));
                Ok(false)
            }
        }
    }
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
