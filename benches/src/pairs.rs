//! Times of benchmarks and of their floors, as a file of each target.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use serde::{Deserialize, Serialize};

/// The pairs of one run, by the benchmark's criterion id (`echo_latency/text/64B`).
pub type Pairs = BTreeMap<String, Pair>;

/// The times of a benchmark and of its floor, in nanoseconds per iteration.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pair {
    /// Median of the benchmark's turns.
    pub median_ns: f64,
    /// Median of the floor's turns.
    pub floor_ns: f64,
    /// Median of the ratios of neighbouring turns; this number is recorded and compared.
    pub ratio: f64,
}

impl Pair {
    /// Whether all three are numbers above 0.
    pub fn is_valid(&self) -> bool {
        let all = [self.median_ns, self.floor_ns, self.ratio];
        all.into_iter().all(|number| number.is_finite() && number > 0.0)
    }
}

/// Writes the pairs of `target` below `home`, which is criterion's folder.
///
/// # Errors
///
/// If the folder cannot be written.
pub fn write(home: &Path, target: &str, pairs: &Pairs) -> Result<()> {
    let folder = folder(home);
    let path = folder.join(target).with_extension("json");
    fs::create_dir_all(&folder)
        .and_then(|()| fs::write(&path, serde_json::to_string_pretty(pairs)?))
        .with_context(|| format!("cannot write {}; check the disk with df -h", path.display()))
}

/// Reads the pairs of all targets below `home`.
///
/// # Errors
///
/// If there are none, if a file cannot be read or is not what [`write()`] writes, or if an id occurs twice.
pub fn read(home: &Path) -> Result<Pairs> {
    let folder = folder(home);
    let again = || format!("cannot read {}; measure again", folder.display());
    let mut pairs = Pairs::new();
    for entry in fs::read_dir(&folder).with_context(again)? {
        let path = entry.with_context(again)?.path();
        let of_target = fs::read(&path)
            .map_err(anyhow::Error::from)
            .and_then(|text| parse(&text))
            .with_context(|| format!("cannot read {}; measure again", path.display()))?;
        for (id, pair) in of_target {
            if pairs.insert(id.clone(), pair).is_some() {
                bail!("two targets measured {id}; rename one of them");
            }
        }
    }
    Ok(pairs)
}

/// Reads the text of one file.
///
/// # Errors
///
/// If it is not what [`write()`] writes.
pub fn parse(text: &[u8]) -> Result<Pairs> {
    let pairs: Pairs = serde_json::from_slice(text)?;
    for (id, pair) in &pairs {
        ensure!(pair.is_valid(), "{id}: {pair:?} are not times; measure again");
    }
    Ok(pairs)
}

fn folder(home: &Path) -> PathBuf {
    home.join("pairs")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(id: &str, ratio: f64) -> Pairs {
        Pairs::from([(id.to_owned(), Pair { median_ns: ratio, floor_ns: 1.0, ratio })])
    }

    #[test]
    fn pairs_of_all_targets_are_read_as_they_were_written() -> Result<()> {
        let home = tempfile::tempdir()?;
        write(home.path(), "one", &one("a/b/c", 1.5))?;
        write(home.path(), "two", &one("d/e/f", 0.1 + 0.2))?;
        let mut both = one("a/b/c", 1.5);
        both.extend(one("d/e/f", 0.1 + 0.2));
        assert_eq!(read(home.path())?, both);
        Ok(())
    }

    #[test]
    fn what_is_no_measurement_is_refused() -> Result<()> {
        let home = tempfile::tempdir()?;
        assert!(read(home.path()).is_err());
        write(home.path(), "one", &one("a/b/c", 0.0))?;
        assert!(read(home.path()).is_err());
        write(home.path(), "one", &one("a/b/c", 1.0))?;
        write(home.path(), "two", &one("a/b/c", 1.0))?;
        assert!(read(home.path()).is_err());
        fs::write(folder(home.path()).join("two.json"), "{\"a/b/d\": {\"ratio\": 1.0}}")?;
        assert!(read(home.path()).is_err());
        Ok(())
    }
}
