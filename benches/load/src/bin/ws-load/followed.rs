use std::path::Path;

use anyhow::{Error, Result};
use load::report::lines;
use load::report::open_metrics::{self, About};
use load::summary::Summary;
use load::validator::Assessment;
use load_engine::progress::Progress;
use load_engine::run::RunSettings;
use load_plan::model::Run;

use crate::common::{all, is_unchecked};
use crate::lines::Lines;
use crate::open_metrics::MetricsFile;

/// The files that other programs read while a run goes on. From the start to the end, however it ends, they say what this
/// run does, and not what an earlier one did; after a kill they say that it is running.
pub(crate) struct Followed {
    run_id: String,
    profile: String,
    insecure: bool,
    lines: Option<Lines>,
    metrics: Option<MetricsFile>,
}

impl Followed {
    /// Opens both, and says there that the run of `settings` is running.
    pub(crate) fn open(
        lines: Option<&str>,
        metrics: Option<&Path>,
        settings: &RunSettings,
    ) -> Result<Self> {
        let metrics = metrics.map(MetricsFile::claim).transpose()?;
        let lines = lines.map(Lines::open).transpose()?;
        let (run_id, profile) = (settings.run_id.clone(), settings.profile.name.clone());
        let insecure = is_unchecked(settings);
        let mut followed = Self { run_id, profile, insecure, lines, metrics };
        followed.write(|unix_ms, about| lines::start(about.run_id, unix_ms, about.profile));
        followed.replace(open_metrics::began);
        Ok(followed)
    }

    pub(crate) fn second(&mut self, now: &Progress<'_>, so_far: &Summary) {
        self.write(|unix_ms, about| lines::second(about.run_id, unix_ms, now, so_far));
        self.replace(|about| open_metrics::running(about, now, so_far));
    }

    /// Says that the run failed, without a verdict.
    pub(crate) fn failed(mut self, error: &Error, so_far: &Summary) {
        let reason = format!("{error:#}");
        self.write(|unix_ms, about| lines::failed(about.run_id, unix_ms, &reason, so_far));
        self.replace(|about| open_metrics::failed(about, so_far));
        if let Err(error) = self.close() {
            eprintln!("ws-load: {error:#}");
        }
    }

    /// Writes the verdict. Errors are those of all of the run.
    pub(crate) fn finish(mut self, run: &Run, assessment: &Assessment) -> Result<()> {
        self.write(|unix_ms, _| lines::verdict(unix_ms, run, assessment));
        self.replace(|_| open_metrics::ended(run, assessment));
        self.close()
    }

    fn close(self) -> Result<()> {
        let lines = self.lines.map_or(Ok(()), Lines::finish);
        all([lines, self.metrics.map_or(Ok(()), MetricsFile::finish)]).map(drop)
    }

    fn write(&mut self, make: impl FnOnce(u64, About<'_>) -> serde_json::Result<String>) {
        let Self { run_id, profile, insecure, lines, .. } = self;
        if let Some(lines) = lines {
            lines.write(|unix_ms| make(unix_ms, About { run_id, profile, insecure: *insecure }));
        }
    }

    fn replace(&mut self, make: impl FnOnce(About<'_>) -> String) {
        let Self { run_id, profile, insecure, metrics, .. } = self;
        if let Some(metrics) = metrics {
            metrics.replace(&make(About { run_id, profile, insecure: *insecure }));
        }
    }
}
