use std::io::{IsTerminal, Write};
use std::time::SystemTime;

use bench_show::units;
use indicatif::{ProgressBar, ProgressStyle};
use load::summary::Summary;
use load_engine::progress::Progress as Now;
use load_engine::run::RunSettings;
use load_plan::metrics::Distribution;
use load_plan::model::Phase;
use load_plan::thresholds::{Metric, Statistic};

/// On a terminal: the time and a bar as wide as there is room, and below it what has been measured.
const TEMPLATE: &str = "{prefix} {wide_bar}\n{wide_msg}";

/// Progress on stderr: two lines that change on a terminal, a line per second elsewhere.
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
            let style = ProgressStyle::with_template(TEMPLATE).expect("the template is constant");
            let style = style.progress_chars("━╸─");
            Some(ProgressBar::new(planned_s.max(1)).with_style(style))
        } else {
            None
        };
        let progress = Self { bar, planned_s, p99_limit };
        progress.say(0, || opening.clone(), || opening.clone());
        progress
    }

    pub(crate) fn show(&self, now: &Now<'_>, so_far: &Summary) {
        let elapsed_s = now.elapsed.as_secs();
        self.say(elapsed_s, || self.figures(now, so_far), || self.line(now, so_far));
    }

    /// Says `figures` below a bar, or else `line`.
    fn say(&self, elapsed_s: u64, figures: impl FnOnce() -> String, line: impl FnOnce() -> String) {
        match &self.bar {
            Some(bar) => {
                // What comes behind the plan is the drain.
                let elapsed_s = elapsed_s.min(self.planned_s);
                bar.set_prefix(format!("{} of {}", clock(elapsed_s), clock(self.planned_s)));
                bar.set_position(elapsed_s);
                bar.set_message(figures());
                bar.tick();
            }
            // A closed stderr does not stop a run.
            None => drop(writeln!(std::io::stderr(), "{}", line())),
        }
    }

    pub(crate) fn clear(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }

    /// `no errors  1.00k/s  p50 310 µs  p99 1.20 ms of 10.0 ms  100 of 100 open  steady`: the percentiles are of all holds so
    /// far. The most important comes first, because a narrow terminal cuts the end off.
    fn figures(&self, now: &Now<'_>, so_far: &Summary) -> String {
        let latency = &so_far.overall.latency;
        let phase = now.phase.name().replace('_', "-");
        let stage = &now.profile.stages[now.stage].name;
        let at = match now.phase {
            Phase::Hold if !stage.is_empty() => stage.clone(),
            _ if stage.is_empty() => phase,
            _ => format!("{stage} ({phase})"),
        };
        let p50 = percentile(latency, 0.5).map(|p50| format!("  p50 {p50}"));
        format!(
            "{}  {}{}{}  {} of {} open  {at}",
            errors(so_far),
            units::rate(now.last.counts.received as f64),
            p50.unwrap_or_default(),
            self.p99(latency),
            now.open,
            now.target,
        )
    }

    /// `12/67 s  no errors  p99 1.20 ms of 10.0 ms  1000/s  100 of 100 open  steady (hold)`: the percentile is of the last
    /// second.
    fn line(&self, now: &Now<'_>, so_far: &Summary) -> String {
        let judged = now.profile.judged(now.stage);
        let p99 = judged.map(|judged| self.p99(now.last.timing(judged)));
        format!(
            "{}/{} s  {}{}  {}/s  {} of {} open  {} ({})",
            now.second + 1,
            self.planned_s,
            errors(so_far),
            p99.unwrap_or_default(),
            now.last.counts.received,
            now.open,
            now.target,
            now.profile.stages[now.stage].name,
            now.phase.name().replace('_', "-"),
        )
    }

    /// `  p99 1.20 ms of 10.0 ms`; empty without values.
    fn p99(&self, of: &Distribution) -> String {
        match (percentile(of, 0.99), self.p99_limit) {
            (None, _) => String::new(),
            (Some(p99), None) => format!("  p99 {p99}"),
            (Some(p99), Some(limit)) => format!("  p99 {p99} of {}", units::time(limit)),
        }
    }
}

/// `None` without values.
fn percentile(of: &Distribution, quantile: f64) -> Option<String> {
    (of.count > 0).then(|| match of.quantile_ns(quantile) {
        Some(ns) => units::time(ns as f64),
        None => "lost".to_owned(),
    })
}

fn errors(so_far: &Summary) -> String {
    match so_far.overall.counts.errors() {
        0 => "no errors".to_owned(),
        some => units::counted(some, "error"),
    }
}

/// `0:05`, `1:00:00`.
fn clock(seconds: u64) -> String {
    let (h, min, s) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    if h > 0 { format!("{h}:{min:02}:{s:02}") } else { format!("{min}:{s:02}") }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use load_plan::metrics::{Recorder, Timing};
    use load_plan::model::Interval;
    use load_plan::profile::Profile;

    use super::*;

    #[test]
    fn a_bar_has_the_percentiles_of_all_seconds_and_a_line_those_of_the_last_one() {
        let profile = "name = 'test'\n[[stage]]\nname = 'steady'\nconnections = 9\nhold = '90s'";
        let profile = Profile::parse(profile, "test").expect("a good profile");
        let mut so_far = Summary::nothing(&profile);
        let [first, last] = [1, 3].map(|ms| {
            let mut recorder = Recorder::default();
            recorder.counts.received = 1_000;
            (0..100).for_each(|_| recorder.record(Timing::RttIntended, ms * 1_000_000));
            let (second, phase, length_ns) = (ms, Phase::Hold, 1_000_000_000);
            let (open, target) = (9, 9);
            let sample = recorder.cut();
            Interval {
                second,
                stage: 0,
                phase,
                length_ns,
                open,
                target,
                generator_cpu: 0.0,
                sample,
            }
        });
        so_far.add(&profile, &first);
        so_far.add(&profile, &last);
        let now = Now {
            profile: &profile,
            elapsed: Duration::from_secs(4),
            second: 3,
            stage: 0,
            phase: Phase::Hold,
            open: 9,
            target: 9,
            last: &last.sample,
            closed: &[],
            generator_cpu: 0.0,
        };
        let progress = Progress { bar: None, planned_s: 90, p99_limit: Some(5e6) };
        let figures =
            "no errors  1.00k/s  p50 1.00 ms  p99 3.00 ms of 5.00 ms  9 of 9 open  steady";
        assert_eq!(progress.figures(&now, &so_far), figures);
        let line = "4/90 s  no errors  p99 3.00 ms of 5.00 ms  1000/s  9 of 9 open  steady (hold)";
        assert_eq!(progress.line(&now, &so_far), line);
        let ramp = Now { phase: Phase::Ramp, ..now };
        let nothing = Summary::nothing(&profile);
        let figures = "no errors  1.00k/s  9 of 9 open  steady (ramp)";
        assert_eq!(progress.figures(&ramp, &nothing), figures);
    }

    #[test]
    fn a_clock_has_hours_once_there_are_some() {
        assert_eq!([5, 65, 3_600].map(clock), ["0:05", "1:05", "1:00:00"]);
    }
}
