//! What is measured, part after part.

use std::path::{Path, PathBuf};
use std::time::SystemTime;

use anyhow::{Context, Result, ensure};
use bench_show::progress::Progress;

use super::args::{Args, SkipPart};
use crate::gate::Rule;
use crate::model::{Comparison, Part, Side, Timing};
use crate::revision::{Arms, Built};
use crate::server_process::Program;
use crate::subject::{Service, Subject};
use crate::talk::Talk;
use crate::timing::{self, Options};
use crate::{cleanup, exact, instructions};

/// The path that a `ws-server` echoes on.
const ECHO: &str = "/ws/echo";

/// Two revisions of each service: all parts. `show` gets the results of one service after the other.
pub(super) fn revisions(
    args: &Args,
    (subject, services): (&Subject, &[Service]),
    base: &str,
    progress: &Progress,
    mut show: impl FnMut(&Service, Comparison) -> Result<()>,
) -> Result<()> {
    let mut arms = Arms::open(subject, base, args.head_rev.as_deref())?;
    let say = |what: &str| progress.say(what);
    let built = arms.build(services, (!progress.is_bar()).then_some(&say))?;
    services.iter().zip(built).try_for_each(|(service, built)| {
        show(service, compare(args, subject, service, arms.sides(), &built, progress))
    })
}

fn compare(
    args: &Args,
    subject: &Subject,
    service: &Service,
    [base_side, head_side]: [Side; 2],
    [base, head]: &[Built; 2],
    progress: &Progress,
) -> Comparison {
    let say = |what: &str| progress.say(what);
    let exact = unless_skipped(args, SkipPart::Exact, || {
        with_scratch(&base.runner, &head.runner, |base, head, scratch| {
            exact::compare(base, head, scratch, &say).into()
        })
    });
    let program = |built: &Built| Program::of_service(service, &built.server, &subject.root);
    let timing = unless_skipped(args, SkipPart::Timing, || {
        let file = service.conversation.as_deref().filter(|_| args.conversation.is_none());
        match file.map(Talk::read).transpose() {
            Ok(own) => {
                let talk = own.as_ref().or(args.conversation.as_ref());
                let options = options(args, talk, &service.path);
                time(&program(base), &program(head), &options, progress)
            }
            Err(error) => Err(error).into(),
        }
    });
    let suite = service.suite();
    let instructions = unless_skipped(args, SkipPart::Instructions, || {
        say("counting instructions");
        with_scratch(&base.runner, &head.runner, |base, head, scratch| {
            let done = |id: &str| say(&format!("counting instructions: {id}"));
            instructions::compare(base, head, scratch, &suite, done)
        })
    });
    let (base, head) = (base_side, head_side);
    Comparison { base, head, suite, timing, exact, instructions, exit_code: 1 }
}

/// Two programs: timings only.
pub(super) fn programs(args: &Args, progress: &Progress) -> Result<Comparison> {
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
        suite: String::new(),
        timing: unless_skipped(args, SkipPart::Timing, || {
            let talk = args.conversation.as_ref();
            let unnamed = if talk.is_some() { "/" } else { ECHO };
            time(&base, &head, &options(args, talk, unnamed), progress)
        }),
        exact: Part::NotMeasured(why.to_owned()),
        instructions: Part::NotMeasured(why.to_owned()),
        exit_code: 1,
    })
}

/// The command line's path wins over the conversation's, and that over `path`.
fn options(args: &Args, talk: Option<&Talk>, path: &str) -> Options {
    let own = talk.and_then(|talk| talk.conversation.path.as_ref());
    Options {
        rule: Rule::with_threshold(args.threshold),
        path: args.path.as_ref().or(own).map_or_else(|| path.to_owned(), Clone::clone),
        talk: talk.cloned(),
        only: args.only.clone(),
        seed: args.seed.unwrap_or_else(seed),
    }
}

fn time(base: &Program, head: &Program, options: &Options, progress: &Progress) -> Part<Timing> {
    let step = |what: &str, done: usize, of: usize| progress.step(what, done, of);
    timing::compare(base, head, options, &step).into()
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
