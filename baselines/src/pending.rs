//! Measured numbers that are not accepted yet: one file for each scenario.
//!
//! They come from a run in this tree, or from one of a stranger's branch: whatever is read is checked, and no path comes
//! out of it.

mod find;
mod format;

use std::path::{Path, PathBuf};

use crate::alloc::{Counts, Provenance};
use crate::compare::{self, Change, Live, Measurement, Slack};
use crate::sites::{self, SiteChange, Sites};
use crate::{Error, Verdict, file};

pub use find::{Found, MOST_BYTES, find, ids};

/// The version of the file format.
pub const SCHEMA: u32 = 1;

/// The result of one scenario that could be recorded, with everything that recording it needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pending {
    /// The scenario's id.
    pub id: String,
    /// The package with the test.
    pub package: String,
    /// The test target.
    pub test: String,
    /// Target triple of the runner.
    pub target: String,
    /// The build that was measured.
    pub provenance: Provenance,
    /// Missing, regressed, improved or not comparable. With *pass*, nothing is to be decided: the recorded numbers were
    /// confirmed by another build than the one that recorded them.
    pub verdict: Verdict,
    /// The name of one operation: `message`, `connection`.
    pub unit: String,
    /// The recorded totals that it was judged by; `None` if there were none.
    pub recorded: Option<Counts>,
    /// The totals of this run.
    pub measured: Counts,
    /// Differences that the scenario tolerates.
    pub slack: Vec<Slack>,
    /// The call sites of this run; none with *pass*.
    pub sites: Sites,
    /// Call sites that differ from the recorded ones, largest change first.
    pub sites_changed: Vec<SiteChange>,
}

/// `<root>/pending`, the folder of the suite whose numbers are below `root`.
#[must_use]
pub fn folder(root: &Path) -> PathBuf {
    root.join("pending")
}

/// Keeps the files of `folder` out of git.
///
/// # Errors
///
/// [`Error::Io`] if the folder cannot be written.
pub fn ignore(folder: &Path) -> Result<(), Error> {
    let path = folder.join(".gitignore");
    if path.exists() { Ok(()) } else { file::write(&path, "*\n") }
}

/// Removes the pending numbers of one scenario below `folder`, if there are any.
///
/// # Errors
///
/// [`Error::Io`] if a file exists and cannot be removed.
pub fn remove(folder: &Path, target: &str, id: &str) -> Result<(), Error> {
    [false, true].into_iter().try_for_each(|passed| file::remove(&path(folder, target, id, passed)))
}

/// `<folder>/<target>/<id>.json`, and `<folder>/<target>/unchanged/<id>.json` for one that passed.
fn path(folder: &Path, target: &str, id: &str, passed: bool) -> PathBuf {
    let folder = folder.join(target);
    let folder = if passed { folder.join("unchanged") } else { folder };
    folder.join(format!("{id}.json"))
}

impl Pending {
    /// Replaces the file of this scenario below `folder`, atomically.
    ///
    /// # Errors
    ///
    /// [`Error::NotComparable`] if [`parse`](Self::parse) would refuse it, [`Error::Io`] if it cannot be written.
    pub fn save(&self, folder: &Path) -> Result<(), Error> {
        let passed = self.verdict == Verdict::Pass;
        let path = path(folder, &self.target, &self.id, passed);
        self.check().map_err(|reason| file::refuse(&path, reason))?;
        file::write(&path, &format::render(self))?;
        file::remove(&self::path(folder, &self.target, &self.id, !passed))
    }

    /// Reads a file; `None` for other JSON.
    ///
    /// # Errors
    ///
    /// The reason why the text is refused: no JSON, another schema, unknown or repeated keys, names that could be a path
    /// or a command of a terminal, counts that contradict the verdict or the call sites.
    pub fn parse(text: &str) -> Result<Option<Self>, String> {
        // A reason may name a key of the file.
        let parsed = format::parse(text).map_err(|reason| plain(&reason))?;
        let Some(pending) = parsed else { return Ok(None) };
        pending.check().map(|()| Some(pending))
    }

    /// The metrics that differ from the recorded ones by more than their slack; none if nothing comparable is recorded.
    #[must_use]
    pub fn changes(&self) -> Vec<Change> {
        let both = |recorded| compare::changes(recorded, &self.measured, &self.slack);
        self.recorded.as_ref().and_then(both).unwrap_or_default()
    }

    fn check(&self) -> Result<(), String> {
        let Self { id, package, test, target, unit, provenance, .. } = self;
        let word = |character: char| character.is_ascii_alphanumeric() || character == '_';
        let named = |character: char| word(character) || character == '-';
        name("scenario", id, word)?;
        name("package", package, named)?;
        name("test", test, named)?;
        name("target", target, |character| named(character) || character == '.')?;
        let texts = [unit, &provenance.rustc, &provenance.profile].into_iter();
        let packages = provenance.packages.iter().flat_map(|(name, version)| [name, version]);
        let reasons = self.slack.iter().map(|slack| &slack.reason);
        let changed = self.sites_changed.iter();
        let changed = changed.flat_map(|site| site.place.iter().chain([&site.key]));
        let mut texts =
            texts.chain(packages).chain(reasons).chain(changed).chain(self.sites.keys());
        if let Some(text) = texts.find(|text| !text.chars().all(is_plain)) {
            return Err(format!("{text:?} is no plain text"));
        }
        if let Some(key) = self.sites.keys().find(|key| !sites::is_key(key)) {
            return Err(format!("{key:?} cannot name a call site"));
        }
        for counts in self.recorded.iter().chain([&self.measured]) {
            let ops = counts.ops;
            if ops[0] == 0 || ops[1] <= ops[0] {
                return Err(format!("ops {ops:?} do not grow from a number above 0"));
            }
        }
        self.check_verdict()
    }

    /// A file that calls a regression an improvement would mislead who accepts it.
    fn check_verdict(&self) -> Result<(), String> {
        let Self { recorded, measured, verdict, .. } = self;
        let counted =
            Measurement::Counted { counts: measured.clone(), live: Live::default(), wavers: false };
        let judged = compare::judge(recorded.as_ref(), Some(&counted), None, &self.slack).verdict;
        if judged != *verdict {
            let [judged, verdict] = [judged, *verdict].map(Verdict::as_str);
            return Err(format!("it says {verdict:?}, but its counts are {judged:?}"));
        }
        if judged == Verdict::Pass {
            return Ok(());
        }
        let (found, blocks) = (sites::blocks(&self.sites), measured.blocks);
        if found != blocks {
            return Err(format!(
                "its call sites add up to {found:?} blocks, its totals to {blocks:?}"
            ));
        }
        let other = |site: &&SiteChange| site.measured != self.sites.get(&site.key).copied();
        match self.sites_changed.iter().find(other) {
            Some(site) => Err(format!("two costs of the call site {:?}", site.key)),
            None => Ok(()),
        }
    }
}

/// Refuses a name that is empty, longer than a file's, hidden, or has other letters.
fn name(what: &str, name: &str, is_letter: impl Fn(char) -> bool) -> Result<(), String> {
    let is_name = (1..=200).contains(&name.len()) && !name.starts_with('.');
    if is_name && !name.contains("..") && name.chars().all(is_letter) {
        return Ok(());
    }
    Err(format!("{name:?} is no name of a {what}"))
}

/// `text` for a terminal: whatever it would obey is replaced.
#[must_use]
pub fn plain(text: &str) -> String {
    let shown =
        |character| if is_plain(character) { character } else { char::REPLACEMENT_CHARACTER };
    text.chars().map(shown).collect()
}

/// Whether a terminal prints `character` as it is: it is no command, and does not reverse what is read.
fn is_plain(character: char) -> bool {
    let reverses = matches!(character, '\u{200e}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    !character.is_control() && !reverses
}

#[cfg(test)]
mod tests;
