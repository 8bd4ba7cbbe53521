//! A run as a row of slots to draw: one per interval or, in a long run, one per several seconds.

use load_plan::model::{Interval, Run};

/// Most seconds that get a slot each: more do not fit on a page.
const MOST: u64 = 240;

/// The intervals that are drawn as one.
pub(super) struct Slot {
    /// Seconds since the run's start.
    pub(super) from: f64,
    pub(super) to: f64,
    /// Counts and timings are sums, `generator_cpu` is the mean, connections are those at the end.
    pub(super) sum: Interval,
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
            Some(slot) if window == key => {
                slot.to = to;
                add(&mut slot.sum, interval);
            }
            _ => slots.push(Slot { from, to, sum: interval.clone() }),
        }
        window = key;
    }
    slots
}

fn add(sum: &mut Interval, interval: &Interval) {
    let length_ns = sum.length_ns + interval.length_ns;
    let weigh = |of: &Interval| of.generator_cpu * of.length_ns as f64 / length_ns.max(1) as f64;
    sum.generator_cpu = weigh(sum) + weigh(interval);
    (sum.length_ns, sum.open, sum.target) = (length_ns, interval.open, interval.target);
    sum.sample.add(&interval.sample);
}

/// Start and end of every row of consecutive slots that `keep` keeps.
pub(super) fn ranges(slots: &[Slot], keep: impl Fn(&Slot) -> bool) -> Vec<[f64; 2]> {
    slots
        .chunk_by(|one, next| keep(one) == keep(next))
        .filter(|chunk| keep(&chunk[0]))
        .map(|chunk| [chunk[0].from, chunk[chunk.len() - 1].to])
        .collect()
}

impl Slot {
    /// A count of the slot per second; `None` for a slot without a length.
    pub(super) fn per_second(&self, count: u64) -> Option<f64> {
        let length_ns = self.sum.length_ns;
        (length_ns > 0).then(|| count as f64 / (length_ns as f64 / 1e9))
    }
}
