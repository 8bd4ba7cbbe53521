//! The figures of a run, as a whole and by stage. Pure.

#[cfg(test)]
pub(super) mod fixture;
#[cfg(test)]
mod tests;

use load_plan::metrics::{Distribution, Tally, Timing};
use load_plan::model::{Interval, Phase, Run, TargetAllocations};
use load_plan::outcome::{Ending, Fault};
use load_plan::profile::Profile;
use load_plan::thresholds::{Metric, Statistic};

/// The figures of a run.
#[derive(Clone, Debug)]
pub struct Summary {
    /// The whole run.
    pub overall: Figures,
    /// Each of [`Profile::stages`].
    pub stages: Vec<Figures>,
}

/// The sums over some intervals of a run.
#[derive(Clone, Debug, Default)]
pub struct Figures {
    /// Measured time in nanoseconds: the length of the holds.
    pub length_ns: u64,
    /// Intervals of holds: the samples of a count over time.
    pub intervals: u64,
    /// Counts of all intervals, ramps and the drain included, so that no error is left out.
    pub counts: Tally,
    /// Counts of measured time.
    pub held: Tally,
    /// The latencies that the stages are judged by, added up.
    pub latency: Distribution,
    /// The timings in `latency`: both for a run with open and closed loops, none for an idle run.
    pub judged: Vec<Timing>,
    /// Allocations of the target, which are known for the whole run only.
    pub allocations: Option<TargetAllocations>,
    /// Faults in the probe before the run. Wrong answers among them are the target's, as in the run.
    probed: [u64; Fault::ALL.len()],
    /// Connections that were not open at the end of an interval of measured time, at most.
    missing: u64,
    timings: [Distribution; Timing::ALL.len()],
    /// [`Timing::ScheduleLag`] of all intervals, and their length in nanoseconds.
    pub(crate) whole_lag: (Distribution, u64),
    /// Messages sent and messages due in measured time, of open loops only: a closed loop has no schedule.
    paced: [u64; 2],
}

impl Summary {
    /// Sums up `run`.
    #[must_use]
    pub fn of(run: &Run) -> Self {
        let mut summary = Self::nothing(&run.profile);
        for interval in &run.intervals {
            summary.add(&run.profile, interval);
        }
        summary.overall.allocations.clone_from(&run.allocations);
        summary.overall.probed = run.before.faults;
        summary
    }

    /// The empty summary of a run of `profile` that has not begun.
    #[must_use]
    pub fn nothing(profile: &Profile) -> Self {
        let nothing = Figures::default();
        Self { overall: nothing.clone(), stages: vec![nothing; profile.stages.len()] }
    }

    /// The figures of a stage; for `None` of the whole run.
    #[must_use]
    pub fn figures(&self, stage: Option<usize>) -> &Figures {
        stage.map_or(&self.overall, |index| &self.stages[index])
    }

    /// Adds an interval of a run of `profile`.
    pub fn add(&mut self, profile: &Profile, interval: &Interval) {
        self.overall.add(profile, interval);
        if let Some(stage) = self.stages.get_mut(interval.stage) {
            stage.add(profile, interval);
        }
    }
}

impl Figures {
    /// Sums up some intervals of a run of `profile`.
    pub(crate) fn of<'a>(
        profile: &Profile,
        intervals: impl IntoIterator<Item = &'a Interval>,
    ) -> Self {
        let mut figures = Self::default();
        for interval in intervals {
            figures.add(profile, interval);
        }
        figures
    }

    /// Adds an interval of a run of `profile`.
    fn add(&mut self, profile: &Profile, interval: &Interval) {
        let sample = &interval.sample;
        self.counts.add(&sample.counts);
        // Connections are opened in ramps, which are not measured otherwise.
        let connect = Timing::Connect as usize;
        self.timings[connect].add(&sample.timings[connect]);
        self.whole_lag.0.add(sample.timing(Timing::ScheduleLag));
        self.whole_lag.1 += interval.length_ns;
        if interval.phase != Phase::Hold || interval.stage >= profile.stages.len() {
            return;
        }
        self.length_ns += interval.length_ns;
        // An interval without a length has the answers that came after their hold.
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

    /// The times of all intervals for [`Timing::Connect`], of measured time for the others.
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

    /// `rtt_intended`, `rtt_service`, or both with a `+` between them; `None` if no latency is judged.
    pub(crate) fn judged_name(&self) -> Option<String> {
        let names: Vec<&str> = self.judged.iter().map(|timing| timing.name()).collect();
        (!names.is_empty()).then(|| names.join("+"))
    }

    /// The value of `metric` in the base unit of [`Metric::unit`]; `None` without samples.
    #[must_use]
    pub fn value(&self, metric: Metric) -> Option<f64> {
        self.measured(metric).map(|(value, _)| value)
    }

    /// [`Figures::value`], and the number of samples behind it.
    pub(crate) fn measured(&self, metric: Metric) -> Option<(f64, u64)> {
        self.observed(metric).filter(|(_, samples)| *samples > 0)
    }

    /// The value of `metric` and its number of samples. A count may be above 0 without samples: a connection may end in
    /// a later interval than it began.
    pub(crate) fn observed(&self, metric: Metric) -> Option<(f64, u64)> {
        let Self { counts, held, .. } = self;
        let [paced_sent, paced_due] = self.paced;
        let of_count = |count: u64, samples: u64| (count as f64, samples);
        Some(match metric {
            Metric::Latency(_) | Metric::Timing(..) => value_of(self.times(metric)?)?,
            Metric::Errors => (counts.error_share()?, counts.tried()),
            Metric::ErrorCount => of_count(counts.errors(), counts.tried()),
            Metric::ConnectionsAttempted => of_count(counts.attempted, counts.attempted),
            Metric::ConnectionsOpened => of_count(counts.opened, counts.attempted),
            Metric::ConnectionsFailed => of_count(counts.failed(), counts.attempted),
            Metric::ConnectionsMissing => of_count(self.missing, self.intervals),
            Metric::Fault(fault) => {
                of_count(counts.faulty(fault) + self.probed(fault), faultable(counts, fault))
            }
            Metric::WrongAnswers => {
                let probed: u64 = Fault::ALL.into_iter().map(|fault| self.probed(fault)).sum();
                of_count(counts.wrong_answers() + probed, counts.sent.max(counts.received))
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

    fn probed(&self, fault: Fault) -> u64 {
        if fault.is_wrong_answer() { self.probed[fault as usize] } else { 0 }
    }

    /// The distribution that `metric` summarises, and how; `None` for other metrics.
    pub(crate) fn times(&self, metric: Metric) -> Option<(&Distribution, Statistic)> {
        match metric {
            Metric::Latency(statistic) => Some((&self.latency, statistic)),
            Metric::Timing(timing, statistic) => Some((self.timing(timing), statistic)),
            _ => None,
        }
    }

    /// The values that never ended, and all, of the distribution that `metric` summarises; `None` if none is lost.
    #[must_use]
    pub fn lost(&self, metric: Metric) -> Option<(u64, u64)> {
        let (of, _) = self.times(metric)?;
        (of.lost > 0).then_some((of.lost, of.count))
    }

    /// Whether at least ten values lie beyond a percentile; true for every other metric.
    pub(crate) fn supports(&self, metric: Metric) -> bool {
        self.times(metric).is_none_or(|(of, statistic)| {
            statistic.quantile().is_none_or(|quantile| of.supports(quantile))
        })
    }
}

/// The count of each kind of error.
pub fn error_kinds(counts: &Tally) -> impl Iterator<Item = (&'static str, u64)> {
    let endings = Ending::ALL.into_iter().filter(|ending| !ending.is_good());
    let endings = endings.map(|ending| (ending.name(), counts.ended(ending)));
    endings.chain(Fault::ALL.map(|fault| (fault.name(), counts.faulty(fault))))
}

/// Processors that the generator used in the holds that `keep` selects, on average; `None` without any.
pub fn generator_cpu(run: &Run, keep: impl Fn(&Interval) -> bool) -> Option<f64> {
    let is_kept = |interval: &&Interval| interval.phase == Phase::Hold && keep(interval);
    let holds = || run.intervals.iter().filter(is_kept);
    let length_ns: u64 = holds().map(|interval| interval.length_ns).sum();
    let weighted = |interval: &Interval| interval.generator_cpu * interval.length_ns as f64;
    (length_ns > 0).then(|| holds().map(weighted).sum::<f64>() / length_ns as f64)
}

fn value_of((of, statistic): (&Distribution, Statistic)) -> Option<(f64, u64)> {
    let value = match (statistic.quantile(), statistic) {
        (Some(quantile), _) => of.quantile_ns(quantile)? as f64,
        (None, Statistic::Min) => of.least_ns()? as f64,
        (None, Statistic::Max) => of.greatest_ns()? as f64,
        (None, _) => of.mean_ns()?,
    };
    Some((value, of.count))
}

/// The number of messages that may have `fault`.
fn faultable(counts: &Tally, fault: Fault) -> u64 {
    match fault {
        Fault::Lost | Fault::Late => counts.sent,
        _ => counts.sent.max(counts.received),
    }
}

/// A metric of heap blocks or bytes. Fewer at the end than at the start count as 0 remaining.
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
