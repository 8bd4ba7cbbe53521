//! `init`: a suite, its manifest entries, the configuration and the workflow, shown as a diff and then written.

mod choice;
mod files;
mod manifest;
mod plan;
mod refactoring;
mod scan;
mod service;
mod signature;
mod split;
mod suite;

use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, bail, ensure};
use bench_show::output::print;

use crate::error::Usage;
use crate::place;
pub(crate) use files::UNKNOWN;
use manifest::{Needed, Source};
use plan::Plan;
use service::{Framework, Service};
use signature::{Function, Kind};

/// What tokio's macros and tasks need.
const TOKIO: Needed = Needed { name: "tokio", features: &["macros", "rt"], otherwise: "1" };
const HYPER_UTIL: Needed = Needed { name: "hyper-util", features: &["tokio"], otherwise: "0.1" };

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Package of the service [default: the one of this folder, or the only one with a framework]
    #[arg(long, value_name = "NAME")]
    package: Option<String>,

    /// Function of the library to serve [default: found by its signature]
    #[arg(long, value_name = "PATH::TO::FN")]
    app: Option<String>,

    /// Path that serves WebSockets
    #[arg(long, default_value = "/ws", value_parser = path)]
    path: String,

    /// A text to send and a part of its answer, for a server that is no echo
    #[arg(long, num_args = 2, value_names = ["SEND", "REPLY"])]
    request: Option<Vec<String>>,

    /// How the program is started [default: {bin} --port {port}, or PORT={port} {bin} if it reads PORT]
    #[arg(long, value_name = "LINE")]
    command: Option<String>,

    /// A checkout of plimsoll, to depend on instead of its published version
    #[arg(long, value_name = "DIR")]
    plimsoll_path: Option<PathBuf>,

    /// Also write a workflow that comments on pull requests of forks, once and without running their code
    #[arg(long)]
    comment: bool,

    /// Write without asking
    #[arg(long)]
    yes: bool,

    /// Only show the diff
    #[arg(long, conflicts_with = "yes")]
    dry_run: bool,
}

pub(crate) fn run(args: &Args) -> Result<ExitCode> {
    let here = std::env::current_dir().context("the current folder is gone")?;
    let workspace = place::workspace(&here)?;
    let repository = place::repository(&here)?;
    let root = workspace.workspace_root.as_std_path();
    let service = Service::find(&workspace, args.package.as_deref(), &here)?;
    let source = match &args.plimsoll_path {
        Some(folder) => Source::checkout(folder)?,
        None => Source::Version(env!("CARGO_PKG_VERSION")),
    };
    let functions = match service.library() {
        Some((library, file)) => Some(scan::functions(&library, &file)?),
        None => None,
    };
    let found = choice::choose(
        functions.as_deref().unwrap_or_default(),
        service.framework,
        args.app.as_deref(),
    )?;
    let Some((function, kind)) = found else {
        eprint!("{}", refactoring::words(&service, functions.as_deref())?);
        return Ok(ExitCode::from(2));
    };
    let mut plan = Plan::new(repository.clone());
    let places = Places { repository: &repository, root };
    fill(&mut plan, args, &places, &service, (&function, kind), &source)?;

    let mut words = format!("serves {} of {}\n", function.path, service.name());
    words += &plan.diff();
    for note in &plan.notes {
        words += &format!("{note}\n");
    }
    print(&words)?;
    if plan.is_empty() {
        print("nothing to write: all of it exists\n")?;
    } else if args.dry_run {
        print("nothing written: --dry-run\n")?;
        return Ok(ExitCode::SUCCESS);
    } else if args.yes || agreed()? {
        plan.write()?;
    } else {
        print("nothing written\n")?;
        return Ok(ExitCode::SUCCESS);
    }
    print(&next(&service, place::members(&workspace).len()))?;
    Ok(ExitCode::SUCCESS)
}

struct Places<'a> {
    repository: &'a Path,
    /// The workspace's root.
    root: &'a Path,
}

fn fill(
    plan: &mut Plan,
    args: &Args,
    places: &Places<'_>,
    service: &Service<'_>,
    (function, kind): (&Function, Kind),
    source: &Source,
) -> Result<()> {
    let Places { repository, root } = places;
    let home = place::home(service.package);
    let request = args.request.as_ref().map(|texts| (texts[0].as_str(), texts[1].as_str()));
    let measured = suite::Measured { path: &args.path, request };
    let framework = service.framework;
    plan.create(&home.join("tests/alloc.rs"), suite::text(&measured, function, kind, framework))?;
    if !suite::counts_streams(kind, framework) {
        let name = &function.path;
        plan.notes.push(match kind {
            Kind::Router => "reads and writes are not measured: axum before 0.8 takes tokio's listener only".to_owned(),
            _ => format!("reads and writes are not measured: {name} takes tokio's own type, not any AsyncRead + AsyncWrite"),
        });
    }

    let with_axum = framework == Framework::Axum;
    let features: &[&str] = if with_axum { &["axum"] } else { &[] };
    let mut others = Vec::new();
    others.extend(suite::needs_tokio(kind).then_some(TOKIO));
    others.extend(suite::needs_hyper_util(kind).then_some(HYPER_UTIL));
    let path = home.join("Cargo.toml");
    manifest::add_suite(plan, &path, service, source, features, &others)?;
    manifest::add_debug_info(plan, root)?;

    let conversation = match request {
        Some((send, reply)) => {
            let file = home.join("tests/conversation.toml");
            plan.create(&file, files::conversation(send, reply))?;
            Some(file.strip_prefix(root).unwrap_or(&file).display().to_string())
        }
        None => None,
    };
    let command = args.command.clone().unwrap_or_else(|| usual_command(service));
    let entry = files::Entry { command: &command, path: &args.path, conversation };
    files::configure(plan, root, service, entry)?;

    let folder = root.strip_prefix(repository).ok().map(|path| path.display().to_string());
    let folder = folder.filter(|path| !path.is_empty());
    let workflow = repository.join(".github/workflows/plimsoll.yml");
    plan.create(&workflow, files::workflow(folder.as_deref()))?;
    if args.comment {
        plan.create(&repository.join(".github/workflows/plimsoll-comment.yml"), files::comment())?;
    }
    if plan.text(&workflow)?.is_some_and(|text| text.contains(UNKNOWN)) {
        plan.notes.push(format!(
            "replace {} in .github/workflows/plimsoll.yml by the repository of the action",
            UNKNOWN
        ));
    }
    files::attributes(plan, repository)
}

/// How a program that reads `PORT` is started, and another one.
fn usual_command(service: &Service<'_>) -> String {
    let sources = service.package.targets.iter().map(|target| target.src_path.as_std_path());
    let reads_port =
        |file: &Path| std::fs::read_to_string(file).is_ok_and(|text| text.contains("\"PORT\""));
    let command = if sources.into_iter().any(reads_port) {
        "PORT={port} {bin}"
    } else {
        "{bin} --port {port}"
    };
    command.to_owned()
}

/// What a person at a terminal answers.
///
/// # Errors
///
/// [`Usage`] if there is none who could answer.
fn agreed() -> Result<bool> {
    ensure!(
        io::stdin().is_terminal(),
        Usage(
            "nothing written: there is no terminal to ask at; add --yes to write this".to_owned()
        )
    );
    print("write this? [y/n] ")?;
    io::stdout().flush()?;
    let mut answer = String::new();
    io::stdin().read_line(&mut answer).context("cannot read the answer")?;
    Ok(["y", "yes"].contains(&answer.trim()))
}

fn next(service: &Service<'_>, members: usize) -> String {
    let package = if members > 1 { format!(" -p {}", service.name()) } else { String::new() };
    let test = format!("cargo test --release{package} --test alloc");
    format!(
        "\
next: {test}  # measures; nothing is recorded yet: \"missing\"
      cargo plimsoll review  # shows the numbers, and records what you accept
      git add . && git commit  # with Cargo.lock: other packages, other counts
      cargo plimsoll doctor  # says what is missing, and the cure
"
    )
}

fn path(text: &str) -> Result<String> {
    if !text.starts_with('/') || text.contains(char::is_whitespace) {
        bail!("it begins with / and has no white space, as /ws");
    }
    Ok(text.to_owned())
}
