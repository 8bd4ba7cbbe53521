//! What is read from a run: its figures as a whole and by stage. Pure.

#[cfg(test)]
pub(super) mod fixture;
#[cfg(test)]
mod tests;

use load_plan::metrics::{Distribution, Tally, Timing};
use load_plan::model::{Interval, Phase, Run, TargetAllocations};
use load_plan::outcome::Fault;
use load_plan::profile::{Profile, Stage};
use load_plan::thresholds::{Metric, Statistic};

/// A run, summed up.
#[derive(Clone, Debug)]
pub struct Summary {
    /// All of it.
    pub overall: Figures,
    /// Each of [`Profile::stages`].
    pub stages: Vec<Figures>,
}

/// What is known of some stretch of a run.
#[derive(Clone, Debug, Default)]
pub struct Figures {
    /// Of the stage; of all, empty.
    pub name: String,
    /// Measured time: the length of its holds.
    pub length_ns: u64,
    /// Holds, or parts of one, that were measured: the samples of what is counted over time.
    pub intervals: u64,
    /// Everything counted, ramps and the end included: no error is left out for coming at the wrong time.
    pub counts: Tally,
    /// What was counted in measured time.
    pub held: Tally,
    /// The latencies that each stage is judged by, together.
    pub latency: Distribution,
    /// Which ones these are; both of a run that mixes open and closed loops, none of an idle one.
    pub judged: Vec<Timing>,
    /// What the target says of its allocations, which is of all of the run.
    pub allocations: Option<TargetAllocations>,
    /// Connections that were not open at the end of the worst interval of measured time.
    missing: u64,
    timings: [Distribution; Timing::ALL.len()],
    /// Sent and due in measured time, of open loops only: a closed one sends when it can.
    paced: [u64; 2],
}

/// A number, and what it rests on.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Measured {
    /// In the base unit of [`Metric::unit`].
    pub value: f64,
    /// How many observations there were; 1 or more.
    pub samples: u64,
}

impl Summary {
    /// Of `run`.
    #[must_use]
    pub fn of(run: &Run) -> Self {
        let mut summary = Self::nothing(&run.profile);
        for interval in &run.intervals {
            summary.add(&run.profile, interval);
        }
        summary.overall.allocations.clone_from(&run.allocations);
        summary
    }

    /// Of a run of `profile` that has not begun.
    #[must_use]
    pub fn nothing(profile: &Profile) -> Self {
        let named = |stage: &Stage| Figures { name: stage.name.clone(), ..Figures::default() };
        Self { overall: Figures::default(), stages: profile.stages.iter().map(named).collect() }
    }

    /// One more interval.
    pub fn add(&mut self, profile: &Profile, interval: &Interval) {
        self.overall.add(profile, interval);
        if let Some(stage) = self.stages.get_mut(interval.stage) {
            stage.add(profile, interval);
        }
    }
}

impl Figures {
    /// Of some intervals of a run of `profile`.
    #[must_use]
    pub fn of<'a>(profile: &Profile, intervals: impl IntoIterator<Item = &'a Interval>) -> Self {
        let mut figures = Self::default();
        for interval in intervals {
            figures.add(profile, interval);
        }
        figures
    }

    /// One more interval.
    pub(super) fn add(&mut self, profile: &Profile, interval: &Interval) {
        let sample = &interval.sample;
        self.counts.add(&sample.counts);
        // Connections are opened in ramps.
        let connect = Timing::Connect as usize;
        self.timings[connect].add(&sample.timings[connect]);
        if interval.phase != Phase::Hold || interval.stage >= profile.stages.len() {
            return;
        }
        self.length_ns += interval.length_ns;
        // An interval without a length holds answers that came after their hold.
        if interval.length_ns > 0 {
            self.intervals += 1;
            self.missing = self.missing.max(interval.target.saturating_sub(interval.open));
        }
        self.held.add(&sample.counts);
        for timing in Timing::ALL.into_iter().filter(|timing| *timing != Timing::Connect) {
            self.timings[timing as usize].add(sample.timing(timing));
        }
        if let Some(timing) = profile.judged(interval.stage) {
            self.latency.add(sample.timing(timing));
            if !self.judged.contains(&timing) {
                self.judged.push(timing);
                self.judged.sort_unstable();
            }
            if timing == Timing::RttIntended {
                self.paced[0] += sample.counts.sent;
                self.paced[1] += sample.counts.due;
            }
        }
    }

    /// One of the distributions: of [`Timing::Connect`] in all of the time, of the others in measured time.
    #[must_use]
    pub fn timing(&self, timing: Timing) -> &Distribution {
        &self.timings[timing as usize]
    }

    /// A count of measured time per second; `None` if no time was measured.
    #[must_use]
    pub fn per_s(&self, count: u64) -> Option<f64> {
        (self.length_ns > 0).then(|| count as f64 / (self.length_ns as f64 / 1e9))
    }

    /// Bytes of measured time in megabits per second; `None` if no time was measured.
    #[must_use]
    pub fn mbps(&self, bytes: u64) -> Option<f64> {
        (self.length_ns > 0).then(|| bytes as f64 * 8.0 / (self.length_ns as f64 / 1e9 * 1e6))
    }

    /// `rtt_intended`, `rtt_service`, or both with a `+` between them; `None` where nothing is judged.
    #[must_use]
    pub fn judged_name(&self) -> Option<String> {
        let names: Vec<&str> = self.judged.iter().map(|timing| timing.name()).collect();
        (!names.is_empty()).then(|| names.join("+"))
    }

    /// The value of `metric`; `None` without samples.
    #[must_use]
    pub fn value(&self, metric: Metric) -> Option<Measured> {
        let (value, samples) = self.observed(metric)?;
        (samples > 0).then_some(Measured { value, samples })
    }

    /// The value of `metric` and how many samples there are of it. A count may be met in a stretch without samples: a
    /// connection need not end where it was begun.
    pub(super) fn observed(&self, metric: Metric) -> Option<(f64, u64)> {
        let Self { counts, held, .. } = self;
        let [paced_sent, paced_due] = self.paced;
        let of_count = |count: u64, samples: u64| (count as f64, samples);
        Some(match metric {
            Metric::Latency(statistic) => self.rtt(&self.latency, statistic)?,
            Metric::Timing(timing @ (Timing::RttIntended | Timing::RttService), statistic) => {
                self.rtt(self.timing(timing), statistic)?
            }
            Metric::Timing(timing, statistic) => value_of(self.timing(timing), statistic)?,
            Metric::Errors => (counts.error_share()?, counts.tried()),
            Metric::ErrorCount => of_count(counts.errors(), counts.tried()),
            Metric::ConnectionsAttempted => of_count(counts.attempted, counts.attempted),
            Metric::ConnectionsOpened => of_count(counts.opened, counts.attempted),
            Metric::ConnectionsFailed => of_count(counts.failed(), counts.attempted),
            Metric::ConnectionsMissing => of_count(self.missing, self.intervals),
            Metric::Fault(fault) => of_count(counts.faulty(fault), faultable(counts, fault)),
            Metric::WrongAnswers => {
                of_count(counts.wrong_answers(), counts.sent.max(counts.received))
            }
            Metric::MessagesSent => of_count(held.sent, self.intervals),
            Metric::MessagesReceived => of_count(held.received, self.intervals),
            Metric::MessagesPerS => (self.per_s(held.received)?, self.intervals),
            Metric::AchievedRate => (paced_sent as f64 / paced_due as f64, paced_due),
            Metric::SentMbps => (self.mbps(held.sent_bytes)?, self.intervals),
            Metric::ReceivedMbps => (self.mbps(held.received_bytes)?, self.intervals),
            Metric::BackpressureEvents => of_count(held.backpressure_events, self.intervals),
            Metric::PingsLost => of_count(counts.pings.saturating_sub(counts.pongs), counts.pings),
            Metric::MissedUpdates => of_count(counts.missed_updates, counts.received),
            Metric::ProvokedBadly => of_count(counts.provoked_badly, counts.provoked),
            _ => of_allocations(metric, self.allocations.as_ref()?, counts.received)?,
        })
    }

    /// A message without an answer took at least as long as it was waited for, and nobody knows how long: a percentile
    /// that reaches among those cannot be told, nor can a maximum; a mean where most of it is a guess.
    fn rtt(&self, of: &Distribution, statistic: Statistic) -> Option<(f64, u64)> {
        let lost = self.counts.faulty(Fault::Lost) as f64;
        let beyond = match (statistic.quantile(), statistic) {
            (Some(quantile), _) => (1.0 - quantile) * of.count as f64,
            (None, Statistic::Max) => 0.0,
            (None, Statistic::Mean) => 0.5 * of.count as f64,
            (None, _) => f64::INFINITY,
        };
        if lost > beyond { None } else { value_of(of, statistic) }
    }

    /// Whether at least ten values lie beyond a percentile; true of any other metric. With fewer it is hearsay.
    #[must_use]
    pub fn supports(&self, metric: Metric) -> bool {
        let (distribution, statistic) = match metric {
            Metric::Latency(statistic) => (&self.latency, statistic),
            Metric::Timing(timing, statistic) => (self.timing(timing), statistic),
            _ => return true,
        };
        statistic.quantile().is_none_or(|quantile| distribution.supports(quantile))
    }
}

/// Processors that the generator used in holds, on average; `None` without holds.
#[must_use]
pub fn generator_cpu(run: &Run) -> Option<f64> {
    let holds = || run.intervals.iter().filter(|interval| interval.phase == Phase::Hold);
    let length_ns: u64 = holds().map(|interval| interval.length_ns).sum();
    let weighted = |interval: &Interval| interval.generator_cpu * interval.length_ns as f64;
    (length_ns > 0).then(|| holds().map(weighted).sum::<f64>() / length_ns as f64)
}

fn value_of(distribution: &Distribution, statistic: Statistic) -> Option<(f64, u64)> {
    let mean = distribution.mean_ns()?;
    let value = match (statistic.quantile(), statistic) {
        (Some(quantile), _) => distribution.quantile_ns(quantile)? as f64,
        (None, Statistic::Min) => distribution.min_ns as f64,
        (None, Statistic::Max) => distribution.max_ns as f64,
        (None, _) => mean,
    };
    Some((value, distribution.count))
}

/// Messages that could have had `fault`.
fn faultable(counts: &Tally, fault: Fault) -> u64 {
    match fault {
        Fault::Lost | Fault::Late => counts.sent,
        _ => counts.sent.max(counts.received),
    }
}

/// Heap blocks and bytes; fewer left than there were before are none left.
fn of_allocations(metric: Metric, of: &TargetAllocations, received: u64) -> Option<(f64, u64)> {
    let by_message =
        |count: u64| (received > 0).then(|| (count as f64 / received as f64, received));
    match metric {
        Metric::RemainingAllocations => Some((of.remaining_blocks.max(0) as f64, 1)),
        Metric::RemainingBytes => Some((of.remaining_bytes.max(0) as f64, 1)),
        Metric::AllocationsPerMessage => by_message(of.total_blocks),
        Metric::AllocatedBytesPerMessage => by_message(of.total_bytes),
        _ => None,
    }
}
