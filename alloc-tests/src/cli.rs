//! The flags: a child, the suite, one scenario for another tool, or a test runner for cargo.

use std::io::{IsTerminal, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;
use baselines::compare::provenance_differences;
use clap::{Parser, Subcommand};
use indicatif::{ProgressBar, ProgressStyle};
use libtest_mimic::Trial;

use crate::judged::Judged;
use crate::profiler::Profiler;
use crate::report::{Format, Run};
use crate::suite::{self, RUNS, Recorded};
use crate::{Registry, Window, child, libtest, limits, measure, record};

/// Exit code of a usage error; clap's own.
const USAGE: u8 = 2;

/// The whole program: what the first argument is decides who it was started by. `gate` are tests of the program itself.
#[must_use]
pub fn main(registry: &Registry, gate: Vec<Trial>) -> ExitCode {
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
        _ => libtest::run(registry, gate),
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

    /// Of these, only the ids of scenarios in memory: they execute the same instructions in every run
    #[arg(long, requires = "list")]
    in_memory: bool,

    /// Folder of the recorded numbers [default: baselines]
    #[arg(long, value_name = "DIR")]
    baselines: Option<PathBuf>,

    /// Build without dhat and print how to run a scenario under heaptrack, valgrind or perf
    #[arg(short = 'n', long)]
    no_hooks: bool,
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
    let recorded = Recorded::load(flags.baselines.clone().unwrap_or_else(suite::root));
    let ids = chosen(registry, &recorded, &flags.filters)?;
    if flags.list {
        let listed = ids.iter().filter(|id| !flags.in_memory || registry[*id].is_in_memory());
        say(&listed.map(|id| format!("{id}\n")).collect::<String>())?;
        return Ok(0);
    }
    anyhow::ensure!(
        cfg!(feature = "hooks"),
        Usage("built without hooks, this counts nothing; leave out -n".to_owned())
    );
    if let Some(wrong) = limits::wrong(registry).first() {
        return Err(Usage(wrong.clone()).into());
    }
    let progress = progress(ids.len());
    let done = |one: &Judged| {
        progress.set_message(one.id.clone());
        progress.inc(1);
    };
    let units: Vec<_> = ids.iter().map(|id| (*id, registry[id].unit())).collect();
    let mut judged = suite::run(&units, flags.runs, &recorded, done);
    progress.finish_and_clear();
    if flags.update {
        let run = Run::new(judged, &recorded, flags)?;
        let reason = flags.reason.as_deref().unwrap_or_default();
        return match record::record(registry, recorded, &run.judged, reason, flags.prune) {
            Ok(text) => say(&text).map(|()| 0),
            Err(error) => {
                say(&run.render(Format::Table)?)?;
                complain(&format!("error: {error:#}"));
                Ok(refused(&run))
            }
        };
    }
    let stale = recorded.stale(registry).filter(|(id, _)| matches(id, &flags.filters));
    judged.extend(stale.map(|(id, counts)| Judged::stale(id, counts)));
    judged.sort_by(|a, b| a.id.cmp(&b.id));
    let run = Run::new(judged, &recorded, flags)?;
    say(&run.render(flags.format)?)?;
    Ok(run.exit_code())
}

/// The exit code where nothing was recorded: the verdict's, unless that would be nothing to worry about or only asks for
/// what was just refused.
fn refused(run: &Run) -> u8 {
    match run.exit_code() {
        code @ (3 | 6) => code,
        _ => 1,
    }
}

impl Run {
    fn new(judged: Vec<Judged>, recorded: &Recorded, flags: &Suite) -> anyhow::Result<Self> {
        let current = suite::provenance()?;
        let baseline = recorded.baseline.as_ref();
        Ok(Self {
            judged,
            provenance: baseline.map_or_else(
                |_| Vec::new(),
                |known| provenance_differences(&known.provenance, &current),
            ),
            no_baseline: baseline.err().map(ToString::to_string),
            runs: flags.runs,
            filter: flags.filters.join(" "),
        })
    }
}

/// Ids that contain a filter. A filter that nothing contains is a mistake, not an empty run. Scenarios with a planted
/// fault run only where one of them is asked for by its whole id.
fn chosen(
    registry: &Registry,
    recorded: &Recorded,
    filters: &[String],
) -> anyhow::Result<Vec<&'static str>> {
    for filter in filters {
        let known = |id: &str| id.contains(filter.as_str());
        if !registry.keys().any(|id| known(id))
            && !recorded.stale(registry).any(|(id, _)| known(id))
        {
            let likeness = |id: &&str| strsim::jaro_winkler(id, filter);
            let offered = registry.keys().copied().filter(|id| !id.starts_with(PLANTED));
            let nearest = offered.max_by(|a, b| likeness(a).total_cmp(&likeness(b)));
            let hint = nearest.map_or_else(String::new, |id| format!("; the nearest is {id}"));
            return Err(Usage(format!(
                "no scenario contains \"{filter}\"{hint}; --list prints them all"
            ))
            .into());
        }
    }
    let asked = |id: &str| {
        if id.starts_with(PLANTED) { filters.iter().any(|f| f == id) } else { matches(id, filters) }
    };
    Ok(registry.keys().copied().filter(|id| asked(id)).collect())
}

/// How the ids of scenarios with a planted fault begin.
pub(crate) const PLANTED: &str = "planted_";

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
    // No look at descriptors, whose names are never the same twice: two runs then execute the same instructions.
    let window = Window::new(ops.unwrap_or_else(|| scenario.ops()));
    measure::run(scenario, window, Profiler::counting)?;
    Ok(0)
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

pub(crate) fn complain(text: &str) {
    // Where stderr is gone there is nobody to complain to.
    drop(writeln!(std::io::stderr(), "{text}"));
}
