//! `ci`: everything for one pull request: the suites, the comparison with its base, a summary, annotations, and a folder
//! to keep as an artifact.

mod annotations;
mod comparison;
mod results;
mod suite;
mod summary;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result};
use compare::outcome::most_urgent;
use compare::subject::{Service, Subject};

use crate::error::Usage;
use annotations::{Annotation, Level};
use results::Results;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Compare with the merge base of this revision and HEAD [default: run the suites alone]
    #[arg(long, value_name = "REV", value_parser = clap::builder::NonEmptyStringValueParser::new())]
    base: Option<String>,

    /// Measure only the service with this name [default: all]
    #[arg(long, value_name = "NAME")]
    service: Option<String>,

    /// Folder for reports, summary and numbers to accept: empty, or with earlier results, which are replaced [default:
    /// plimsoll in cargo's target folder]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,

    /// Number of the pull request, for the action that comments
    #[arg(long, value_name = "NUMBER")]
    pull_request: Option<u64>,

    /// Show timings and instructions without judging them; counts are judged
    #[arg(long)]
    report_only: bool,
}

pub(crate) fn run(args: &Args) -> Result<ExitCode> {
    let here = std::env::current_dir().context("the current folder is gone; go to another")?;
    let subject = Subject::find(&here).map_err(|error| Usage(format!("{error:#}")))?;
    let services = subject.named(args.service.as_deref());
    let services = services.map_err(|error| Usage(error.to_string()))?;
    let results = Results::open(args.out.clone(), &subject.root, args.pull_request)?;
    // A base that cannot be compared with is known before minutes of measuring.
    let base = args.base.as_deref().map(|base| comparison::merge_base(&subject.root, base));
    let base = base.transpose()?;
    let prefix = comparison::prefix(&subject.root);
    let mut found = Vec::new();
    for service in services {
        let one = measure(args, &subject.root, service, base.as_deref(), &prefix, results.folder());
        found.push(one.unwrap_or_else(|error| Measured::failed(&service.name, &error)));
    }
    let code = most_urgent(found.iter().map(|one| one.code));
    let mut annotations: Vec<_> =
        found.iter().flat_map(|one| one.annotations.iter().cloned()).collect();
    annotations.sort_by_key(|one| one.level);
    results.write(code, found.into_iter().map(|one| one.summary))?;
    let lines = annotations.iter().take(annotations::MOST).map(|one| format!("{one}\n"));
    bench_show::output::print(&lines.collect::<String>())?;
    Ok(ExitCode::from(code))
}

/// The results of one service.
struct Measured {
    code: u8,
    /// Markdown.
    summary: String,
    annotations: Vec<Annotation>,
}

impl Measured {
    fn failed(name: &str, error: &anyhow::Error) -> Self {
        let message = format!("{error:#}");
        eprintln!("error: {message}");
        let title = format!("{name}: not measured");
        Self {
            code: 1,
            summary: format!("**{title}**\n\n```text\n{message}\n```\n"),
            annotations: vec![Annotation { level: Level::Error, place: None, title, message }],
        }
    }
}

fn measure(
    args: &Args,
    root: &Path,
    service: &Service,
    base: Option<&str>,
    prefix: &str,
    out: &Path,
) -> Result<Measured> {
    say_step(&format!("the suite of {}", service.name));
    let report = suite::run(root, service, out)?;
    let mut summary = std::fs::read_to_string(out.join(format!("suite-{}.md", service.name)))?;
    let mut annotations = annotations::of_suite(&report, prefix);
    let mut codes = vec![report.exit_code];
    if let Some(base) = base {
        say_step(&format!("{}: {base} against HEAD", service.name));
        // What a person accepted in this change is recorded, and no regression of it.
        let is_recorded = report.scenarios.values().any(|one| one.recorded.is_some());
        let compared = comparison::run(root, service, base, is_recorded, args.report_only, out)?;
        summary += &compared.markdown;
        annotations.extend(compared.annotations);
        codes.push(compared.code);
    }
    Ok(Measured { code: most_urgent(codes), summary, annotations })
}

fn say_step(what: &str) {
    eprintln!("\n== {what}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_failed_outranks_what_regressed_and_nothing_is_not_green() {
        assert_eq!(most_urgent([0, 4, 3, 6]), 3);
        assert_eq!(most_urgent([3, 1]), 1);
        assert_eq!(most_urgent([0, 0]), 0);
        assert_eq!(most_urgent([]), 5);
    }
}
