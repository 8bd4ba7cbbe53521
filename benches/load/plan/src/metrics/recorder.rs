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
    /// A time, and how often in a row it was recorded. Messages that were sent together and came together have one time.
    run: (u64, u64),
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
        dial.end_run();
        let min_ns = dial.min_ns;
        dial.record(ns);
        dial.end_run();
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
        let (histogram, min_ns) = (histogram(), u64::MAX);
        Box::new(Self { histogram, lost: 0, sum_ns: 0, min_ns, max_ns: 0, run: (0, 0) })
    }

    fn record(&mut self, ns: u64) {
        if ns != self.run.0 {
            self.end_run();
            self.run.0 = ns;
        }
        self.run.1 += 1;
    }

    fn end_run(&mut self) {
        let (ns, times) = std::mem::take(&mut self.run);
        if times > 0 {
            self.histogram.saturating_record_n(ns.clamp(LOWEST_NS, HIGHEST_NS), times);
            self.sum_ns += u128::from(ns) * u128::from(times);
            self.min_ns = self.min_ns.min(ns);
            self.max_ns = self.max_ns.max(ns);
        }
    }

    fn cut(&mut self) -> Distribution {
        self.end_run();
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
