//! The call sites of one scenario, one a line. They explain a changed total and do not judge it.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet},
    fmt::Display,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

use crate::{Error, Recording, file};

/// Call path (innermost frame first, `leaf <- caller <- caller`) to its cost.
pub type Sites = BTreeMap<String, SiteCost>;

/// The allocations of one call site over the run at N and the run at 2N.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SiteCost {
    /// Heap blocks.
    pub blocks: [u64; 2],
    /// Heap bytes.
    pub bytes: [u64; 2],
}

/// A call site that differs; a side without it is `None`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SiteChange {
    /// The call path.
    #[serde(rename = "site")]
    pub key: String,
    /// File and line in the measured build; `None` for a site that is gone, and in the result of [`diff`].
    #[serde(deserialize_with = "Option::deserialize")]
    pub place: Option<String>,
    /// Its cost in the baseline.
    #[serde(deserialize_with = "Option::deserialize")]
    pub recorded: Option<SiteCost>,
    /// Its cost in this run.
    #[serde(deserialize_with = "Option::deserialize")]
    pub measured: Option<SiteCost>,
}

/// `<root>/alloc/sites/<id>.txt`.
pub fn path(root: &Path, id: &str) -> PathBuf {
    root.join("alloc").join("sites").join(format!("{id}.txt"))
}

/// The blocks of all sites, at N and 2N.
pub fn blocks(sites: &Sites) -> [u64; 2] {
    let total =
        |n: usize| sites.values().fold(0, |total: u64, site| total.saturating_add(site.blocks[n]));
    [total(0), total(1)]
}

/// Reads the call sites of one scenario.
///
/// # Errors
///
/// [`Error::NotComparable`], with the number of the line, for a file that [`save`] would not write.
pub fn load(path: &Path) -> Result<Sites, Error> {
    parse(&file::read(path)?).map_err(|reason| file::refuse(path, reason))
}

/// Replaces the file with the commit of `recording`.
///
/// # Errors
///
/// [`Error::NotComparable`] if a key is empty, has white space around it, or contains a control character (a line
/// break).
pub fn save(path: &Path, sites: &Sites, recording: &mut Recording) -> Result<(), Error> {
    if let Some(key) = sites.keys().find(|key| !is_key(key)) {
        return Err(file::refuse(path, format!("{key:?} cannot name a call site")));
    }
    recording.replace(path, render(sites));
    Ok(())
}

/// The sites that differ: largest change in blocks at 2N first, then in bytes at 2N, then by key.
pub fn diff(recorded: &Sites, measured: &Sites) -> Vec<SiteChange> {
    let keys: BTreeSet<_> = recorded.keys().chain(measured.keys()).collect();
    let sides = keys.into_iter().map(|key| SiteChange {
        key: key.clone(),
        place: None,
        recorded: recorded.get(key).copied(),
        measured: measured.get(key).copied(),
    });
    let mut changes: Vec<_> = sides.filter(|site| site.recorded != site.measured).collect();
    // The sort is stable, so sites of equal size stay in the order of their keys.
    changes.sort_by_key(|change| Reverse(change.size()));
    changes
}

impl SiteChange {
    /// Absolute change at 2N, where operations outweigh the fixed cost: bytes, then blocks.
    fn size(&self) -> (u64, u64) {
        let recorded = self.recorded.unwrap_or_default();
        let measured = self.measured.unwrap_or_default();
        (
            measured.bytes[1].abs_diff(recorded.bytes[1]),
            measured.blocks[1].abs_diff(recorded.blocks[1]),
        )
    }
}

/// The text of a file.
#[must_use]
pub fn render(sites: &Sites) -> String {
    let rows = sites.iter().map(|(key, cost)| row(key, *cost));
    std::iter::once(header()).chain(rows).flat_map(|row| [row, "\n".to_owned()]).collect()
}

fn header() -> String {
    columns(["# blocks@N", "blocks@2N", "bytes@N", "bytes@2N"], "call path, innermost first")
}

fn row(key: &str, SiteCost { blocks, bytes }: SiteCost) -> String {
    columns([blocks[0], blocks[1], bytes[0], bytes[1]], key)
}

/// The widths are fixed, so that one longer number does not change every line.
fn columns<T: Display>([blocks, double_blocks, bytes, double_bytes]: [T; 4], key: &str) -> String {
    format!("{blocks:>10} {double_blocks:>10} {bytes:>12} {double_bytes:>12}  {key}")
}

/// Reads the text of a file.
///
/// # Errors
///
/// The reason, with the number of the line, why [`save`] would not have written it.
pub fn parse(text: &str) -> Result<Sites, String> {
    let text = text.strip_suffix('\n').ok_or("the last line is cut off")?;
    let mut lines = (1..).zip(text.split('\n'));
    if lines.next().is_none_or(|(_, line)| line != header()) {
        return Err(format!("line 1: not the header `{}`", header()));
    }
    let mut sites = Sites::new();
    for (number, line) in lines {
        let (key, cost) = parse_row(line)
            .filter(|(key, cost)| is_key(key) && row(key, *cost) == line)
            .ok_or_else(|| format!("line {number}: not four aligned counts and a call path"))?;
        if sites.last_key_value().is_some_and(|(last, _)| last.as_str() >= key) {
            return Err(format!("line {number}: the call path is out of order or repeated"));
        }
        sites.insert(key.to_owned(), cost);
    }
    Ok(sites)
}

/// Accepts any white space and spelling of numbers: the caller compares the line with the rendered row.
fn parse_row(line: &str) -> Option<(&str, SiteCost)> {
    let mut totals = [0; 4];
    let mut rest = line;
    for total in &mut totals {
        let (word, tail) = rest.trim_start_matches(' ').split_once(' ')?;
        *total = word.parse().ok()?;
        rest = tail;
    }
    let [blocks_n, blocks_2n, bytes_n, bytes_2n] = totals;
    let cost = SiteCost { blocks: [blocks_n, blocks_2n], bytes: [bytes_n, bytes_2n] };
    Some((rest.strip_prefix(' ')?, cost))
}

pub(crate) fn is_key(key: &str) -> bool {
    !key.is_empty() && key.trim() == key && !key.contains(char::is_control)
}

#[cfg(test)]
mod tests;
