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

/// Quantiles of summaries, as they are written.
const QUANTILES: [&str; 5] = ["0.5", "0.9", "0.95", "0.99", "0.999"];

/// The state of the run `run_id` at the end of a second; `so_far` includes it. Everything but the gauges is since the start.
#[must_use]
pub fn running(run_id: &str, now: &Progress<'_>, so_far: &Summary) -> String {
    let mut text = Text::new(run_id, &now.profile.name);
    text.state(RUNNING);
    text.gauge("connections_open", now.open as f64);
    text.gauge("connections_wanted", now.target as f64);
    text.gauge("generator_processors", now.generator_cpu);
    text.totals(&so_far.overall)
}

/// The state at the end: no connection is open any more.
#[must_use]
pub fn ended(run: &Run, assessment: &Assessment) -> String {
    let mut text = Text::new(&run.run_id, &run.profile.name);
    text.state(assessment.verdict.name());
    text.gauge("connections_open", 0.0);
    text.gauge("connections_wanted", 0.0);
    text.gauge("generator_processors", 0.0);
    text.totals(&Summary::of(run).overall)
}

struct Text(String);

impl Text {
    fn new(run_id: &str, profile: &str) -> Self {
        let mut text = Self(FIRST_LINE.to_owned());
        let [run_id, profile] = [run_id, profile].map(escaped);
        text.line(&format!("run_info{{run_id=\"{run_id}\",profile=\"{profile}\"}} 1"));
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

    fn state(&mut self, state: &str) {
        self.family("state", "gauge", "1 for running, then for the verdict");
        for known in [RUNNING].into_iter().chain(RunVerdict::ALL.map(RunVerdict::name)) {
            self.line(&format!("state{{state=\"{known}\"}} {}", u8::from(known == state)));
        }
    }

    fn gauge(&mut self, name: &str, value: f64) {
        self.family(name, "gauge", "");
        self.line(&format!("{name} {value}"));
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
