//! The guide, typed: a fresh service gets a suite, a copy per message turns it red with its line, and a review accepts it.
//!
//! Builds services in release, so `cargo test` leaves it out; `scripts/check-adoption.sh` runs it.

#![allow(clippy::print_stdout, reason = "what was typed, what it printed, and what it took")]

mod guide;
mod services;
mod typed;

use std::collections::BTreeMap;

use anyhow::{Context, Result, ensure};
use guide::Section;
use typed::Machine;

const GUIDE: &str = include_str!("../../../ADOPTING.md");

/// The last sections: a workspace, and the service that the others are about.
const WORKSPACE: &str = "Several services";
const SERVICE: &str = "The service of this page";

/// The copy that the guide plants, and its file.
const PLANT: &str = "to_vec()";
const SOURCE: &str = "src/lib.rs";

/// Exit codes of a red run: of a failed test, and of a regression.
const RED: [i32; 2] = [101, 3];

#[test]
fn the_guide_typed_literally_leads_to_a_red_that_names_the_line() -> Result<()> {
    let (sections, files) = guide::parse(GUIDE)?;
    let at = |title: &str| {
        let at = sections.iter().position(|section| section.title == title);
        at.with_context(|| format!("the guide has no section {title}"))
    };
    let (several, service) = (at(WORKSPACE)?, &sections[at(SERVICE)?]);
    let mut machine = Machine::new()?;
    let checked = one_service(&mut machine, service, &sections[..several], &files)
        .and_then(|()| machine.remove("target/compare"))
        .and_then(|()| workspace(&mut machine, &sections[several], &files));
    machine.print_steps();
    checked
}

type Files = BTreeMap<String, String>;

/// A fresh service, and every command of the guide up to the red pull request.
fn one_service(
    machine: &mut Machine,
    service: &Section,
    guide: &[Section],
    files: &Files,
) -> Result<()> {
    let root = machine.repository("a chat", &[])?;
    machine.type_section(&root, service)?;
    for (path, text) in files {
        std::fs::write(root.join(path), text)?;
    }
    machine.type_in(
        &root,
        "git add . && git commit --quiet --message 'A chat' && git branch -M main",
        0,
    )?;
    let mut reds = 0;
    for section in guide {
        println!("\n## {}", section.title);
        for command in &section.commands {
            let printed = machine.type_command(&root, command)?;
            let source = std::fs::read_to_string(root.join(SOURCE))?;
            if source.contains(PLANT) && RED.contains(&command.code) {
                let place = format!("{SOURCE}:{}", guide::line_of(&source, PLANT)?);
                ensure!(printed.contains(&place), "{}: it does not name {place}", command.line);
                reds += 1;
            }
        }
    }
    ensure!(
        reds >= 2,
        "the guide shows {reds} red runs of the copy: one of the suite and one of compare are due"
    );
    Ok(())
}

/// The same service beside one on tokio-tungstenite, and the guide's commands for a workspace. Then one on hyper joins.
fn workspace(machine: &mut Machine, section: &Section, files: &Files) -> Result<()> {
    let root = machine.repository("two services", &services::FILES)?;
    for (path, text) in files {
        let path = root.join("chat").join(path);
        std::fs::create_dir_all(path.parent().context("a file is in a folder")?)?;
        std::fs::write(path, text)?;
    }
    machine.type_in(
        &root,
        "git init --quiet && git add . && git commit --quiet --message 'Two services'",
        0,
    )?;
    machine.type_section(&root, section)?;
    for line in services::JOIN {
        machine.type_in(&root, line, 0)?;
    }
    Ok(())
}
