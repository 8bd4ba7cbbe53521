//! The folder of the results, and the files of GitHub that a step writes to.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use baselines::Verdict;
use baselines::pending::{self, Found};

use super::summary;
use crate::error::Usage;

/// The file that tells a folder of results from another.
const CODE: &str = "exit-code";

/// The variable that names the file of the job's summary.
const SUMMARY: &str = "GITHUB_STEP_SUMMARY";

/// Longest comment, in bytes: GitHub refuses one above 65,536 characters.
const COMMENT: usize = 60_000;

/// An empty folder for results.
pub(super) struct Results {
    folder: PathBuf,
}

impl Results {
    /// Empties `folder`, or the default one of the workspace `root`. The number of the pull request is written at once.
    pub(super) fn open(
        folder: Option<PathBuf>,
        root: &Path,
        pull_request: Option<u64>,
    ) -> Result<Self> {
        let default = || {
            let target = std::env::var_os("CARGO_TARGET_DIR").unwrap_or_else(|| "target".into());
            root.join(target).join("plimsoll")
        };
        let folder = folder.unwrap_or_else(default);
        let io = || format!("cannot write in {}; check its folder with ls -ld", folder.display());
        fs::create_dir_all(&folder).with_context(io)?;
        // Absolute, because cargo runs in another folder.
        let folder = folder.canonicalize().with_context(io)?;
        let is_empty = fs::read_dir(&folder).with_context(io)?.next().is_none();
        if !is_empty && !folder.join(CODE).is_file() {
            let problem = format!(
                "{} holds something else than results; name an empty folder with --out",
                folder.display()
            );
            return Err(Usage(problem).into());
        }
        fs::remove_dir_all(&folder).and_then(|()| fs::create_dir_all(&folder)).with_context(io)?;
        fs::write(folder.join(CODE), "1\n").with_context(io)?;
        if let Some(number) = pull_request {
            fs::write(folder.join("pull-request"), format!("{number}\n")).with_context(io)?;
        }
        Ok(Self { folder })
    }

    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Writes the exit code and the summary of all services, whole, for a comment, and for the job.
    pub(super) fn write(&self, code: u8, services: impl Iterator<Item = String>) -> Result<()> {
        let mut text = format!("## Plimsoll: {}\n\n", meaning(code));
        let waits = |all: Vec<Found>| all.iter().any(|(_, one)| one.verdict != Verdict::Pass);
        if pending::find(&self.folder.join("pending")).is_ok_and(waits) {
            text += "Numbers to accept are in the artifact: `cargo plimsoll accept --from <its folder or zip> \
                     --reason \"…\"`, or run the suite and `cargo plimsoll review`.\n\n";
        }
        text += &services.collect::<Vec<_>>().join("\n");
        self.file(CODE, &format!("{code}\n"))?;
        self.file("summary.md", &text)?;
        self.file("comment.md", &summary::cut(&text, COMMENT))?;
        let Some(of_job) = std::env::var_os(SUMMARY) else { return Ok(()) };
        let file = fs::File::options().append(true).create(true).open(&of_job);
        file.and_then(|mut file| file.write_all(summary::cut(&text, summary::LIMIT).as_bytes()))
            .with_context(|| format!("cannot write {}, named by {SUMMARY}", of_job.display()))
    }

    fn file(&self, name: &str, text: &str) -> Result<()> {
        let path = self.folder.join(name);
        fs::write(&path, text)
            .with_context(|| format!("cannot write {}; check the disk with df -h", path.display()))
    }
}

fn meaning(code: u8) -> &'static str {
    match code {
        0 => "pass",
        3 => "regressed",
        4 => "improved, not yet recorded",
        5 => "nothing recorded to compare with",
        6 => "the measurement cannot be trusted",
        _ => "failed",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_of_something_else_is_kept() {
        let folder = tempfile::tempdir().expect("there is room");
        fs::write(folder.path().join("thesis.txt"), "years").expect("it is ours");
        let refused = Results::open(Some(folder.path().to_owned()), Path::new("/"), None);
        let error = refused.err().expect("it holds something else").to_string();
        assert!(error.contains("name an empty folder"), "{error}");
        assert!(folder.path().join("thesis.txt").is_file());
    }

    #[test]
    fn earlier_results_are_replaced_and_a_run_that_ends_early_is_no_pass() {
        let folder = tempfile::tempdir().expect("there is room");
        let open = || Results::open(Some(folder.path().to_owned()), Path::new("/"), Some(7));
        let results = open().expect("it is empty");
        results.write(0, std::iter::once("all green".to_owned())).expect("there is room");
        let read = |name| fs::read_to_string(folder.path().join(name)).expect("it was written");
        assert_eq!((read(CODE), read("pull-request")), ("0\n".to_owned(), "7\n".to_owned()));
        open().expect("they are results");
        assert_eq!(read(CODE), "1\n");
        assert!(!folder.path().join("summary.md").exists());
    }
}
