//! `doctor`: what a suite and a comparison need, each with the cure; with a scenario, why its counts differ.

mod finding;
mod machine;
mod service;
mod sources;
mod tree;

use std::path::Path;
use std::process::{Command, ExitCode};

use anyhow::{Context, Result, bail};
use baselines::AllocBaseline;
use bench_show::output::print;
use compare::subject::{Service, Subject};

use crate::error::Usage;
use crate::place;
use finding::Finding;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Scenario whose counts differ from run to run [default: check what a suite and a comparison need]
    #[arg(value_name = "SCENARIO")]
    scenario: Option<String>,

    /// Service of the scenario [default: the one that has recorded it, or the only one]
    #[arg(long, value_name = "NAME", requires = "scenario")]
    service: Option<String>,
}

pub(crate) fn run(args: &Args) -> Result<ExitCode> {
    let here = std::env::current_dir().context("the current folder is gone; go to another")?;
    let workspace = place::workspace(&here)?;
    let root = workspace.workspace_root.as_std_path();
    let subject = Subject::find(&here);
    if let Some(scenario) = &args.scenario {
        let subject = subject.map_err(|error| Usage(format!("{error:#}")))?;
        return examine(root, of(&subject, args.service.as_deref(), scenario)?, scenario);
    }
    let mut findings = tree::findings(root)?;
    match &subject {
        Err(error) => {
            findings.push(Finding::missing("services", format!("{error:#}"), "cargo plimsoll init"))
        }
        Ok(Subject { services, .. }) => {
            let names: Vec<&str> = services.iter().map(|one| one.name.as_str()).collect();
            findings.push(Finding::ok("services", names.join(", ")));
            let target = service::target(root)?;
            for one in services {
                findings.extend(service::findings(&workspace, one, &target)?);
            }
        }
    }
    findings.extend(machine::findings());
    let missing = findings.iter().filter(|one| one.is_missing()).count();
    let lines: String = findings.iter().map(|one| format!("{one}\n")).collect();
    print(&lines)?;
    if missing == 0 {
        print("all that is required is there\n")?;
        return Ok(ExitCode::SUCCESS);
    }
    print(&format!("{missing} missing; each line above has its cure\n"))?;
    Ok(ExitCode::FAILURE)
}

/// The service called `name`; without a name, the one that has recorded `scenario`, or the only one.
fn of<'a>(subject: &'a Subject, name: Option<&str>, scenario: &str) -> Result<&'a Service> {
    let services = subject.named(name).map_err(|error| Usage(format!("{error:#}")))?;
    if let [only] = services {
        return Ok(only);
    }
    let target = service::target(&subject.root)?;
    let has = |one: &&Service| {
        let known = AllocBaseline::load(&baselines::alloc::path(&one.baselines, &target));
        known.is_ok_and(|known| known.scenarios.keys().any(|id| id.contains(scenario)))
    };
    let mut found = services.iter().filter(has);
    match (found.next(), found.next()) {
        (Some(one), None) => Ok(one),
        _ => {
            let names: Vec<&str> = services.iter().map(|one| one.name.as_str()).collect();
            bail!(Usage(format!(
                "say whose scenario {scenario} is with --service: {}",
                names.join(", ")
            )))
        }
    }
}

/// The suite's own doctor, whose exit code it is.
fn examine(root: &Path, service: &Service, scenario: &str) -> Result<ExitCode> {
    let Service { test_package, test, .. } = service;
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args(["test", "--quiet", "--release", "--package", test_package, "--test", test]);
    cargo.args(["--", "suite", "--doctor", scenario]).current_dir(root);
    let status = cargo.status().context("cannot run cargo; install it from https://rustup.rs")?;
    let code = status.code().and_then(|code| u8::try_from(code).ok());
    Ok(code.map_or(ExitCode::FAILURE, ExitCode::from))
}
