//! Accepted numbers become the recorded ones.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use anyhow::{Error, Result, bail};
use baselines::compare::provenance_differences;
use baselines::update::{Refusal, Summary};
use baselines::{Pending, Update, pending};
use bench_show::text::Text;

use super::{Suites, Waiting};
use crate::error::NotComparable;

/// Columns of a terminal.
const WIDTH: usize = 80;

/// Accepted numbers, and why.
pub(crate) struct Accepted {
    pub(crate) pending: Pending,
    pub(crate) reason: String,
}

/// What became of accepted numbers.
pub(crate) struct Outcome {
    /// What was recorded, and the command that commits it; empty if nothing was.
    pub(crate) said: String,
    /// The first suite that was refused. The others were recorded.
    pub(crate) refused: Option<Error>,
}

/// Records `accepted`, suite by suite, each all or nothing, and removes their files.
pub(crate) fn record(suites: &Suites, waiting: &Waiting, accepted: &[Accepted]) -> Result<Outcome> {
    let mut groups = BTreeMap::<PathBuf, Vec<&Accepted>>::new();
    for one in accepted {
        groups.entry(suites.baselines(&one.pending)?.to_owned()).or_default().push(one);
    }
    let here = std::env::current_dir()?;
    let (mut text, mut folders, mut done, mut refused) =
        (Text::new(WIDTH), Vec::new(), Vec::new(), None);
    for (root, group) in &groups {
        let of = |one: &&Pending| suites.baselines(one).is_ok_and(|of| of == root);
        let passed: Vec<&Pending> = waiting.passed.iter().filter(of).collect();
        let mut summary = match check_build(group).and_then(|()| record_suite(root, group, &passed))
        {
            Ok(summary) => summary,
            Err(error) => {
                refused.get_or_insert(error);
                continue;
            }
        };
        let named =
            group.iter().map(|Accepted { pending: Pending { id, verdict, .. }, .. }| {
                format!("{id} ({})", verdict.as_str())
            });
        text.wrapped("", &format!("accepted: {}", named.collect::<Vec<_>>().join(", ")));
        summary.file = relative(&summary.file, &here);
        // A path that is broken is no path.
        summary.to_string().lines().for_each(|line| text.line(line));
        let folder = pending::folder(root);
        for one in group.iter().map(|one| &one.pending).chain(passed) {
            pending::remove(&folder, &one.target, &one.id)?;
        }
        folders.push(relative(&root.join("alloc"), &here));
        done.extend(group);
    }
    if !folders.is_empty() {
        text.line("commit them with the code that changed them:");
        text.line(&commit_command(&folders, &done));
    }
    Ok(Outcome { said: text.into_string(), refused })
}

/// `path` as it is typed in the folder `here`.
fn relative(path: &Path, here: &Path) -> PathBuf {
    let path = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    path.strip_prefix(here).map_or_else(|_| path.clone(), Path::to_owned)
}

/// Refuses numbers of two builds in one file.
fn check_build(group: &[&Accepted]) -> Result<()> {
    let Some((first, others)) = group.split_first() else { return Ok(()) };
    for other in others {
        let [one, two] = [first, other].map(|one| &one.pending);
        let differences = provenance_differences(&one.provenance, &two.provenance);
        if !differences.is_empty() {
            bail!(NotComparable(format!(
                "nothing recorded: {} and {} come from two builds ({}); run the test again: {}",
                one.id,
                two.id,
                differences.join("; "),
                test_command(one)
            )));
        }
    }
    Ok(())
}

fn record_suite(root: &Path, group: &[&Accepted], passed: &[&Pending]) -> Result<Summary> {
    let first = &group.first().expect("a group has a member").pending;
    let all = || group.iter().map(|one| &one.pending);
    let is_of_build = |one: &&&Pending| one.provenance == first.provenance;
    let package = &first.package;
    let update = Update {
        target: &first.target,
        provenance: first.provenance.clone(),
        measured: all()
            .map(|one| (one.id.clone(), (one.measured.clone(), one.sites.clone())))
            .collect(),
        judged_by: all().map(|one| (one.id.clone(), one.recorded.clone())).collect(),
        passed: passed
            .iter()
            .filter(is_of_build)
            .filter_map(|one| Some((one.id.clone(), one.recorded.clone()?)))
            .collect(),
        known: None,
        prune: false,
    };
    match update.record(root) {
        Ok(summary) => Ok(summary),
        Err(Refusal::OtherBuild { differences, left }) => bail!(NotComparable(format!(
            "nothing recorded of {package}: {} stay as another build recorded them ({}); accept all that is pending, or run all tests \
             first: {}",
            few(&left),
            few(&differences),
            test_command(first)
        ))),
        Err(refusal @ (Refusal::Unwritable(_) | Refusal::Interrupted(_))) => Err(refusal.into()),
        Err(refusal) => bail!(NotComparable(refusal.to_string())),
    }
}

/// The first three, and the number of the others.
fn few(all: &[String]) -> String {
    let first = all.iter().take(3).cloned().collect::<Vec<_>>().join(", ");
    if all.len() > 3 { format!("{first} and {} more", all.len() - 3) } else { first }
}

pub(crate) fn test_command(Pending { package, test, .. }: &Pending) -> String {
    format!("cargo test --release -p {package} --test {test}")
}

/// `git add … && git commit -m '…'`, with the reasons.
fn commit_command(folders: &[PathBuf], accepted: &[&Accepted]) -> String {
    let paths = folders.iter().map(|folder| quoted(&folder.display().to_string()));
    let paths = paths.collect::<Vec<_>>().join(" ");
    let reasons: BTreeSet<&str> = accepted.iter().map(|one| one.reason.as_str()).collect();
    let message = match Vec::from_iter(reasons)[..] {
        [reason] => format!("-m {}", quoted(reason)),
        ref reasons => {
            let each = reasons.iter().map(|reason| {
                let of = accepted.iter().filter(|one| one.reason == **reason);
                let ids: Vec<_> = of.map(|one| one.pending.id.clone()).collect();
                format!(" -m {}", quoted(&format!("{}: {reason}", few(&ids))))
            });
            format!("-m 'record new counts'{}", each.collect::<String>())
        }
    };
    format!("git add {paths} && git commit {message}")
}

/// One word of a shell.
fn quoted(text: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "/._-+".contains(c);
    if !text.is_empty() && text.chars().all(is_plain) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_of_a_shell_is_quoted() {
        assert_eq!(quoted("tests/baselines"), "tests/baselines");
        assert_eq!(quoted("$(rm x) `y`"), "'$(rm x) `y`'");
        assert_eq!(quoted("it's"), r"'it'\''s'");
        assert_eq!(quoted(""), "''");
    }

    #[test]
    fn many_names_are_cut() {
        let names = ["a", "b", "c", "d", "e"].map(str::to_owned);
        assert_eq!(few(&names[..3]), "a, b, c");
        assert_eq!(few(&names), "a, b, c and 2 more");
    }
}
