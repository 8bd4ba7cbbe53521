//! `cargo plimsoll count`: blocks, bytes, reads and writes of any program, without its source.
//!
//! # Layout
//!
//! - `run`: one process: rehearsal, windows; `program`: its start and its end; `talk`: the client
//! - `counters`: the preloaded library and its file; `canary`: a known program, counted first
//! - `blind`: whether the numbers can be trusted; `distrust`: the error if not; `markers`, `elf`, `proc`: what tells it
//! - `figures`: totals → the cost of one operation; `report`: what all runs say

mod blind;
mod canary;
mod counters;
mod distrust;
mod elf;
mod figures;
mod markers;
mod proc;
mod program;
mod report;
mod run;
mod talk;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Result;
use baselines::Verdict;
use bench_show::output::print;
use bench_show::progress::Progress;
use clap::ValueEnum;
use clap::builder::RangedU64ValueParser;
use compare::cleanup;
use conversation::Conversation;

use crate::error::Usage;
use distrust::{Blind, IN_PROCESS};
use report::Report;
use run::{Plan, Run};

/// Letters of the text that an echo gets.
const TEXT: usize = 64;

/// Descriptors of this program beside its connections.
const DESCRIPTORS: u64 = 64;

const RULES: &str = "\
The program is started with a small library preloaded, TOKIO_WORKER_THREADS=1, PYTHONMALLOC=malloc and PYTHONHASHSEED=0, \
    unless they are set. A run is a fresh process: it is rehearsed, watched for a second while nothing happens, then driven in \
    windows of N and of 2N operations. A figure is the slope between the two, so that what happens once falls out. A window is \
    repeated, at most ten times, until its smallest total was seen twice: timers only add. Figures have three digits. In a \
    program that does something by itself, a slope within 0.05 of a whole number is that number. If all runs say the same, the \
    numbers are exact: exit 0. Otherwise their range is shown: exit 6.

A realloc is one block of its whole new size. Held bytes, without the allocator's own: what is still alive after a message \
    and after a closed connection, which should be 0, and what an idle connection holds. \
    Reads and writes are those of internet sockets that moved bytes, to a database too.

Exit 6, blind: the program does not load the library (linked statically, Go, setuid), has an allocator of its own \
    (jemalloc, mimalloc), holds more memory past malloc than from it, or no block was seen.";

/// Counts heap blocks, bytes, reads and writes of any program, per message and per connection, without its source.
#[derive(clap::Args)]
#[command(after_help = RULES, override_usage = "cargo plimsoll count [OPTIONS] -- PROGRAM [ARGUMENT]...")]
pub(crate) struct Args {
    /// Path of the WebSocket [default: the conversation's, or /]
    #[arg(long)]
    path: Option<String>,

    /// What a client says and must hear [default: a text of 64 letters that comes back]
    #[arg(long, value_name = "FILE")]
    conversation: Option<PathBuf>,

    /// Port of a program that takes none
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..))]
    port: Option<u16>,

    /// Messages of a window; the second one has twice as many
    #[arg(long, value_name = "N", default_value_t = 1000, value_parser = RangedU64ValueParser::<u64>::new().range(10..=1_000_000))]
    messages: u64,

    /// Connections of a window; the second one has twice as many
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = RangedU64ValueParser::<u64>::new().range(10..=10_000))]
    connections: u64,

    /// Fresh processes, which must agree
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = RangedU64ValueParser::<u64>::new().range(2..=20))]
    runs: u64,

    /// Limit for the program's start, until it listens
    #[arg(long, value_name = "SECONDS", default_value_t = 10, value_parser = RangedU64ValueParser::<u64>::new().range(1..=600))]
    start_within: u64,

    /// Form of the result
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,

    /// Is the known program that is counted first.
    #[arg(long, hide = true)]
    canary: bool,

    /// The program and its arguments; {port} becomes a free port, which is also in the variable PORT
    #[arg(last = true, required_unless_present = "canary", value_name = "PROGRAM")]
    command: Vec<String>,
}

#[derive(Clone, Copy, ValueEnum)]
enum Format {
    Table,
    Json,
}

/// Counts, and prints the figures.
pub(crate) fn run(args: &Args) -> Result<ExitCode> {
    if args.canary {
        canary::run()?;
        return Ok(ExitCode::SUCCESS);
    }
    program::check(&args.command, args.port)?;
    let conversation = conversation(args.conversation.as_deref())?;
    let path = args.path.as_deref().or(conversation.path.as_deref()).unwrap_or("/");
    let plan = Plan {
        command: &args.command,
        port: args.port,
        start: Duration::from_secs(args.start_within),
        path,
        conversation: &conversation,
        messages: args.messages,
        connections: args.connections,
    };
    cleanup::install()?;
    make_room(2 * args.connections + conversation.connections as u64 + DESCRIPTORS)?;
    let report = match report(&plan, args.runs as usize) {
        Ok(report) => report,
        Err(error) if error.is::<Blind>() => {
            if let Format::Json = args.format {
                let reason = format!("{error:#}");
                let blind =
                    serde_json::json!({ "schema": 1, "verdict": "blind", "reason": reason });
                print(&format!("{blind:#}\n"))?;
            }
            eprintln!("blind: {error:#}");
            return Ok(ExitCode::from(Verdict::Blind.exit_code()));
        }
        Err(error) => return Err(error),
    };
    print(&match args.format {
        Format::Table => report.text(),
        Format::Json => report.json(),
    })?;
    Ok(ExitCode::from(report.verdict().exit_code()))
}

fn report(plan: &Plan<'_>, runs: usize) -> Result<Report> {
    let progress = Progress::new();
    progress.say("checking the counting library with a known program");
    let counted = canary::check();
    counted.map_err(|error| {
        Blind(format!("the counting library does not count what it should: {error:#}"))
    })?;
    let counted: Result<Vec<Run>> = (0..runs)
        .map(|nth| {
            let run = format!("run {} of {runs}", nth + 1);
            progress.say(&run);
            let say = |step: &str| {
                if progress.is_bar() {
                    progress.step(&format!("{run}: {step}"), nth, runs);
                }
            };
            run::run(plan, &say)
        })
        .collect();
    progress.clear();
    let report = Report::of(&counted?);
    if report.is_empty() {
        let opened = plan.connections;
        return Err(Blind(format!(
            "not one block was seen in {opened} connections: the program's blocks do not go through malloc; {IN_PROCESS}"
        )).into());
    }
    Ok(report)
}

fn conversation(file: Option<&Path>) -> Result<Conversation> {
    let Some(file) = file else { return Ok(Conversation::echo(TEXT, false)) };
    Conversation::load(file).map_err(|error| Usage(error.to_string()).into())
}

/// Raises the limit on descriptors only where it must be: the program inherits it.
fn make_room(needed: u64) -> Result<()> {
    let limit = rustix::process::getrlimit(rustix::process::Resource::Nofile);
    match limit.current {
        Some(current) if current < needed => bench_kit::descriptors::raise(needed),
        _ => Ok(()),
    }
}
