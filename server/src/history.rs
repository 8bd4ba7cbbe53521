use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};

/// Points at which every other one is dropped: fifteen minutes at one a second.
const MAX_POINTS: usize = 900;

/// The values of a point of a server: rates, then gauges. The page calls them so.
pub(crate) const SERVER: &[&str] = &[
    "messages",
    "mbps",
    "faults",
    "mistakes",
    "refused",
    "backpressure",
    "orderly",
    "disorderly",
    "blocks",
    "cpu",
    "p50",
    "p95",
    "p99",
    "echo",
    "dashboard",
    "open",
    "live_blocks",
    "live_bytes",
    "resident",
    "descriptors",
];

/// One moment of a run in the history that a page gets when it opens late.
#[derive(Clone, Copy, Debug)]
pub struct Point<'a> {
    /// The run. A point of another run begins a new history.
    pub run_id: &'a str,
    /// Time since the run's start, in seconds.
    pub seconds: f64,
    /// One value for each series, in the order in which the series were named; NaN where there is none. An `f32` has
    /// seven digits, more than a screen shows.
    pub values: &'a [f32],
}

/// The newest run in a bounded number of points: the longer the run, the fewer points per second. Takes its memory when
/// it is made, and none with a point of the same run.
#[derive(Debug)]
pub(crate) struct History {
    series: &'static [&'static str],
    run_id: String,
    /// The seconds of every kept point and of the newest.
    times: Vec<f64>,
    /// For each of the times one value for each of the series.
    values: Vec<f32>,
    /// Points before the newest; every `every`th of them is kept.
    passed: u64,
    every: u64,
}

impl History {
    pub(crate) fn new(series: &'static [&'static str]) -> Self {
        let times = Vec::with_capacity(MAX_POINTS);
        let values = Vec::with_capacity(MAX_POINTS * series.len());
        Self { series, run_id: String::new(), times, values, passed: 0, every: 1 }
    }

    pub(crate) fn push(&mut self, point: Point<'_>) {
        if self.run_id != point.run_id {
            self.run_id = point.run_id.to_owned();
            self.times.clear();
            self.values.clear();
            (self.passed, self.every) = (0, 1);
        }
        if !self.times.is_empty() {
            self.settle();
        }
        self.times.push(point.seconds);
        let values = point.values.iter().copied().chain(std::iter::repeat(f32::NAN));
        self.values.extend(values.take(self.series.len()));
    }

    /// Keeps the newest point or drops it, to make room for the next.
    fn settle(&mut self) {
        let width = self.series.len();
        if !self.passed.is_multiple_of(self.every) {
            self.times.pop();
        }
        self.passed += 1;
        if self.times.len() == MAX_POINTS {
            let kept = MAX_POINTS.div_ceil(2);
            for to in 1..kept {
                self.times[to] = self.times[2 * to];
                self.values.copy_within(2 * to * width..(2 * to + 1) * width, to * width);
            }
            self.times.truncate(kept);
            self.every *= 2;
        }
        self.values.truncate(self.times.len() * width);
    }
}

/// A map of columns: `run_id`, `time` in seconds, then each series. JSON has null for NaN.
impl Serialize for History {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("run_id", &self.run_id)?;
        map.serialize_entry("time", &self.times)?;
        for (column, name) in self.series.iter().enumerate() {
            let values = self.values.chunks_exact(self.series.len()).map(|values| values[column]);
            map.serialize_entry(name, &values.collect::<Vec<_>>())?;
        }
        map.end()
    }
}
