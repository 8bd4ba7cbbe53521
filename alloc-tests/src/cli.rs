//! The flags: a child, the suite, one scenario for another tool, or a test runner for cargo.

use std::io::{IsTerminal, Write};
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context;
use baselines::Verdict;
use baselines::compare::provenance_differences;
use clap::{Parser, Subcommand};
use indicatif::{ProgressBar, ProgressStyle};
use libtest_mimic::{Arguments, Failed, Trial};

use crate::report::{Format, Run};
use crate::suite::{self, Judged, RUNS};
use crate::{Registry, Unit, canary, child, measure, record};

/// Exit code of a usage error; clap's own.
const USAGE: u8 = 2;

/// The whole program: what the first argument is decides who it was started by.
#[must_use]
pub fn main(registry: &Registry) -> ExitCode {
    if let Some((id, task)) = child::arguments() {
        return finish(child::serve(registry, &id, task).map(|()| 0));
    }
    match std::env::args().nth(1).as_deref() {
        Some("suite" | "run") => {
            let outcome = match Cli::parse().command {
                Command::Suite(flags) => run_suite(registry, &flags),
                Command::Run { id, ops } => run_bare(registry, &id, ops),
            };
            finish(outcome)
        }
        _ => run_as_tests(registry),
    }
}

#[derive(Debug, Parser)]
#[command(bin_name = "run-alloc-tests.sh", about = "Exact allocation tests of the server", version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Measure scenarios and hold them to their baselines
    #[command(override_usage = "scripts/run-alloc-tests.sh [OPTIONS] [FILTER]...", after_help = AFTER_HELP)]
    Suite(Suite),
    /// Run one scenario once, uncounted, for heaptrack, valgrind or perf
    Run {
        /// The scenario's id
        id: String,
        /// Operations; the scenario's own N if not given
        #[arg(long, value_name = "N")]
        ops: Option<u64>,
    },
}

const AFTER_HELP: &str = "\
With -n or --no-hooks the script builds the scenarios without dhat and says how to run one under heaptrack, valgrind
or perf.

MAX_ALLOCS_ALLOWED_<scenario>=N in the environment replaces the recorded blocks of a scenario by a limit, for one run.

Exit codes: 0 pass, 1 a tool or the environment failed, 2 usage, 3 regression or leak, 4 improvement not yet recorded,
5 baseline missing, stale or not comparable, 6 the measurement cannot be trusted (blind or nondeterministic).";

#[derive(Debug, clap::Args)]
struct Suite {
    /// Scenarios whose id contains this; all if none is given
    #[arg(value_name = "FILTER")]
    filters: Vec<String>,

    /// Kept runs at N and at 2N, after one that is thrown away; all must agree
    #[arg(long, default_value_t = RUNS, value_parser = kept_runs)]
    runs: usize,

    /// Record what was measured
    #[arg(long, requires = "reason")]
    update: bool,

    /// Why the numbers move; belongs into the commit that moves them
    #[arg(long, requires = "update", value_name = "TEXT", value_parser = clap::builder::NonEmptyStringValueParser::new())]
    reason: Option<String>,

    /// With --update, remove the numbers of scenarios that are gone
    #[arg(long, requires = "update")]
    prune: bool,

    /// How to report on stdout
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,

    /// Print the ids and leave
    #[arg(long)]
    list: bool,
}

fn kept_runs(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(0 | 1) => Err("one run agrees with itself: keep 2 or more".to_owned()),
        Ok(runs) => Ok(runs),
        Err(_) => Err("give a whole number of runs".to_owned()),
    }
}

fn finish(outcome: anyhow::Result<u8>) -> ExitCode {
    match outcome {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            complain(&format!("error: {error:#}"));
            ExitCode::from(if error.is::<Usage>() { USAGE } else { 1 })
        }
    }
}

/// What the caller typed makes no sense.
#[derive(Debug)]
struct Usage(String);

impl std::fmt::Display for Usage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Usage {}

fn run_suite(registry: &Registry, flags: &Suite) -> anyhow::Result<u8> {
    let ids = chosen(registry, &flags.filters)?;
    if flags.list {
        say(&ids.iter().map(|id| format!("{id}\n")).collect::<String>())?;
        return Ok(0);
    }
    anyhow::ensure!(
        cfg!(feature = "hooks"),
        Usage("built without hooks, this counts nothing; leave out -n".to_owned())
    );
    if let Some(wrong) = suite::wrong_limits(registry).first() {
        return Err(Usage(wrong.clone()).into());
    }
    let baseline = suite::baseline();
    let progress = progress(ids.len());
    let done = |one: &Judged| {
        progress.set_message(one.id.clone());
        progress.inc(1);
    };
    let units: Vec<_> = ids.iter().map(|id| (*id, registry[id].unit())).collect();
    let mut judged = suite::run(&units, flags.runs, &baseline, done);
    progress.finish_and_clear();
    if flags.update {
        let text = record::record(
            registry,
            &judged,
            flags.reason.as_deref().unwrap_or_default(),
            flags.prune,
        );
        if text.is_err() {
            complain(&Run::new(judged, &baseline, flags)?.render(Format::Table)?);
        }
        say(&text?)?;
        return Ok(0);
    }
    if let Ok(baseline) = &baseline {
        let gone = baseline.scenarios.iter().filter(|(id, _)| !registry.contains_key(id.as_str()));
        let asked = gone.filter(|(id, _)| matches(id, &flags.filters));
        judged.extend(asked.map(|(id, counts)| Judged::stale(id, counts)));
        judged.sort_by(|a, b| a.id.cmp(&b.id));
    }
    let run = Run::new(judged, &baseline, flags)?;
    say(&run.render(flags.format)?)?;
    Ok(run.exit_code())
}

impl Run {
    fn new(
        judged: Vec<Judged>,
        baseline: &Result<baselines::AllocBaseline, baselines::Error>,
        flags: &Suite,
    ) -> anyhow::Result<Self> {
        let current = suite::provenance()?;
        Ok(Self {
            judged,
            provenance: baseline
                .as_ref()
                .map_or_else(|_| Vec::new(), |b| provenance_differences(&b.provenance, &current)),
            no_baseline: baseline.as_ref().err().map(ToString::to_string),
            runs: flags.runs,
            filter: flags.filters.join(" "),
        })
    }
}

/// Ids that contain a filter. A filter that nothing contains is a mistake, not an empty run.
fn chosen(registry: &Registry, filters: &[String]) -> anyhow::Result<Vec<&'static str>> {
    for filter in filters {
        if !registry.keys().any(|id| id.contains(filter.as_str())) && !is_recorded(filter) {
            let nearest = registry.keys().max_by(|a, b| {
                strsim::jaro_winkler(a, filter).total_cmp(&strsim::jaro_winkler(b, filter))
            });
            let hint = nearest.map_or(String::new(), |id| format!("; the nearest is {id}"));
            return Err(Usage(format!(
                "no scenario contains \"{filter}\"{hint}; --list prints them all"
            ))
            .into());
        }
    }
    Ok(registry.keys().copied().filter(|id| matches(id, filters)).collect())
}

fn is_recorded(filter: &str) -> bool {
    suite::baseline().is_ok_and(|baseline| baseline.scenarios.keys().any(|id| id.contains(filter)))
}

fn matches(id: &str, filters: &[String]) -> bool {
    filters.is_empty() || filters.iter().any(|filter| id.contains(filter.as_str()))
}

fn progress(scenarios: usize) -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("{bar:24} {pos}/{len} {wide_msg}")
        .expect("the template is constant");
    ProgressBar::new(scenarios as u64).with_style(style)
}

fn run_bare(registry: &Registry, id: &str, ops: Option<u64>) -> anyhow::Result<u8> {
    let Some(scenario) = registry.get(id) else {
        return Err(
            Usage(format!("no scenario is called {id}; suite --list prints them all")).into()
        );
    };
    measure::sample(scenario, ops.unwrap_or_else(|| scenario.ops()))?;
    Ok(0)
}

/// A test per scenario, one for the canaries, one for entries without a scenario.
fn run_as_tests(registry: &Registry) -> ExitCode {
    let baseline = suite::baseline();
    // Totals of a debug build are not judged, so it needs to see only that runs agree.
    let runs = if cfg!(debug_assertions) { 2 } else { RUNS };
    let listing = std::env::args().any(|argument| argument == "--list");
    if cfg!(debug_assertions) && !listing {
        complain(
            "debug build: the law (nothing left alive), agreement and the canaries are checked;",
        );
        complain("totals are judged in release: scripts/run-alloc-tests.sh");
    }
    let gone = |id: &&String| !registry.contains_key(id.as_str());
    let stale: Vec<String> =
        baseline.iter().flat_map(|known| known.scenarios.keys()).filter(gone).cloned().collect();
    let mut trials = vec![
        Trial::test("canaries", || canary::sing().map_err(|error| format!("{error:#}").into())),
        Trial::test("no_baseline_without_a_scenario", move || check_stale(&stale)),
    ];
    let baseline = Arc::new(baseline);
    for (id, scenario) in registry {
        let (id, unit, baseline) = (*id, scenario.unit(), Arc::clone(&baseline));
        trials.push(Trial::test(id, move || check(id, unit, runs, &baseline)));
    }
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}

fn check(
    id: &str,
    unit: Unit,
    runs: usize,
    baseline: &Result<baselines::AllocBaseline, baselines::Error>,
) -> Result<(), Failed> {
    let judged = suite::judge_one(id, unit, runs, baseline);
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

/// Writes to stdout. A reader that has gone away is not an error: the exit code still says how it went.
fn say(text: &str) -> anyhow::Result<()> {
    let mut stdout = std::io::stdout().lock();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            Err(error).context("cannot write the report to stdout")
        }
        _ => Ok(()),
    }
}

fn complain(text: &str) {
    // Where stderr is gone there is nobody to complain to.
    drop(writeln!(std::io::stderr(), "{text}"));
}
