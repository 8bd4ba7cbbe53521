//! What is measured, part after part.

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use anyhow::{Context, Result, ensure};
use bench_kit::machine;
use bench_show::progress::Progress;

use super::args::{Args, SkipPart};
use super::steps::{Step, Steps};
use crate::gate::Rule;
use crate::model::{Comparison, Part, Provenance, Side};
use crate::revision::{Arms, Built};
use crate::server_process::Program;
use crate::subject::{Service, Subject};
use crate::talk::Talk;
use crate::timing::{self, Options};
use crate::workload::select;
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
    let times = subject.target.join("compare/times.json");
    let steps = Steps::new(progress, plan(args, services), Some(times), args.format);
    let built = arms.build(services, &|what| steps.begin(what))?;
    services.iter().zip(built).try_for_each(|(service, built)| {
        let of = of(service, services);
        let compared = compare(args, subject, service, arms.sides(), &built, &steps, &of);
        steps.end();
        show(service, compared)
    })
}

/// The steps of a comparison of revisions.
fn plan(args: &Args, services: &[Service]) -> Vec<Step> {
    let mut plan = vec![Step::build("base"), Step::build("head")];
    for service in services {
        let of = of(service, services);
        let steps = [
            (SkipPart::Exact, Step::exact(&of)),
            (SkipPart::Timing, Step::timing(&of, workloads(args, service.command.is_none()))),
            (SkipPart::Instructions, Step::instructions(&of)),
        ];
        plan.extend(
            steps.into_iter().filter(|(part, _)| !args.skip.contains(part)).map(|(_, step)| step),
        );
    }
    plan
}

/// ` of chat` if there are several services.
fn of(service: &Service, services: &[Service]) -> String {
    if services.len() > 1 { format!(" of {}", service.name) } else { String::new() }
}

/// How many workloads are timed; one if none is, which is an error later on.
fn workloads(args: &Args, is_ws_server: bool) -> usize {
    select(&args.only, is_ws_server, args.conversation.as_ref()).map_or(1, |chosen| chosen.len())
}

fn compare(
    args: &Args,
    subject: &Subject,
    service: &Service,
    sides: [Side; 2],
    [base, head]: &[Built; 2],
    steps: &Steps<'_>,
    of: &str,
) -> Comparison {
    // Before this thread is bound to one processor.
    let compiler = if base.compiler == head.compiler {
        base.compiler.clone()
    } else {
        format!("{} for base, {} for head", base.compiler, head.compiler)
    };
    let provenance = provenance(Some(compiler));
    let (so_far, suite) = (steps.so_far(), service.suite());
    so_far.open(sides.clone(), &suite);
    let exact = part(args, SkipPart::Exact, steps, &Step::exact(of), || {
        with_scratch(&base.runner, &head.runner, |base, head, scratch| {
            exact::compare(base, head, scratch, &|what| steps.detail(what)).into()
        })
    });
    so_far.finished(|known| known.exact = exact.clone());
    let program = |built: &Built| Program::of_service(service, &built.server, &subject.root);
    let timing = part(args, SkipPart::Timing, steps, &Step::timing(of, 1), || {
        let file = service.conversation.as_deref().filter(|_| args.conversation.is_none());
        match file.map(Talk::read).transpose() {
            Ok(own) => {
                let talk = own.as_ref().or(args.conversation.as_ref());
                let options = options(args, talk, &service.path);
                timing::compare(&program(base), &program(head), &options, steps).into()
            }
            Err(error) => Err(error).into(),
        }
    });
    so_far.finished(|known| known.timing = timing.clone());
    let instructions = part(args, SkipPart::Instructions, steps, &Step::instructions(of), || {
        with_scratch(&base.runner, &head.runner, |base, head, scratch| {
            let done = |id: &str| steps.detail(&format!("counting instructions: {id}"));
            instructions::compare(base, head, scratch, &suite, done)
        })
    });
    let [base, head] = sides;
    Comparison { base, head, provenance, suite, timing, exact, instructions, exit_code: 1 }
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
    let side = |program: &Program| Side { name: program.name(), commit: None, title: None };
    let is_ws_server = args.base_bin.is_some() && args.head_bin.is_some();
    let plan = vec![Step::timing("", workloads(args, is_ws_server))];
    let steps = Steps::new(progress, plan, None, args.format);
    steps.so_far().open([side(&base), side(&head)], "");
    Ok(Comparison {
        base: side(&base),
        head: side(&head),
        provenance: provenance(None),
        suite: String::new(),
        timing: part(args, SkipPart::Timing, &steps, &Step::timing("", 1), || {
            let talk = args.conversation.as_ref();
            let unnamed = if talk.is_some() { "/" } else { ECHO };
            timing::compare(&base, &head, &options(args, talk, unnamed), &steps).into()
        }),
        exact: Part::Inapplicable,
        instructions: Part::Inapplicable,
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

/// Measures a part in a step of its own, unless it is skipped.
fn part<T>(
    args: &Args,
    part: SkipPart,
    steps: &Steps<'_>,
    step: &Step,
    measure: impl FnOnce() -> Part<T>,
) -> Part<T> {
    if args.skip.contains(&part) {
        return Part::NotMeasured("left out with --skip".to_owned());
    }
    steps.begin(&step.key);
    let measured = measure();
    if measured.measured().is_none() {
        steps.abandon();
    }
    measured
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
    since_1970().as_nanos() as u64
}

fn provenance(compiler: Option<String>) -> Provenance {
    Provenance { unix_s: since_1970().as_secs(), machine: machine::describe(), compiler }
}

fn since_1970() -> Duration {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default()
}
