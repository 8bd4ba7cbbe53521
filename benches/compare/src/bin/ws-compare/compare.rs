use std::fs::OpenOptions;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::SystemTime;

use anyhow::{Context, Result, ensure};
use clap::ValueEnum;
use clap::builder::NonEmptyStringValueParser;
use compare::gate::Rule;
use compare::model::{Comparison, Part, Side, Timing};
use compare::report::{Format, html, render};
use compare::revision::{Arms, Built};
use compare::server_process::Program;
use compare::talk::Talk;
use compare::timing::{self, Options};
use compare::{cleanup, exact, instructions, outcome};

use bench_show::progress::Progress;

pub(crate) const USAGE: &str = "\
scripts/compare.sh [OPTIONS] <BASE> [HEAD]
       scripts/compare.sh [OPTIONS] --base-bin <FILE> --head-bin <FILE>
       scripts/compare.sh [OPTIONS] --base-cmd 'cmd --port {port}' --head-cmd 'cmd --port {port}'";

pub(crate) const EXIT_CODES: &str = "\
Exit codes: 0 pass, 1 a tool, a build or a server failed, 2 usage, 3 regression or leak, 4 improvement, 5 a scenario is on
one side only or nothing could be compared, 6 the measurement cannot be trusted (too noisy, nondeterministic, blind).";

#[derive(clap::Args)]
#[command(group = clap::ArgGroup::new("base").required(true).args(["base_rev", "base_bin", "base_cmd"]))]
pub(crate) struct Args {
    /// The revision to compare with: a branch, a tag or a commit
    #[arg(value_name = "BASE", value_parser = NonEmptyStringValueParser::new())]
    base_rev: Option<String>,
    /// The revision to judge [default: the working tree, with uncommitted files]
    #[arg(value_name = "HEAD", requires = "base_rev", value_parser = NonEmptyStringValueParser::new())]
    head_rev: Option<String>,
    /// The ws-server to compare with; timings only
    #[arg(long, value_name = "FILE", requires = "head")]
    base_bin: Option<PathBuf>,
    /// The ws-server to judge
    #[arg(long, value_name = "FILE", group = "head", conflicts_with_all = ["base_rev", "head_cmd"])]
    head_bin: Option<PathBuf>,
    /// The shell command that starts the server to compare with on {port}; timings only
    #[arg(long, value_name = "COMMAND", requires = "head", value_parser = with_port)]
    base_cmd: Option<String>,
    /// The shell command that starts the server to judge on {port}
    #[arg(long, value_name = "COMMAND", group = "head", conflicts_with = "base_rev", value_parser = with_port)]
    head_cmd: Option<String>,
    /// What to say to the servers, and what they must answer, as a TOML file [default: a text that must come back]
    #[arg(long, value_name = "FILE", value_parser = talk)]
    conversation: Option<Talk>,
    /// The WebSocket path of the servers [default: the conversation's, or /; /ws/echo without a conversation]
    #[arg(long, value_parser = absolute)]
    path: Option<String>,
    /// Smallest timing change that must be called, in percent
    #[arg(long, value_name = "PERCENT", default_value = "3", value_parser = compare::flags::percent)]
    threshold: f64,
    /// Measure only timing rows whose id contains this; may be repeated
    #[arg(long, value_name = "FILTER")]
    only: Vec<String>,
    /// Part to leave out; may be repeated
    #[arg(long, value_name = "PART", value_enum)]
    skip: Vec<SkipPart>,
    /// Accept timings that are too noisy to judge
    #[arg(long)]
    noisy_ok: bool,
    /// Accept improvements
    #[arg(long)]
    improved_ok: bool,
    /// Accept scenarios that only head has
    #[arg(long)]
    new_ok: bool,
    /// Seed of the order in which the servers are visited [default: the time]
    #[arg(long)]
    seed: Option<u64>,
    /// Format of the report on stdout
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
    /// Also write the report to a file, as in markdown=summary.md; may be repeated
    #[arg(long, value_name = "FORMAT=FILE", value_parser = compare::flags::also)]
    also: Vec<(Format, PathBuf)>,
    /// Also write the report as a self-contained page
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum SkipPart {
    Exact,
    Instructions,
    Timing,
}

fn talk(file: &str) -> Result<Talk, String> {
    Talk::read(Path::new(file)).map_err(|error| format!("{error:#}"))
}

fn with_port(text: &str) -> Result<String, String> {
    if text.contains("{port}") {
        Ok(text.to_owned())
    } else {
        Err("expected {port} in place of the port, because three servers run side by side"
            .to_owned())
    }
}

fn absolute(text: &str) -> Result<String, String> {
    if text.starts_with('/') && !text.contains(char::is_whitespace) {
        Ok(text.to_owned())
    } else {
        Err("expected a path that begins with / and contains no white space".to_owned())
    }
}

pub(crate) fn run(args: &Args) -> Result<ExitCode> {
    cleanup::install()?;
    for file in args.html.iter().chain(args.also.iter().map(|(_, file)| file)) {
        // Fail before a minute of measuring.
        check_writable(file)?;
    }
    let progress = Progress::new();
    let mut comparison = match &args.base_rev {
        Some(base) => revisions(args, base, &progress)?,
        None => programs(args, &progress)?,
    };
    progress.clear();
    let accepted =
        outcome::Accepted { noisy: args.noisy_ok, improved: args.improved_ok, new: args.new_ok };
    comparison.exit_code = outcome::exit_code(&comparison, accepted);
    if let Some(page) = &args.html {
        write(page, &html(&comparison))?;
    }
    for (format, file) in &args.also {
        write(file, &render(&comparison, *format)?)?;
    }
    bench_show::output::print(&render(&comparison, args.format)?)?;
    Ok(ExitCode::from(comparison.exit_code))
}

fn write(file: &Path, text: &str) -> Result<()> {
    std::fs::write(file, text)
        .with_context(|| format!("cannot write {}; check the disk with df -h", file.display()))
}

/// Opens the file for writing, and removes it if it did not exist.
fn check_writable(page: &Path) -> Result<()> {
    let known = page.exists();
    let opened = OpenOptions::new().create(true).append(true).open(page);
    opened.with_context(|| {
        format!("cannot write {}; check its folder with ls -ld", page.display())
    })?;
    if !known {
        std::fs::remove_file(page)?;
    }
    Ok(())
}

/// Two revisions: all parts.
fn revisions(args: &Args, base: &str, progress: &Progress) -> Result<Comparison> {
    let mut arms = Arms::open(base, args.head_rev.as_deref())?;
    let [base_side, head_side] = arms.sides();
    let say = |what: &str| progress.say(what);
    let [base, head] = arms.build((!progress.is_bar()).then_some(&say))?;
    let exact = unless_skipped(args, SkipPart::Exact, || {
        with_scratch(&base.runner, &head.runner, |base, head, scratch| {
            exact::compare(base, head, scratch, &say).into()
        })
    });
    let program = |built: &Built| Program::Server(built.server.clone());
    let timing = timing_part(args, &program(&base), &program(&head), progress);
    let instructions = unless_skipped(args, SkipPart::Instructions, || {
        say("counting instructions");
        with_scratch(&base.bare_runner, &head.bare_runner, |base, head, scratch| {
            let done = |id: &str| say(&format!("counting instructions: {id}"));
            instructions::compare(base, head, scratch, done)
        })
    });
    Ok(Comparison { base: base_side, head: head_side, timing, exact, instructions, exit_code: 1 })
}

/// Two programs: timings only.
fn programs(args: &Args, progress: &Progress) -> Result<Comparison> {
    let program = |binary: &Option<PathBuf>, command: &Option<String>| match (binary, command) {
        (Some(file), _) => {
            ensure!(file.is_file(), "there is no file {}; build it first", file.display());
            Ok(Program::Server(file.canonicalize()?))
        }
        (_, Some(command)) => Ok(Program::Command(command.clone())),
        _ => unreachable!("invariant: clap requires one of them"),
    };
    let base = program(&args.base_bin, &args.base_cmd)?;
    let head = program(&args.head_bin, &args.head_cmd)?;
    let side = |program: &Program| Side { name: program.name(), commit: None };
    let why = "a program has no scenarios; compare revisions instead";
    Ok(Comparison {
        base: side(&base),
        head: side(&head),
        timing: timing_part(args, &base, &head, progress),
        exact: Part::NotMeasured(why.to_owned()),
        instructions: Part::NotMeasured(why.to_owned()),
        exit_code: 1,
    })
}

fn timing_part(args: &Args, base: &Program, head: &Program, progress: &Progress) -> Part<Timing> {
    unless_skipped(args, SkipPart::Timing, || {
        let options = Options {
            rule: Rule::with_threshold(args.threshold),
            path: path(args),
            talk: args.conversation.clone(),
            only: args.only.clone(),
            seed: args.seed.unwrap_or_else(seed),
        };
        let step = |what: &str, done: usize, of: usize| progress.step(what, done, of);
        timing::compare(base, head, &options, &step).into()
    })
}

/// The command line's path wins over the conversation's.
fn path(args: &Args) -> String {
    let talk = args.conversation.as_ref();
    let unnamed = if talk.is_some() { "/" } else { "/ws/echo" };
    let own = talk.and_then(|talk| talk.conversation.path.as_ref());
    args.path.as_ref().or(own).map_or_else(|| unnamed.to_owned(), Clone::clone)
}

fn unless_skipped<T>(args: &Args, part: SkipPart, measure: impl FnOnce() -> Part<T>) -> Part<T> {
    if args.skip.contains(&part) {
        Part::NotMeasured("left out with --skip".to_owned())
    } else {
        measure()
    }
}

/// Measures with both runners, if both exist, in a temporary folder.
fn with_scratch<T>(
    base: &Result<PathBuf, String>,
    head: &Result<PathBuf, String>,
    measure: impl FnOnce(&Path, &Path, &Path) -> Part<T>,
) -> Part<T> {
    let (base, head) = match (base, head) {
        (Ok(base), Ok(head)) => (base, head),
        (Err(why), _) => return Part::NotMeasured(format!("base: {why}")),
        // Base has a runner, so a head without one has lost its scenarios and must not pass.
        (Ok(_), Err(why)) => return Part::Failed(format!("head: {why}")),
    };
    let scratch = tempfile::tempdir();
    let scratch = scratch.context("cannot create a temporary folder; check the disk with df -h");
    let scratch = match scratch {
        Ok(scratch) => scratch,
        Err(error) => return Err(error).into(),
    };
    let folder = scratch.path().to_owned();
    // Removes the folder after a signal too.
    let _guard = cleanup::Guard::new(move || drop(scratch));
    measure(base, head, &folder)
}

/// A new seed for each run, so that an order that favours one side does not repeat.
fn seed() -> u64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    since.map_or(0, |since| since.as_nanos() as u64)
}
