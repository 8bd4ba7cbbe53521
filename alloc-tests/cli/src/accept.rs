//! `accept`: pending numbers become the recorded ones, without a question.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Result, bail};
use baselines::Pending;
use bench_show::output::print;
use clap::builder::NonEmptyStringValueParser;

use crate::error::NotComparable;
use crate::pending::{Accepted, NOTHING, Of, Outcome, Suites, Waiting, discard, record};

/// What to accept.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    of: Of,

    /// The reason for new numbers, for the commit that changes them
    #[arg(long, value_name = "TEXT", value_parser = NonEmptyStringValueParser::new())]
    reason: String,

    /// Accept what CI measured: the folder or the zip of its artifact [default: what waits in this tree]
    #[arg(long, value_name = "ARTIFACT")]
    from: Option<PathBuf>,
}

pub(crate) fn run(args: &Args) -> Result<ExitCode> {
    let suites = Suites::around(&std::env::current_dir()?)?;
    let waiting = Waiting::find(&suites, &args.of, args.from.as_deref())?;
    let known: Vec<&Pending> = waiting.known.iter().collect();
    discard(&suites, &known)?;
    for one in &known {
        print(&format!("{}: these numbers are recorded already\n", one.id))?;
    }
    if !waiting.stale.is_empty() {
        let ids: Vec<&str> = waiting.stale.iter().map(|one| one.id.as_str()).collect();
        let cure = if args.from.is_some() {
            "merge the branch that it was measured on, or let CI measure this one"
        } else {
            "run the test again"
        };
        bail!(NotComparable(format!(
            "nothing recorded: other numbers of {} are recorded than those that they were judged by; {cure}",
            ids.join(", ")
        )));
    }
    let accept =
        |pending: &Pending| Accepted { pending: pending.clone(), reason: args.reason.clone() };
    let accepted: Vec<_> = waiting.all.iter().map(accept).collect();
    if accepted.is_empty() && !known.is_empty() {
        return Ok(ExitCode::SUCCESS);
    }
    if accepted.is_empty() {
        if let Some(artifact) = &args.from {
            bail!(NotComparable(format!(
                "{} has no pending numbers; download the artifact of a red run",
                artifact.display()
            )));
        }
        print(NOTHING)?;
        return Ok(ExitCode::SUCCESS);
    }
    let Outcome { said, refused } = record(&suites, &waiting, &accepted)?;
    print(&said)?;
    if let Some(elsewhere) = waiting.elsewhere() {
        print(&format!("{elsewhere}\n"))?;
    }
    refused.map_or(Ok(ExitCode::SUCCESS), Err)
}
