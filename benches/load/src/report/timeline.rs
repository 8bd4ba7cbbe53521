//! A run as a row of slots to draw: one per interval or, in a long run, one per several seconds.

use load_plan::metrics::Sample;
use load_plan::model::{Interval, Phase, Run};

/// Most seconds that get a slot each: more do not fit on a page.
const MOST: u64 = 240;

/// The intervals that are drawn as one.
pub(super) struct Slot {
    /// Seconds since the run's start.
    pub(super) from: f64,
    pub(super) to: f64,
    pub(super) stage: usize,
    pub(super) phase: Phase,
    /// In nanoseconds.
    pub(super) length_ns: u64,
    /// At the end.
    pub(super) open: u64,
    pub(super) target: u64,
    /// Mean.
    pub(super) generator_cpu: f64,
    pub(super) sample: Sample,
}

/// Seconds that share a slot.
pub(super) fn width(run: &Run) -> u64 {
    let seconds = run.intervals.last().map_or(0, |last| last.second + 1);
    seconds.div_ceil(MOST).max(1)
}

pub(super) fn slots(run: &Run) -> Vec<Slot> {
    let width = width(run);
    let mut slots: Vec<Slot> = Vec::new();
    let mut end = 0.0_f64;
    let mut window = None;
    for interval in &run.intervals {
        // Intervals of the same second follow each other; after a gap the next second is later.
        let from = end.max(interval.second as f64);
        let to = from + interval.length_ns as f64 / 1e9;
        end = to;
        let key = Some((interval.second / width, interval.stage, interval.phase));
        match slots.last_mut() {
            Some(slot) if window == key => slot.add(interval, to),
            _ => slots.push(Slot::new(interval, from, to)),
        }
        window = key;
    }
    slots
}

/// Start and end of every row of consecutive slots that `keep` keeps.
pub(super) fn ranges(slots: &[Slot], keep: impl Fn(&Slot) -> bool) -> Vec<[f64; 2]> {
    slots
        .chunk_by(|one, next| keep(one) == keep(next))
        .filter_map(|chunk| match chunk {
            [first, ..] if keep(first) => {
                Some([first.from, chunk.last().map_or(first.to, |last| last.to)])
            }
            _ => None,
        })
        .collect()
}

impl Slot {
    fn new(interval: &Interval, from: f64, to: f64) -> Self {
        Self {
            from,
            to,
            stage: interval.stage,
            phase: interval.phase,
            length_ns: interval.length_ns,
            open: interval.open,
            target: interval.target,
            generator_cpu: interval.generator_cpu,
            sample: interval.sample.clone(),
        }
    }

    fn add(&mut self, interval: &Interval, to: f64) {
        let length_ns = self.length_ns + interval.length_ns;
        let weigh = |share: f64, ns: u64| share * ns as f64 / length_ns.max(1) as f64;
        self.generator_cpu = weigh(self.generator_cpu, self.length_ns)
            + weigh(interval.generator_cpu, interval.length_ns);
        (self.to, self.length_ns) = (to, length_ns);
        (self.open, self.target) = (interval.open, interval.target);
        self.sample.add(&interval.sample);
    }

    pub(super) fn middle(&self) -> f64 {
        f64::midpoint(self.from, self.to)
    }

    /// A count of the slot per second; `None` for a slot without a length.
    pub(super) fn per_second(&self, count: u64) -> Option<f64> {
        (self.length_ns > 0).then(|| count as f64 / (self.length_ns as f64 / 1e9))
    }
}
