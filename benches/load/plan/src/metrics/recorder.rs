use hdrhistogram::Histogram;

use super::{Distribution, HIGHEST_NS, LOWEST_NS, Sample, Tally, Timing, histogram};

/// The current values of one timing.
#[derive(Debug)]
struct Dial {
    histogram: Histogram<u64>,
    lost: u64,
    sum_ns: u128,
    min_ns: u64,
    max_ns: u64,
}

/// Counts and times since the last cut. Only the first time of each timing allocates.
#[derive(Debug, Default)]
pub struct Recorder {
    /// The counts, which a worker adds to directly.
    pub counts: Tally,
    dials: [Option<Box<Dial>>; Timing::ALL.len()],
}

impl Recorder {
    /// Records `ns` nanoseconds.
    pub fn record(&mut self, timing: Timing, ns: u64) {
        self.dials[timing as usize].get_or_insert_with(Dial::new).record(ns);
    }

    /// Records a time that had not ended after `ns` nanoseconds, which is therefore no minimum.
    pub fn record_open(&mut self, timing: Timing, ns: u64) {
        let dial = self.dials[timing as usize].get_or_insert_with(Dial::new);
        let min_ns = dial.min_ns;
        dial.record(ns);
        dial.min_ns = min_ns;
    }

    /// Records a time that never ended, and lasted `ns` nanoseconds at least.
    pub fn record_lost(&mut self, timing: Timing, ns: u64) {
        let dial = self.dials[timing as usize].get_or_insert_with(Dial::new);
        dial.lost += 1;
        dial.sum_ns += u128::from(ns);
    }

    /// Returns what was recorded since the last cut, and starts again.
    pub fn cut(&mut self) -> Sample {
        let counts = std::mem::take(&mut self.counts);
        let timings = self.dials.each_mut().map(|dial| match dial {
            Some(dial) => dial.cut(),
            None => Distribution::default(),
        });
        Sample { counts, timings }
    }
}

impl Dial {
    fn new() -> Box<Self> {
        Box::new(Self { histogram: histogram(), lost: 0, sum_ns: 0, min_ns: u64::MAX, max_ns: 0 })
    }

    fn record(&mut self, ns: u64) {
        self.histogram.saturating_record(ns.clamp(LOWEST_NS, HIGHEST_NS));
        self.sum_ns += u128::from(ns);
        self.min_ns = self.min_ns.min(ns);
        self.max_ns = self.max_ns.max(ns);
    }

    fn cut(&mut self) -> Distribution {
        let ended = self.histogram.len();
        if ended + self.lost == 0 {
            return Distribution::default();
        }
        let buckets = self
            .histogram
            .iter_recorded()
            .map(|step| (step.value_iterated_to(), step.count_since_last_iteration()))
            .collect();
        let cut = Distribution {
            count: ended + self.lost,
            lost: self.lost,
            sum_ns: self.sum_ns,
            min_ns: self.min_ns.min(self.max_ns),
            max_ns: self.max_ns,
            buckets,
        };
        self.histogram.reset();
        (self.lost, self.sum_ns, self.min_ns, self.max_ns) = (0, 0, u64::MAX, 0);
        cut
    }
}
