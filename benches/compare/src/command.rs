//! The command `compare`, of `ws-compare` and of `cargo plimsoll`: its flags, and what it does.

use std::fs::OpenOptions;
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, Result, ensure};
use bench_show::colour::plain;
use bench_show::progress::Progress;

mod args;
mod measure;
mod so_far;
mod steps;

use super::model::Comparison;
use super::report::{self, html, render};
use super::subject::{Service, Subject};
use super::{cleanup, outcome};
pub use args::Args;
use measure::{programs, revisions};

/// What the exit codes mean, for the help.
pub const EXIT_CODES: &str = "\
Exit codes: 0 pass, 1 a tool, a build or a server failed, 2 usage, 3 regression or leak, 4 improvement, 5 a scenario is on \
    one side only or nothing could be compared, 6 the measurement cannot be trusted (too noisy, nondeterministic, blind).";

/// A command line, or a place to run it in, that makes no sense: exit code 2.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Usage(pub String);

/// The usage of a command that is typed as `typed`.
#[must_use]
pub fn usage(typed: &str) -> String {
    format!(
        "{typed} [OPTIONS] <BASE> [HEAD]\n       \
         {typed} [OPTIONS] --base-bin <FILE> --head-bin <FILE>\n       \
         {typed} [OPTIONS] --base-cmd 'cmd --port {{port}}'\n           \
         --head-cmd 'cmd --port {{port}}'"
    )
}

/// Measures, prints the report, and returns the exit code of all rows: of the service with the most urgent ones.
///
/// # Errors
///
/// If nothing can be compared; [`Usage`] if that is for the command line or the configuration.
pub fn run(args: &Args) -> Result<ExitCode> {
    cleanup::install()?;
    // Fail before a minute of measuring.
    args.also
        .iter()
        .map(|(_, file)| file)
        .chain(&args.html)
        .try_for_each(|file| check_writable(file))?;
    let progress = Progress::new();
    let Args { noisy_ok, improved_ok, new_ok, .. } = *args;
    let accepted = outcome::Accepted { noisy: noisy_ok, improved: improved_ok, new: new_ok };
    let mut codes = Vec::new();
    let mut show = |heading: &str, mut comparison: Comparison| {
        progress.clear();
        comparison.exit_code = outcome::exit_code(&comparison, accepted);
        codes.push(comparison.exit_code);
        write(args, &comparison, heading)
    };
    match &args.base_rev {
        Some(base) => {
            let (subject, services) =
                services(args).map_err(|error| Usage(format!("{error:#}")))?;
            revisions(args, (&subject, &services), base, &progress, |service, comparison| {
                let several = services.len() > 1;
                let heading = several.then(|| report::heading(&service.name, args.format));
                show(&heading.unwrap_or_default(), comparison)
            })?;
        }
        None => show("", programs(args, &progress)?)?,
    }
    Ok(ExitCode::from(outcome::most_urgent(codes)))
}

/// The services to compare.
fn services(args: &Args) -> Result<(Subject, Vec<Service>)> {
    let here = std::env::current_dir().context("the current folder is gone; go to another")?;
    let subject = Subject::find(&here)?;
    let services = subject.named(args.service.as_deref())?.to_vec();
    let is_for_one = !args.format.is_text() || !args.also.is_empty() || args.html.is_some();
    ensure!(
        services.len() == 1 || !is_for_one,
        "a file holds the report of one service; name it: --service {}",
        services[0].name
    );
    Ok((subject, services))
}

fn write(args: &Args, comparison: &Comparison, heading: &str) -> Result<()> {
    let to = |file: &Path, text: String| {
        std::fs::write(file, text)
            .with_context(|| format!("cannot write {}; check the disk with df -h", file.display()))
    };
    for (format, file) in &args.also {
        to(file, plain(&render(comparison, *format)?))?;
    }
    if let Some(page) = &args.html {
        to(page, html(comparison))?;
    }
    bench_show::output::print(&(heading.to_owned() + &render(comparison, args.format)?))
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
