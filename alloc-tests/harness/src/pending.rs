//! Numbers of this run that are not accepted yet, for `cargo plimsoll review`.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use baselines::alloc::{Counts, Provenance};
use baselines::compare::provenance_differences;
use baselines::sites::Sites;
use baselines::suite_report::ScenarioReport;
use baselines::{Error, Pending, Verdict, pending};

use crate::limits;
use crate::output::print_error;
use crate::result::is_unfit;
use crate::scenario::{PLANTED, Registry};
use crate::setup::{Recorded, Setup, TARGET};

/// Names a folder for them outside of the tree.
const VARIABLE: &str = "PLIMSOLL_PENDING";

/// Where the pending numbers of a suite are kept.
#[derive(Debug)]
pub(crate) struct Store {
    folder: PathBuf,
    is_in_tree: bool,
    package: String,
    test: String,
    provenance: Provenance,
    /// Whether numbers were kept.
    kept: AtomicBool,
    /// Whether it was said that they cannot be written.
    complained: AtomicBool,
}

impl Store {
    /// That of `setup`, without what is no scenario of `registry` any more. A build that counts no totals has none.
    pub(crate) fn of(setup: &Setup, registry: &Registry) -> Option<Self> {
        if cfg!(debug_assertions) || !cfg!(feature = "hooks") {
            return None;
        }
        let outside = std::env::var_os(VARIABLE).filter(|folder| !folder.is_empty());
        let store = Self::at(setup, outside.as_deref())?;
        store.sweep(registry);
        Some(store)
    }

    fn at(setup: &Setup, outside: Option<&OsStr>) -> Option<Self> {
        let outside = outside.map(Path::new);
        if let Some(folder) = outside.filter(|folder| folder.is_relative()) {
            // Cargo starts each test in the folder of its package.
            let folder = folder.display();
            print_error(&format!(
                "no pending numbers are kept: {VARIABLE}={folder} is no absolute path; type {VARIABLE}=\"$PWD/{folder}\""
            ));
            return None;
        }
        let (package, test) = (setup.package.clone(), setup.test.clone());
        Some(Self {
            folder: outside.map_or_else(
                || pending::folder(&setup.baselines),
                |outside| outside.join(&package).join(&test),
            ),
            is_in_tree: outside.is_none(),
            package,
            test,
            provenance: setup.provenance(),
            kept: AtomicBool::new(false),
            complained: AtomicBool::new(false),
        })
    }

    /// Whether numbers of this run wait for a decision.
    pub(crate) fn has_kept(&self) -> bool {
        self.kept.load(Relaxed)
    }

    /// Keeps the result of a scenario if it can be recorded and is not, and removes an older one otherwise. A run with a
    /// limit, or with recorded numbers that cannot be read, decides neither, and a planted fault is never accepted.
    pub(crate) fn settle(
        &self,
        id: &str,
        report: &ScenarioReport,
        sites: Option<Sites>,
        recorded: &Recorded,
    ) {
        let by = match &recorded.baseline {
            Ok(baseline) => Some(&baseline.provenance),
            Err(Error::Missing { .. }) => None,
            Err(_) => return,
        };
        if id.starts_with(PLANTED) || !matches!(limits::of(id), Ok(None)) {
            return;
        }
        let Some(pending) = self.pending(id, report, sites, by) else {
            return self.remove([id]);
        };
        let ignored = if self.is_in_tree { pending::ignore(&self.folder) } else { Ok(()) };
        match ignored.and_then(|()| pending.save(&self.folder)) {
            Ok(()) if pending.verdict == Verdict::Pass => {}
            Ok(()) => self.kept.store(true, Relaxed),
            Err(error) => self.complain(&error),
        }
    }

    /// Removes the pending numbers of scenarios that were recorded, or that need no decision.
    pub(crate) fn remove<'a>(&self, ids: impl IntoIterator<Item = &'a str>) {
        for id in ids {
            if let Err(error) = pending::remove(&self.folder, TARGET, id) {
                self.complain(&error);
            }
        }
    }

    fn sweep(&self, registry: &Registry) {
        match pending::ids(&self.folder, TARGET) {
            Ok(ids) => {
                let gone = ids.iter().filter(|id| !registry.contains_key(id.as_str()));
                self.remove(gone.map(String::as_str));
            }
            Err(error) => self.complain(&error),
        }
    }

    fn pending(
        &self,
        id: &str,
        report: &ScenarioReport,
        sites: Option<Sites>,
        by: Option<&Provenance>,
    ) -> Option<Pending> {
        let measured = report.measured.clone().filter(|_| !is_unfit(report))?;
        let sites = if report.verdict == Verdict::Pass {
            let differs = |by| !provenance_differences(by, &self.provenance).is_empty();
            by.is_some_and(differs).then(Sites::new)?
        } else {
            let loses = |old: &Counts| old.calls.is_some() && measured.calls.is_none();
            sites.filter(|_| !report.recorded.as_ref().is_some_and(loses))?
        };
        Some(Pending {
            id: id.to_owned(),
            package: self.package.clone(),
            test: self.test.clone(),
            target: TARGET.to_owned(),
            provenance: self.provenance.clone(),
            verdict: report.verdict,
            unit: report.unit.clone(),
            recorded: report.recorded.clone(),
            measured,
            slack: report.slack.clone(),
            sites,
            sites_changed: report.sites_changed.clone(),
        })
    }

    /// A tree that cannot be written is said once, and is no failure.
    fn complain(&self, error: &Error) {
        if !self.complained.swap(true, Relaxed) {
            print_error(&format!("no pending numbers are kept: {error}"));
        }
    }
}

#[cfg(test)]
mod tests;
