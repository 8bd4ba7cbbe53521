use std::io::{IsTerminal, Write};
use std::time::SystemTime;

use bench_show::units;
use indicatif::{ProgressBar, ProgressStyle};
use load::summary::Summary;
use load_engine::progress::Progress as Now;
use load_engine::run::RunSettings;
use load_plan::thresholds::{Metric, Statistic};

/// Progress on stderr: a line that changes on a terminal, a line per second elsewhere.
pub(crate) struct Progress {
    /// Hidden if the run is quiet; `None` without a terminal.
    bar: Option<ProgressBar>,
    planned_s: u64,
    p99_limit: Option<f64>,
}

impl Progress {
    pub(crate) fn new(settings: &RunSettings, quiet: bool) -> Self {
        let RunSettings { profile, url, .. } = settings;
        let planned_s = profile.duration().as_secs_f64().ceil() as u64;
        let p99 = Metric::Latency(Statistic::P99);
        let p99_limit = profile.thresholds.iter().find(|limit| limit.metric == p99);
        let p99_limit = p99_limit.map(|limit| limit.limit);
        let ahead = settings.start_at.and_then(|at| at.duration_since(SystemTime::now()).ok());
        let ahead = ahead.map_or_else(String::new, |left| format!(", in {} s", left.as_secs()));
        let opening = format!("{} against {url}, about {planned_s} s{ahead}", profile.name);
        let bar = if quiet {
            Some(ProgressBar::hidden())
        } else if std::io::stderr().is_terminal() {
            let style = ProgressStyle::with_template("{bar:8} {wide_msg}")
                .expect("the template is constant");
            Some(ProgressBar::new(planned_s.max(1)).with_style(style))
        } else {
            None
        };
        let progress = Self { bar, planned_s, p99_limit };
        progress.say(0, opening);
        progress
    }

    pub(crate) fn show(&self, now: &Now<'_>, so_far: &Summary) {
        self.say(now.elapsed.as_secs(), self.line(now, so_far));
    }

    fn say(&self, elapsed_s: u64, line: String) {
        match &self.bar {
            Some(bar) => {
                bar.set_position(elapsed_s.min(self.planned_s));
                bar.set_message(line);
                bar.tick();
            }
            // A closed stderr does not stop a run.
            None => drop(writeln!(std::io::stderr(), "{line}")),
        }
    }

    pub(crate) fn clear(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }

    /// `12/67 s  no errors  p99 1.20 ms of 10.0 ms  1000/s  100 of 100 open  steady (hold)`. The most important comes
    /// first, because a narrow terminal cuts the end off.
    fn line(&self, now: &Now<'_>, so_far: &Summary) -> String {
        let stage = &now.profile.stages[now.stage];
        let phase = now.phase.name().replace('_', "-");
        let judged = now.profile.judged(now.stage);
        let times = judged.map(|judged| now.last.timing(judged)).filter(|of| of.count > 0);
        let p99 = times.map(|times| match times.quantile_ns(0.99) {
            Some(ns) => units::time(ns as f64),
            None => "lost".to_owned(),
        });
        let latency = match (p99, self.p99_limit) {
            (None, _) => String::new(),
            (Some(p99), None) => format!("  p99 {p99}"),
            (Some(p99), Some(limit)) => format!("  p99 {p99} of {}", units::time(limit)),
        };
        let errors = match so_far.overall.counts.errors() {
            0 => "no errors".to_owned(),
            some => units::counted(some, "error"),
        };
        format!(
            "{}/{} s  {errors}{latency}  {}/s  {} of {} open  {} ({phase})",
            now.second + 1,
            self.planned_s,
            now.last.counts.received,
            now.open,
            now.target,
            stage.name,
        )
    }
}
