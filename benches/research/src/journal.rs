//! The records file: a line of JSON per measurement, so that an interrupted calibration continues.

use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Write};
use std::path::Path;

use anyhow::{Context, Result};

use serde::Serialize;
use serde::de::DeserializeOwned;

pub(super) struct Journal<R> {
    file: File,
    records: Vec<R>,
}

impl<R: Serialize + DeserializeOwned> Journal<R> {
    /// Opens the file at `path`, or creates it.
    pub(super) fn open(path: &Path) -> Result<Self> {
        let records = read(path)?;
        let file = OpenOptions::new().create(true).append(true).open(path);
        let file = file.with_context(|| format!("cannot write {}", path.display()))?;
        Ok(Self { file, records })
    }

    /// All records, older ones included.
    pub(super) fn records(&self) -> &[R] {
        &self.records
    }

    pub(super) fn keep(&mut self, records: impl IntoIterator<Item = R>) -> Result<()> {
        for record in records {
            let line = serde_json::to_string(&record)? + "\n";
            let written = self.file.write_all(line.as_bytes());
            written.context("cannot write a record; look at the disk with df -h")?;
            self.records.push(record);
        }
        Ok(())
    }
}

fn read<R: DeserializeOwned>(path: &Path) -> Result<Vec<R>> {
    let text = match fs::read_to_string(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        text => text.with_context(|| format!("cannot read {}", path.display()))?,
    };
    let records = (1..).zip(text.lines()).map(|(number, line)| {
        serde_json::from_str(line).with_context(|| {
            format!("{} line {number} is not a record; remove the file", path.display())
        })
    });
    records.collect()
}
