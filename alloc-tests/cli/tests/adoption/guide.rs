//! The guide: its files, the commands that it types, and what it says that they print.

use std::collections::BTreeMap;

use anyhow::{Context, Result, ensure};

/// A line behind `$ `, the exit code that its comment says, and the lines below it.
pub(crate) struct Command {
    pub(crate) line: String,
    pub(crate) code: i32,
    pub(crate) shown: Vec<String>,
}

impl Command {
    /// What is typed at the questions of `review`: the shown lines end with it.
    pub(crate) fn answers(&self) -> Vec<&str> {
        let answer = |line: &'_ String| -> Option<usize> {
            let questions = ["[A]ccept all: ", "reason: "];
            questions.iter().find_map(|one| line.find(one).map(|at| at + one.len()))
        };
        self.shown.iter().filter_map(|line| Some(&line[answer(line)?..])).collect()
    }
}

/// A part of the guide, which begins with `## `.
pub(crate) struct Section {
    pub(crate) title: String,
    pub(crate) commands: Vec<Command>,
}

/// The sections of the guide with their commands, and the files of its service: path and text.
pub(crate) fn parse(guide: &str) -> Result<(Vec<Section>, BTreeMap<String, String>)> {
    let (mut sections, mut files) = (Vec::<Section>::new(), BTreeMap::new());
    let mut lines = guide.lines();
    while let Some(line) = lines.next() {
        let block = |lines: &mut std::str::Lines<'_>| -> Vec<String> {
            lines.take_while(|line| *line != "```").map(str::to_owned).collect()
        };
        if let Some(title) = line.strip_prefix("## ") {
            sections.push(Section { title: title.to_owned(), commands: Vec::new() });
        } else if line == "```console" {
            let section = sections.last_mut().context("a command stands before any section")?;
            section.commands.extend(commands(&block(&mut lines))?);
        } else if line == "```rust" {
            let block = block(&mut lines);
            let path = block.first().and_then(|first| first.strip_prefix("// "));
            let path = path.context("a block of Rust begins with its path, as // src/lib.rs")?;
            files.insert(path.to_owned(), block[1..].join("\n") + "\n");
        }
    }
    Ok((sections, files))
}

fn commands(block: &[String]) -> Result<Vec<Command>> {
    let mut commands = Vec::<Command>::new();
    for text in block {
        if let Some(line) = text.strip_prefix("$ ") {
            let code = line.split_once("# exit ").map(|(_, rest)| rest);
            let code = code.and_then(|rest| rest.split([':', ' ']).next()).unwrap_or("0");
            let code = code.parse().with_context(|| format!("{line}: {code} is no exit code"))?;
            commands.push(Command { line: line.to_owned(), code, shown: Vec::new() });
        } else {
            let last = commands.last_mut();
            last.with_context(|| format!("{text:?} is below no command"))?.shown.push(text.clone());
        }
    }
    Ok(commands)
}

/// Demands each shown line in `printed`, in this order. Numbers may be others: those of the packages' newest versions. An
/// ellipsis stands for anything.
pub(crate) fn check(shown: &[String], printed: &str) -> Result<()> {
    let printed: Vec<String> = printed.lines().map(without_numbers).collect();
    let mut from = 0;
    for line in shown.iter().filter(|line| !["", "…"].contains(&line.trim())) {
        let parts: Vec<String> = line.split('…').map(without_numbers).collect();
        let at = printed[from..].iter().position(|other| has_parts(other, &parts));
        let at = at.with_context(|| {
            format!("the guide shows a line that was not printed here:\n{line}")
        })?;
        from += at + 1;
    }
    Ok(())
}

fn has_parts(line: &str, parts: &[String]) -> bool {
    let mut rest = line;
    parts.iter().all(|part| {
        let found = rest.split_once(part.as_str());
        rest = found.map_or("", |(_, rest)| rest);
        found.is_some()
    })
}

/// `line` with one space between words and a 0 for each number.
fn without_numbers(line: &str) -> String {
    let is_number = |one: char| one.is_ascii_digit() || one == '.' || one == ',';
    let word = |word: &str| {
        let mut plain = String::new();
        for one in word.chars() {
            if !is_number(one) {
                plain.push(one);
            } else if one.is_ascii_digit() && !plain.ends_with('0') {
                plain.push('0');
            }
        }
        plain
    };
    line.split_whitespace().map(word).collect::<Vec<_>>().join(" ")
}

/// The line of `source` that the guide plants: the number of the one that contains `words`.
pub(crate) fn line_of(source: &str, words: &str) -> Result<usize> {
    let at = source.lines().position(|line| line.contains(words));
    let at = at.with_context(|| format!("no line has {words}"))?;
    ensure!(!words.is_empty(), "an empty word is in every line");
    Ok(at + 1)
}
