//! The state of a run as OpenMetrics text, for the collector of text files of Prometheus' node exporter. Its parser knows no
//! types but those of Prometheus, so an info and a state set are gauges.

use std::fmt::Write as _;

use crate::summary::{Figures, Summary, error_kinds};
use crate::validator::{Assessment, RunVerdict};
use load_engine::progress::Progress;
use load_plan::metrics::{Distribution, Timing};
use load_plan::model::Run;

/// The first line, by which a file of this tool is recognised.
pub const FIRST_LINE: &str = "# TYPE ws_load_run_info gauge\n";

/// The state while the verdict is open.
const RUNNING: &str = "running";

/// The state of a run that ended without a verdict.
const FAILED: &str = "failed";

/// Quantiles of summaries, as they are written.
const QUANTILES: [&str; 5] = ["0.5", "0.9", "0.95", "0.99", "0.999"];

/// What a run is called, and what its figures do not say.
#[derive(Clone, Copy, Debug)]
pub struct About<'a> {
    /// Name of the run.
    pub run_id: &'a str,
    /// Name of its profile.
    pub profile: &'a str,
    /// Whether the target's certificate is not checked.
    pub insecure: bool,
}

/// The state before the first second, so that the file is no longer of an earlier run.
#[must_use]
pub fn began(about: About<'_>) -> String {
    still(about, RUNNING, &Figures::default())
}

/// The state at the end of a second; `so_far` includes it. Everything but the gauges is since the start.
#[must_use]
pub fn running(about: About<'_>, now: &Progress<'_>, so_far: &Summary) -> String {
    let gauges = [now.open as f64, now.target as f64, now.generator_cpu];
    Text::new(about, RUNNING, gauges).totals(&so_far.overall)
}

/// The state of a run that failed before it had a verdict.
#[must_use]
pub fn failed(about: About<'_>, so_far: &Summary) -> String {
    still(about, FAILED, &so_far.overall)
}

/// The state at the end.
#[must_use]
pub fn ended(run: &Run, assessment: &Assessment) -> String {
    let Run { run_id, insecure, .. } = run;
    let about = About { run_id, profile: &run.profile.name, insecure: *insecure };
    still(about, assessment.verdict.name(), &Summary::of(run).overall)
}

/// Without an open connection.
fn still(about: About<'_>, state: &str, figures: &Figures) -> String {
    Text::new(about, state, [0.0; 3]).totals(figures)
}

struct Text(String);

impl Text {
    /// `gauges`: connections that are open and wanted, and processors of the generator.
    fn new(about: About<'_>, state: &str, gauges: [f64; 3]) -> Self {
        let mut text = Self(FIRST_LINE.to_owned());
        let [run_id, profile] = [about.run_id, about.profile].map(escaped);
        text.line(&format!("run_info{{run_id=\"{run_id}\",profile=\"{profile}\"}} 1"));
        text.family("state", "gauge", "1 for running, then for the verdict, or for failed");
        let verdicts = RunVerdict::ALL.map(RunVerdict::name);
        for known in [RUNNING].into_iter().chain(verdicts).chain([FAILED]) {
            text.line(&format!("state{{state=\"{known}\"}} {}", u8::from(known == state)));
        }
        text.family("certificate_unchecked", "gauge", "1 with --insecure, over TLS");
        text.line(&format!("certificate_unchecked {}", u8::from(about.insecure)));
        let names = ["connections_open", "connections_wanted", "generator_processors"];
        for (name, value) in names.into_iter().zip(gauges) {
            text.family(name, "gauge", "");
            text.line(&format!("{name} {value}"));
        }
        text
    }

    fn line(&mut self, sample: &str) {
        writeln!(self.0, "ws_load_{sample}").expect("a String takes every text");
    }

    fn family(&mut self, name: &str, kind: &str, help: &str) {
        writeln!(self.0, "# TYPE ws_load_{name} {kind}").expect("a String takes every text");
        if !help.is_empty() {
            writeln!(self.0, "# HELP ws_load_{name} {help}").expect("a String takes every text");
        }
    }

    fn counter(&mut self, name: &str, value: u64) {
        self.family(name, "counter", "");
        self.line(&format!("{name}_total {value}"));
    }

    fn summary(&mut self, name: &str, help: &str, times: &Distribution) {
        self.family(name, "summary", help);
        for text in QUANTILES {
            let quantile = text.parse().expect("it is a number");
            let value = match times.quantile_ns(quantile) {
                Some(ns) => (ns as f64 / 1e9).to_string(),
                // Among messages that were never answered.
                None if times.count > 0 => "+Inf".to_owned(),
                None => "NaN".to_owned(),
            };
            self.line(&format!("{name}{{quantile=\"{text}\"}} {value}"));
        }
        self.line(&format!("{name}_sum {}", times.sum_ns as f64 / 1e9));
        self.line(&format!("{name}_count {}", times.count));
    }

    fn totals(mut self, figures: &Figures) -> String {
        let counts = &figures.counts;
        self.counter("messages_due", counts.due);
        self.counter("messages_sent", counts.sent);
        self.counter("messages_received", counts.received);
        self.counter("connections_attempted", counts.attempted);
        self.counter("connections_opened", counts.opened);
        self.family("errors", "counter", "faulty messages and failed connections");
        for (kind, count) in error_kinds(counts) {
            self.line(&format!("errors_total{{kind=\"{kind}\"}} {count}"));
        }
        let help = "the judged round trips of holds; +Inf is a message without an answer";
        self.summary("latency_seconds", help, &figures.latency);
        let lag = figures.timing(Timing::ScheduleLag);
        self.summary("schedule_lag_seconds", "how late the generator itself was", lag);
        self.0 + "# EOF\n"
    }
}

/// The value of a label.
fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}
