use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};

use super::{Load, State};

/// Points at which every other one goes: fifteen minutes at one a second.
const MOST: usize = 900;

/// The page's series beside the time, by the names that it gives them.
const SERIES: [&str; 14] = [
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

/// A run so far as the page draws it, for those who come late. Bounded: the longer the run, the fewer points a second.
#[derive(Debug)]
pub(crate) struct History {
    run_id: String,
    /// All but the newest.
    points: Vec<Point>,
    newest: Option<Point>,
    /// Points that came and are not the newest any more; of these every `every`th is kept.
    passed: u64,
    every: u64,
    /// Errors and back-pressure events as of the newest.
    counts: [u64; 2],
}

#[derive(Clone, Copy, Debug)]
struct Point {
    seconds: f64,
    /// NaN where there is no number, which JSON writes as null. Seven digits are more than a screen shows.
    values: [f32; SERIES.len()],
}

impl Default for History {
    fn default() -> Self {
        Self {
            run_id: String::new(),
            points: Vec::new(),
            newest: None,
            passed: 0,
            every: 1,
            counts: [0; 2],
        }
    }
}

impl History {
    /// One more message. A verdict tells of the whole run: it is no point of it.
    pub(super) fn push(&mut self, load: &Load<'_>) {
        if self.run_id != load.run_id {
            *self = Self { run_id: load.run_id.to_owned(), ..Self::default() };
        }
        if load.state != State::Running {
            return;
        }
        let point = self.point(load);
        self.counts = [load.errors.total, load.backpressure_events];
        let Some(last) = self.newest.replace(point) else { return };
        if self.passed.is_multiple_of(self.every) {
            self.points.push(last);
        }
        self.passed += 1;
        if self.points.len() == MOST {
            let mut nth = 0;
            self.points.retain(|_| {
                nth += 1;
                nth % 2 == 1
            });
            self.every *= 2;
        }
    }

    fn point(&self, load: &Load<'_>) -> Point {
        let seconds = load.elapsed_ns as f64 / 1e9;
        let passed = self.newest.map_or(0.0, |newest| seconds - newest.seconds);
        let per_s = |now: u64, before: u64| {
            if passed > 0.0 {
                (now.saturating_sub(before) as f64 / passed) as f32
            } else {
                f32::NAN
            }
        };
        let latency = load.latency.map_or([f32::NAN; 4], |latency| {
            [latency.p50_ns, latency.p95_ns, latency.p99_ns, latency.max_ns].map(|ns| ns as f32)
        });
        let [p50, p95, p99, max] = latency;
        let [errors, backpressure] = self.counts;
        Point {
            seconds,
            values: [
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
                per_s(load.errors.total, errors),
                per_s(load.backpressure_events, backpressure),
                // 0 has no place on a logarithmic axis.
                load.lag_p99_ns.filter(|ns| *ns > 0).map_or(f32::NAN, |ns| ns as f32),
                load.generator_cpu as f32,
            ],
        }
    }
}

/// A map of columns; `time` in seconds since the run's start.
impl Serialize for History {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let points = || self.points.iter().chain(&self.newest);
        let mut map = serializer.serialize_map(Some(2 + SERIES.len()))?;
        map.serialize_entry("run_id", &self.run_id)?;
        map.serialize_entry("time", &points().map(|point| point.seconds).collect::<Vec<_>>())?;
        for (column, name) in SERIES.iter().enumerate() {
            let values: Vec<f32> = points().map(|point| point.values[column]).collect();
            map.serialize_entry(name, &values)?;
        }
        map.end()
    }
}
