//! The steps of action.yml, run as GitHub would run them, in a clone with the two commits of a pull request that copies
//! every message. It builds the command and four programs: scripts/check-action.sh runs it.

mod picture;
mod repository;
mod steps;

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};

use repository::Repository;
use steps::Job;

/// The number of the pull request.
const NUMBER: &str = "7";

#[test]
fn a_pull_request_that_copies_every_message_is_red_at_its_line_and_can_be_accepted() -> Result<()> {
    let repository = Repository::with_pull_request()?;
    let line = repository.planted_line()?;
    let base = repository.git(&["rev-parse", "main"])?;
    let mut job = Job::of_action(repository.root())?;
    job.set("github.event.pull_request.base.sha", base.trim());
    job.set("github.event.pull_request.number", NUMBER);
    let ran = job.run()?;
    print!("{}", ran.log);

    assert_eq!(ran.outputs.get("exit-code").map(String::as_str), Some("3"), "{}", ran.log);
    let annotations: Vec<_> = ran
        .log
        .lines()
        .filter(|line| line.starts_with("::error") || line.starts_with("::warning"))
        .collect();
    ensure!(annotations.len() <= 10, "{} annotations", annotations.len());
    let place = format!("::error file=src/lib.rs,line={line},title=echo_text_64b_1000_msgs");
    ensure!(annotations.iter().any(|one| one.starts_with(&place)), "{place}\n{annotations:#?}");

    let summary = ran.summary()?;
    for words in ["## Plimsoll: regressed", &format!("src/lib.rs:{line}"), "echo_latency/text/64B"]
    {
        ensure!(summary.contains(words), "the summary lacks {words:?}:\n{summary}");
    }
    let artifact = ran.artifact.as_deref().context("no artifact was kept")?;
    for file in ["comment.md", "compare-chat.html", "suite-chat.json", "summary.md"] {
        ensure!(artifact.join(file).is_file(), "the artifact has no {file}");
    }
    assert_eq!(fs::read_to_string(artifact.join("pull-request"))?.trim(), NUMBER);

    picture::check(&repository)?;
    accept(&repository, job.command()?.as_path(), artifact)
}

/// What the artifact holds is accepted, and the suite is green without a run in between.
fn accept(repository: &Repository, command: &Path, artifact: &Path) -> Result<()> {
    let run = |arguments: &[&str]| -> Result<(Option<i32>, String)> {
        let mut plimsoll = Command::new(command);
        let output = plimsoll.args(arguments).current_dir(repository.root()).output()?;
        let text = [output.stdout, output.stderr].concat();
        Ok((output.status.code(), String::from_utf8_lossy(&text).into_owned()))
    };
    let artifact = artifact.to_str().context("the path is UTF-8")?;
    let (code, said) = run(&["accept", "--from", artifact, "--reason", "each text is logged"])?;
    assert_eq!(code, Some(0), "{said}");
    let (code, said) = run(&["ci"])?;
    assert_eq!(code, Some(0), "{said}");
    Ok(())
}
