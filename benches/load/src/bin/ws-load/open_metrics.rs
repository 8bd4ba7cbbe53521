use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, ensure};
use load::report::{aside, open_metrics};
use load_engine::problem::Problem;

/// A file that is replaced as a whole once a second, so that a collector never reads half of one.
pub(crate) struct MetricsFile {
    file: PathBuf,
    /// Why it is not up to date.
    failed: Option<anyhow::Error>,
}

impl MetricsFile {
    /// Refuses a file that this tool did not write, and a folder that cannot be written to.
    pub(crate) fn claim(file: &Path) -> Result<Self> {
        let name = file.display();
        let is_ours = match fs::metadata(file) {
            // A device would be replaced as well.
            Ok(there) if !there.is_file() => false,
            Ok(_) => fs::read_to_string(file)
                .is_ok_and(|there| there.is_empty() || there.starts_with(open_metrics::FIRST_LINE)),
            Err(error) => error.kind() == ErrorKind::NotFound,
        };
        let words = format!("--open-metrics {name}: something else is there; name a new file");
        ensure!(is_ours, Problem::usage(words));
        tempfile::tempfile_in(folder(file)).map_err(|error| {
            Problem::usage(format!("--open-metrics {name}: {error}; name a file in another folder"))
        })?;
        Ok(Self { file: file.to_owned(), failed: None })
    }

    /// Replaces the file. An error is kept until the file is up to date again.
    pub(crate) fn replace(&mut self, text: &str) {
        self.failed = self.write(text).err();
    }

    /// The last error, if the file is not up to date.
    pub(crate) fn finish(self) -> Result<()> {
        let words = || format!("--open-metrics {}: it is not up to date", self.file.display());
        self.failed.map_or(Ok(()), |error| Err(error).with_context(words))
    }

    fn write(&self, text: &str) -> Result<()> {
        let next = aside::write(folder(&self.file), text.as_bytes())?;
        next.persist(&self.file)?;
        Ok(())
    }
}

fn folder(file: &Path) -> &Path {
    match file.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    }
}
