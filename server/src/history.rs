use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};

/// Points at which every other one is dropped: fifteen minutes at one a second.
const MAX_POINTS: usize = 900;

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

/// The newest run in a bounded number of points: the longer the run, the fewer points per second.
#[derive(Debug)]
pub(crate) struct History {
    series: &'static [&'static str],
    run_id: String,
    /// All kept points but the newest.
    older: Vec<Kept>,
    newest: Option<Kept>,
    /// Points before the newest; every `every`th of them is kept.
    passed: u64,
    every: u64,
}

/// The seconds and the values of a point.
type Kept = (f64, Box<[f32]>);

impl History {
    pub(crate) fn new(series: &'static [&'static str]) -> Self {
        Self { series, run_id: String::new(), older: Vec::new(), newest: None, passed: 0, every: 1 }
    }

    pub(crate) fn push(&mut self, point: Point<'_>) {
        if self.run_id != point.run_id {
            *self = Self { run_id: point.run_id.to_owned(), ..Self::new(self.series) };
        }
        let newest = (point.seconds, point.values.into());
        let Some(last) = self.newest.replace(newest) else { return };
        if self.passed.is_multiple_of(self.every) {
            self.older.push(last);
        }
        self.passed += 1;
        if self.older.len() == MAX_POINTS {
            let mut nth = 0;
            self.older.retain(|_| {
                nth += 1;
                nth % 2 == 1
            });
            self.every *= 2;
        }
    }
}

/// A map of columns: `run_id`, `time` in seconds, then each series. JSON has null for NaN.
impl Serialize for History {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let points = || self.older.iter().chain(&self.newest);
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("run_id", &self.run_id)?;
        map.serialize_entry("time", &points().map(|(seconds, _)| seconds).collect::<Vec<_>>())?;
        for (column, name) in self.series.iter().enumerate() {
            let values: Vec<_> = points().map(|(_, values)| values.get(column)).collect();
            map.serialize_entry(name, &values)?;
        }
        map.end()
    }
}
