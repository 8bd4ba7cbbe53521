use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Write};
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Result, anyhow};
use load::report::lines;
use load::summary::Summary;
use load::validator::Assessment;
use load_engine::problem::Problem;
use load_engine::progress::Progress;
use load_plan::model::Run;

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

    pub(crate) fn second(&mut self, run_id: &str, now: &Progress<'_>, so_far: &Summary) {
        self.write(lines::second(run_id, unix_ms(), now, so_far));
    }

    /// Writes the verdict. An error is the first one of all lines.
    pub(crate) fn finish(mut self, run: &Run, assessment: &Assessment) -> Result<()> {
        self.write(lines::verdict(unix_ms(), run, assessment));
        match self.failed {
            // A reader may leave early.
            Some(error) if error.kind() != ErrorKind::BrokenPipe => {
                Err(anyhow!("--json-lines {}: {error}; lines are missing there", self.name))
            }
            _ => Ok(()),
        }
    }

    fn write(&mut self, line: serde_json::Result<String>) {
        if self.failed.is_some() {
            return;
        }
        let written = line.map_err(Into::into).and_then(|line| match &mut self.file {
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
