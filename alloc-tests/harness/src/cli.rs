//! The command line: the whole suite, or one scenario for another tool.

use std::collections::BTreeMap;
use std::io::IsTerminal;
use std::path::{Path, PathBuf};

use anyhow::{bail, ensure};
use baselines::SuiteReport;
use baselines::alloc::Provenance;
use baselines::compare::provenance_differences;
use baselines::suite_report::{SCHEMA, ScenarioReport};
use baselines::verdict::exit_code;
use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};
use indicatif::{ProgressBar, ProgressStyle};

use crate::error::Usage;
use crate::filter::{chosen, matches};
use crate::judge::{self, RUNS};
use crate::output::{print, print_error};
use crate::pending::Store;
use crate::profiler::Profiler;
use crate::repeats::PROCESSES;
use crate::report::{Format, Run};
use crate::scenario::Registry;
use crate::setup::{DEBUG_ASSERTIONS, Face, Recorded, Setup, TARGET};
use crate::{Window, doctor, limits, measure, record, report, result};

/// Runs the command of the process's arguments, and returns the exit code.
pub(crate) fn run(
    face: Face<'_>,
    registry: &Registry,
    set_up: impl FnOnce() -> anyhow::Result<Setup>,
) -> anyhow::Result<u8> {
    let Face { about, command, baselines } = face;
    let name = command.rsplit('/').next().unwrap_or_default().to_owned();
    let usage = format!("{command} [OPTIONS] [FILTER]...");
    let typed = command.to_owned();
    let command = Cli::command()
        .bin_name(name)
        .about(about.to_owned())
        .mut_subcommand("suite", |command| command.override_usage(usage));
    let parsed = command.try_get_matches().and_then(|all| Cli::from_arg_matches(&all));
    let cli = match parsed {
        Ok(cli) => cli,
        Err(error) if error.use_stderr() => bail!(Usage(one_line(&error.to_string(), &typed))),
        Err(error) => error.exit(),
    };
    match cli.command {
        Command::Suite(flags) if flags.list => list(baselines, registry, &flags),
        Command::Suite(flags) => run_suite(&set_up()?, registry, &flags),
        Command::Run { id, ops } => run_bare(registry, &id, ops),
    }
}

/// An error of clap in one line, which ends with the help of the command that is `typed`.
fn one_line(error: &str, typed: &str) -> String {
    let error = error.split("\n\nUsage: ").next().unwrap_or_default();
    let said = error.split("\n\nFor more information").next().unwrap_or_default();
    let lines = said.trim_start_matches("error: ").lines().map(str::trim);
    let lines = lines.filter(|line| !line.is_empty() && !line.contains(" as a value, use"));
    let lines: Vec<_> = lines.map(|line| line.trim_start_matches("tip: ")).collect();
    format!("{}; {typed} --help says more", lines.join("; ").replace(":; ", ": "))
}

#[derive(Debug, Parser)]
#[command(version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Measure scenarios and compare them with their baselines
    #[command(after_help = AFTER_HELP)]
    Suite(Flags),
    /// Run one scenario once, uncounted, for heaptrack, valgrind or perf
    Run {
        /// The scenario's id
        id: String,
        /// Number of operations [default: the scenario's N]
        #[arg(long, value_name = "N")]
        ops: Option<u64>,
    },
}

const AFTER_HELP: &str = "\
MAX_ALLOCS_ALLOWED_<scenario>=N in the environment sets a limit of N blocks for one run, instead of the recorded blocks
at N and at 2N; =N,M sets one for each. Everything else stays exact.

What is red and can be recorded waits in pending/ beside the recorded numbers, or in PLIMSOLL_PENDING, for cargo plimsoll
review. Without that command: PLIMSOLL_UPDATE=\"why\" cargo test --release records, as --update does.

Exit codes: 0 pass, 1 a tool or the environment failed, 2 usage, 3 regression or leak, 4 improvement not yet recorded,
5 baseline missing, stale or not comparable, 6 the measurement cannot be trusted (blind or nondeterministic).";

#[derive(Debug, clap::Args)]
struct Flags {
    /// Run scenarios whose id contains one of these [default: all]
    #[arg(value_name = "FILTER")]
    filters: Vec<String>,

    /// Number of runs at N and at 2N that must agree, in three processes
    #[arg(long, default_value_t = RUNS, value_parser = clap::value_parser!(u64).range(PROCESSES..))]
    runs: u64,

    /// Record the measured numbers
    #[arg(long, requires = "reason")]
    update: bool,

    /// The reason for new numbers, for the commit that changes them
    #[arg(long, requires = "update", value_name = "TEXT", value_parser = clap::builder::NonEmptyStringValueParser::new())]
    reason: Option<String>,

    /// Remove the numbers of scenarios that no longer exist
    #[arg(long, requires = "update")]
    prune: bool,

    /// Format of the report on stdout
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,

    /// Also write the report to a file, as in markdown=summary.md; may be repeated
    #[arg(long, value_name = "FORMAT=FILE", value_parser = report::also, conflicts_with_all = ["update", "list", "doctor"])]
    also: Vec<(Format, PathBuf)>,

    /// Print the ids and exit
    #[arg(long)]
    list: bool,

    /// List only scenarios that execute the same instructions in every run, with N, unit, and the reason: all in memory,
    /// or client and server in turns
    #[arg(long, requires = "list")]
    repeatable: bool,

    /// Find the cause of counts that differ from run to run: run scenarios with one cause after the other taken away
    #[arg(long, conflicts_with_all = ["update", "list", "format"])]
    doctor: bool,

    /// Folder of the recorded numbers [default: the suite's]
    #[arg(long, value_name = "DIR")]
    baselines: Option<PathBuf>,

    /// Build without dhat and print how to run a scenario under heaptrack, valgrind or perf
    #[arg(short = 'n', long)]
    no_hooks: bool,
}

fn list(baselines: &Path, registry: &Registry, flags: &Flags) -> anyhow::Result<u8> {
    let root = flags.baselines.as_deref().unwrap_or(baselines);
    let ids = chosen(registry, &Recorded::load(root.to_owned()), &flags.filters)?;
    let line = |id: &&str| {
        let repeats = registry[id].repeats();
        if flags.repeatable {
            Some(format!("{id} {}\n", repeats?))
        } else {
            Some(format!("{id}\n"))
        }
    };
    print(&ids.iter().filter_map(line).collect::<String>())?;
    Ok(0)
}

fn run_suite(setup: &Setup, registry: &Registry, flags: &Flags) -> anyhow::Result<u8> {
    let root = flags.baselines.as_ref().unwrap_or(&setup.baselines);
    let recorded = Recorded::load(root.clone());
    let ids = chosen(registry, &recorded, &flags.filters)?;
    ensure!(
        cfg!(feature = "hooks"),
        Usage("this runner was built without hooks and counts nothing; leave out -n".to_owned())
    );
    ensure!(!flags.update || !cfg!(debug_assertions), "nothing recorded: {DEBUG_ASSERTIONS}");
    if let Some(problem) = limits::invalid(registry) {
        bail!(Usage(problem));
    }
    let progress = progress(ids.len());
    if flags.doctor {
        return examine(registry, &ids, flags.runs, &progress);
    }
    let done = |id: &str| {
        progress.set_message(id.to_owned());
        progress.inc(1);
    };
    let units: Vec<_> = ids.iter().map(|id| (*id, &registry[id].label)).collect();
    // Numbers in another folder are not those of the tree.
    let store = if flags.baselines.is_none() { Store::of(setup, registry) } else { None };
    let kept = store.as_ref().filter(|_| !flags.update);
    let mut results = judge::run(setup, &units, flags.runs, &recorded, kept, done);
    progress.finish_and_clear();
    if flags.update {
        let run = Run::new(setup, results, &recorded, flags);
        let reason = flags.reason.as_deref().unwrap_or_default();
        let results = &run.report.scenarios;
        return match record::record(setup, registry, root, results, reason, flags.prune) {
            Ok(summary) => {
                store.iter().for_each(|store| store.remove(results.keys().map(String::as_str)));
                print(&summary).map(|()| 0)
            }
            Err(error) => {
                print(&run.render(Format::Table)?)?;
                print_error(&format!("error: {error:#}"));
                Ok(exit_code_if_not_recorded(&run))
            }
        };
    }
    let stale = recorded.stale(registry).filter(|(id, _)| matches(id, &flags.filters));
    results.extend(stale.map(|(id, counts)| (id.clone(), result::stale(counts))));
    let mut run = Run::new(setup, results, &recorded, flags);
    run.has_pending = store.is_some_and(|store| store.has_kept());
    flags.also.iter().try_for_each(|(format, file)| run.write(*format, file))?;
    let text = run.render(flags.format)?;
    print(&if flags.format == Format::Table { report::colour(&text) } else { text })?;
    Ok(run.report.exit_code)
}

/// Prints what the doctor says of each scenario. Returns 6 if the counts of one differ.
fn examine(
    registry: &Registry,
    ids: &[&'static str],
    runs: u64,
    progress: &ProgressBar,
) -> anyhow::Result<u8> {
    let mut code = 0;
    for id in ids {
        progress.set_message((*id).to_owned());
        let (said, is_steady) = doctor::examine(id, registry[id].ops, runs)?;
        progress.inc(1);
        progress.suspend(|| print(&said))?;
        code = if is_steady { code } else { 6 };
    }
    progress.finish_and_clear();
    Ok(code)
}

/// 1, unless the verdict itself is worse: 0, 4 and 5 would ask for the update that just failed.
fn exit_code_if_not_recorded(run: &Run<'_>) -> u8 {
    match run.report.exit_code {
        code @ (3 | 6) => code,
        _ => 1,
    }
}

impl<'a> Run<'a> {
    fn new(
        setup: &'a Setup,
        scenarios: BTreeMap<String, ScenarioReport>,
        recorded: &Recorded,
        flags: &Flags,
    ) -> Self {
        let provenance = setup.provenance();
        let baseline = recorded.baseline.as_ref();
        let provenance_differs = baseline.map_or_else(
            |_| Vec::new(),
            |known| provenance_differences(&known.provenance, &provenance),
        );
        let Provenance { rustc, profile, packages } = provenance;
        Self {
            setup,
            report: SuiteReport {
                schema: SCHEMA,
                target: TARGET.to_owned(),
                rustc,
                profile,
                packages,
                provenance_differs,
                exit_code: exit_code(scenarios.values().map(|one| one.verdict)),
                scenarios,
            },
            no_baseline: if cfg!(debug_assertions) {
                Some(DEBUG_ASSERTIONS.to_owned())
            } else {
                baseline.err().map(|error| error.with_command(&setup.update_command()))
            },
            has_pending: false,
            runs: flags.runs,
            filter: flags.filters.join(" "),
        }
    }
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
    let unknown = || Usage(format!("no scenario is called {id}; suite --list prints them all"));
    let scenario = registry.get(id).ok_or_else(unknown)?;
    // Without a list of descriptors, whose names differ, two runs execute the same instructions.
    let window = Window::new(ops.unwrap_or(scenario.ops));
    measure::run(scenario.prepare(window.ops()), &window, true, Profiler::guard)?;
    Ok(0)
}
