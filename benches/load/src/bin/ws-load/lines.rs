use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Write};
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Result, anyhow};
use load_engine::problem::Problem;

/// In place of a file: stdout.
pub(crate) const STDOUT: &str = "-";

/// JSON lines in a file or on stdout. Each is written at once and whole, so that a reader sees it, and a killed run leaves
/// no half of one.
pub(crate) struct Lines {
    name: String,
    /// `None` for stdout.
    file: Option<File>,
    /// Why nothing more is written.
    failed: Option<std::io::Error>,
}

impl Lines {
    /// Opens `name`, behind what is there already.
    pub(crate) fn open(name: &str) -> Result<Self> {
        let open = || OpenOptions::new().create(true).append(true).open(name);
        let file = (name != STDOUT).then(open).transpose().map_err(|error| {
            Problem::usage(format!("--json-lines {name}: {error}; name a file that can be written"))
        })?;
        Ok(Self { name: name.to_owned(), file, failed: None })
    }

    /// The first error of all lines.
    pub(crate) fn finish(self) -> Result<()> {
        match self.failed {
            // A reader may leave early.
            Some(error) if error.kind() != ErrorKind::BrokenPipe => {
                Err(anyhow!("--json-lines {}: {error}; lines are missing there", self.name))
            }
            _ => Ok(()),
        }
    }

    /// Writes the line that `make` makes at this time, in milliseconds since 1970.
    pub(crate) fn write(&mut self, make: impl FnOnce(u64) -> serde_json::Result<String>) {
        if self.failed.is_some() {
            return;
        }
        let written = make(unix_ms()).map_err(Into::into).and_then(|line| match &mut self.file {
            Some(file) => file.write_all(line.as_bytes()),
            None => {
                let mut stdout = std::io::stdout().lock();
                stdout.write_all(line.as_bytes()).and_then(|()| stdout.flush())
            }
        });
        self.failed = written.err();
    }
}

fn unix_ms() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as u64)
}
