mod flags;
mod message;

use std::net::SocketAddr;

use anyhow::{Context, Result};
use load::summary::{Summary, generator_cpu};
use load::validator::Assessment;
use load_engine::progress::Progress;
use load_engine::run::RunSettings;
use load_plan::metrics::Timing;
use load_plan::model::Run;
use server::Access;
use server::live::Point;

pub(crate) use flags::LiveFlags;
use message::{Latency, Load, Mark, Stage};

/// The live page of one run.
pub(crate) struct Live {
    page: server::LivePage,
    run_id: String,
    url: String,
    marks: Vec<Mark>,
    rates: Rates,
}

/// The page's series beside the time, in the order of [`Rates::point`].
const SERIES: &[&str] = &[
    "p50",
    "p95",
    "p99",
    "max",
    "offered",
    "achieved",
    "target",
    "open",
    "sent",
    "received",
    "errors",
    "backpressure",
    "lag",
    "cpu",
];

impl Live {
    pub(crate) fn start(addr: SocketAddr, access: Access, settings: &RunSettings) -> Result<Self> {
        let page =
            server::LivePage::start(addr, SERIES, access).context("cannot start the live page")?;
        eprintln!("live on http://{}", page.addr());
        let (run_id, url) = (settings.run_id.clone(), settings.url.clone());
        Ok(Self { page, run_id, url, marks: Vec::new(), rates: Rates::default() })
    }

    pub(crate) fn show(&mut self, now: &Progress<'_>, so_far: &Summary) {
        let elapsed_ns = now.elapsed.as_nanos() as u64;
        let (stage, phase, name) = (now.stage, now.phase, &now.profile.stages[now.stage].name);
        if self.marks.last().is_none_or(|last| (last.stage, last.phase) != (stage, phase)) {
            self.marks.push(Mark { at_ns: elapsed_ns, stage, name: name.clone(), phase });
        }
        let judged = now.profile.judged(now.stage).unwrap_or(Timing::Ping);
        let counts = &now.last.counts;
        let load = Load {
            elapsed_ns,
            stage: Some(Stage { index: stage, name, phase }),
            judged: judged.name(),
            latency: Latency::of(now.last.timing(judged)),
            offered_per_s: now.profile.is_open_loop(now.stage).then_some(counts.due as f64),
            achieved_per_s: counts.sent as f64,
            sent_mbps: counts.sent_bytes as f64 * 8.0 / 1e6,
            received_mbps: counts.received_bytes as f64 * 8.0 / 1e6,
            open: now.open,
            target: now.target,
            lag_p99_ns: now.last.timing(Timing::ScheduleLag).quantile_ns(0.99),
            generator_cpu: now.generator_cpu,
            ..Load::new(&self.run_id, &self.url, &self.marks, now.profile, so_far)
        };
        let (seconds, values) = self.rates.point(&load);
        let point = Point { run_id: &self.run_id, seconds, values: &values };
        self.page.publish(&load, Some(point));
    }

    /// Shows the verdict and closes the page, without waiting for browsers that still watch.
    pub(crate) fn finish(self, run: &Run, assessment: &Assessment) {
        let summary = Summary::of(run);
        let overall = &summary.overall;
        let per_s = |count: u64| overall.per_s(count).unwrap_or_default();
        let mbps = |bytes: u64| overall.mbps(bytes).unwrap_or_default();
        let elapsed: u64 = run.intervals.last().map_or(0, |last| last.second + 1);
        let load = Load {
            state: assessment.verdict.name(),
            reasons: &assessment.reasons,
            elapsed_ns: elapsed * 1_000_000_000,
            judged: overall.judged.first().map_or("none", |judged| judged.name()),
            latency: Latency::of(&overall.latency),
            offered_per_s: run.profile.is_open_loop(0).then(|| per_s(overall.held.due)),
            achieved_per_s: per_s(overall.held.sent),
            sent_mbps: mbps(overall.held.sent_bytes),
            received_mbps: mbps(overall.held.received_bytes),
            generator_cpu: generator_cpu(run, |_| true).unwrap_or_default(),
            lag_p99_ns: overall.timing(Timing::ScheduleLag).quantile_ns(0.99),
            ..Load::new(&self.run_id, &self.url, &self.marks, &run.profile, &summary)
        };
        self.page.publish(&load, None);
        if let Err(error) = self.page.stop() {
            eprintln!("the live page did not close cleanly: {error}");
        }
    }
}

/// The counts at the last point, for the rates of the next one.
#[derive(Default)]
struct Rates {
    seconds: Option<f64>,
    errors: u64,
    backpressure: u64,
}

impl Rates {
    /// The time of `load` in seconds since the start, and the values of [`SERIES`].
    fn point(&mut self, load: &Load<'_>) -> (f64, [f32; SERIES.len()]) {
        let seconds = load.elapsed_ns as f64 / 1e9;
        let passed = self.seconds.map_or(0.0, |last| seconds - last);
        let per_s = |now: u64, before: u64| match passed {
            passed if passed > 0.0 => (now.saturating_sub(before) as f64 / passed) as f32,
            _ => f32::NAN,
        };
        let ns = |ns: Option<u64>| ns.map_or(f32::NAN, |ns| ns as f32);
        let [p50, p95, p99, max] = load.latency.as_ref().map_or([f32::NAN; 4], |latency| {
            [latency.p50_ns, latency.p95_ns, latency.p99_ns, latency.max_ns].map(ns)
        });
        let values = [
            p50,
            p95,
            p99,
            max,
            load.offered_per_s.map_or(f32::NAN, |offered| offered as f32),
            load.achieved_per_s as f32,
            load.target as f32,
            load.open as f32,
            load.sent_mbps as f32,
            load.received_mbps as f32,
            per_s(load.errors.total, self.errors),
            per_s(load.backpressure_events, self.backpressure),
            // A logarithmic axis has no place for 0.
            ns(load.lag_p99_ns.filter(|ns| *ns > 0)),
            load.generator_cpu as f32,
        ];
        *self = Self {
            seconds: Some(seconds),
            errors: load.errors.total,
            backpressure: load.backpressure_events,
        };
        (seconds, values)
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::{Ipv4Addr, TcpStream};

    use load_plan::profile::Profile;

    use super::*;

    #[test]
    fn a_point_has_the_rates_since_the_point_before() {
        let profile = Profile::builtin("smoke").expect("there is one");
        let nothing = Summary::nothing(&profile);
        let mut rates = Rates::default();
        let mut errors_at = |second: u64, total: u64| {
            let mut load = Load::new("1", "ws://plimsoll.test", &[], &profile, &nothing);
            load.elapsed_ns = second * 1_000_000_000;
            load.errors.total = total;
            let (seconds, values) = rates.point(&load);
            assert_eq!(seconds, second as f64);
            let column = |name| SERIES.iter().position(|series| *series == name).expect(name);
            assert!(values[column("p99")].is_nan());
            values[column("errors")]
        };
        assert!(errors_at(1, 10).is_nan());
        assert_eq!(errors_at(2, 20), 10.0);
        assert_eq!(errors_at(4, 60), 20.0);
    }

    #[test]
    fn the_page_draws_every_series_of_the_history() {
        let page =
            server::LivePage::start((Ipv4Addr::LOCALHOST, 0).into(), SERIES, Access::default())
                .expect("a port");
        let mut stream = TcpStream::connect(page.addr()).expect("the page is served");
        stream
            .write_all(
                b"GET /page/load.js HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
            )
            .expect("the page is served");
        let mut script = String::new();
        stream.read_to_string(&mut script).expect("the script is text");
        for series in SERIES {
            assert!(script.contains(&format!("{series}: \"")), "load.js draws no {series}");
        }
        page.stop().expect("it ends in order");
    }
}
