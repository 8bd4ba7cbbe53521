use std::{io, path::PathBuf};

use crate::Verdict;

/// The reason why a recorded file could not be used; one variant for each way to handle it.
// Without `source()`: the messages contain the cause.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Nothing is recorded there: record it.
    #[error("nothing is recorded at {}", path.display())]
    Missing {
        /// The file that was looked for.
        path: PathBuf,
    },
    /// The file exists but must not be compared with: unreadable, or of another schema or shape.
    #[error("{} is not comparable: {reason}", path.display())]
    NotComparable {
        /// The file that was refused.
        path: PathBuf,
        /// What is wrong, with the line where that is known.
        reason: String,
    },
    /// The file system failed, which says nothing about the baseline.
    #[error("cannot use {}: {cause}", path.display())]
    Io {
        /// The file that was read or written.
        path: PathBuf,
        /// The error of the operating system.
        cause: io::Error,
    },
}

impl Error {
    /// The verdict of a run with this error. A failing disk is not a missing baseline.
    pub fn verdict(&self) -> Verdict {
        match self {
            Self::Missing { .. } => Verdict::Missing,
            Self::NotComparable { .. } => Verdict::NotComparable,
            Self::Io { .. } => Verdict::Failed,
        }
    }

    /// The message with the next step; `record` is the command that records the file.
    pub fn with_command(&self, record: &str) -> String {
        match self {
            Self::Missing { .. } => format!("{self}; record it with {record}"),
            Self::NotComparable { .. } => {
                format!("{self}; restore it with git, or record it with {record}")
            }
            Self::Io { path, .. } => {
                format!("{self}; check its permissions with ls -ld {}", path.display())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(error: Error, verdict: Verdict, message: &str) {
        assert_eq!(error.verdict(), verdict);
        assert_eq!(error.with_command("scripts/record.sh"), message);
    }

    #[test]
    fn every_message_ends_with_the_next_step() {
        check(
            Error::Missing { path: "alloc/t.json".into() },
            Verdict::Missing,
            "nothing is recorded at alloc/t.json; record it with scripts/record.sh",
        );
        check(
            Error::NotComparable {
                path: "bench/ratios.json".into(),
                reason: "schema 2, this reads 1".into(),
            },
            Verdict::NotComparable,
            "bench/ratios.json is not comparable: schema 2, this reads 1; restore it with git, or record it with \
             scripts/record.sh",
        );
        check(
            Error::Io { path: "alloc/t.json".into(), cause: io::Error::other("disk on fire") },
            Verdict::Failed,
            "cannot use alloc/t.json: disk on fire; check its permissions with ls -ld alloc/t.json",
        );
    }
}
