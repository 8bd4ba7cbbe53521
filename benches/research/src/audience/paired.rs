//! The latency with subscribers over that without, turn by turn.

use std::collections::BTreeMap;

use anyhow::{Context, Result, ensure};
use bench_kit::random::SplitMix64;
use bench_kit::statistics::{ConfidenceInterval, hodges_lehmann, median, walsh_interval};
use load_plan::metrics::{Distribution, Timing};
use load_plan::model::{Interval, Phase, Run};
use load_plan::thresholds::Unit;

use bench_show::units::percent;

use crate::answer::Answer;

/// Seconds of each half of a turn. Subscribers arrive or leave in the first second, which is not measured.
pub(super) const HALF_S: u64 = 3;

/// Level of the confidence interval.
const CONFIDENCE: f64 = 0.95;

/// The fewest turns whose interval can reach that level.
const FEWEST: usize = 6;

/// When subscribers are present: each turn has a half with and a half without them, in random order.
pub(super) struct Turns {
    /// Whether they are present, by half.
    halves: Vec<bool>,
    /// Seconds so far.
    passed: u64,
}

/// The end of a second of the run.
pub(super) struct Second {
    pub(super) number: u64,
    /// The turn that the next second belongs to.
    pub(super) turn: usize,
    /// Whether subscribers are present at the end of this second, and at the start of the next; `None` while they
    /// arrive or leave.
    pub(super) present: [Option<bool>; 2],
    /// Processor time of the server since it started.
    pub(super) server_ns: f64,
}

pub(super) struct Paired {
    /// The halves of each turn: without subscribers, then with them.
    turns: Vec<[Half; 2]>,
    /// Natural logarithm of the ratio of the median latencies.
    log_ratio: f64,
    interval: ConfidenceInterval,
}

#[derive(Default)]
struct Half {
    latency: Distribution,
    lag: Distribution,
    server_ns: f64,
    seconds: u64,
}

impl Turns {
    pub(super) fn new(turns: usize) -> Self {
        let mut rng = SplitMix64::new(0);
        let turn = |_| {
            let mut turn = [false, true];
            rng.shuffle(&mut turn);
            turn
        };
        Self { halves: (0..turns).flat_map(turn).collect(), passed: 0 }
    }

    /// Counts a second. At the start of a half, whether subscribers must be present in it; after the last half, none.
    pub(super) fn next_second(&mut self) -> Option<bool> {
        let half = self.passed / HALF_S;
        let begins = self.passed.is_multiple_of(HALF_S);
        self.passed += 1;
        begins.then(|| self.halves.get(half as usize).copied().unwrap_or(false))
    }

    /// The turn of the second that [`Turns::next_second`] counted last.
    pub(super) fn current(&self) -> usize {
        (self.passed.saturating_sub(1) / HALF_S / 2) as usize
    }
}

impl Paired {
    pub(super) fn of(run: &Run, seconds: &[Second]) -> Result<Self> {
        let mut turns: BTreeMap<usize, [Half; 2]> = BTreeMap::new();
        for pair in seconds.windows(2) {
            let [before, after] = pair else { continue };
            let [present, ended] = [before.present[1], after.present[0]];
            let Some(present) = present.filter(|_| present == ended) else { continue };
            let held = |interval: &&Interval| {
                interval.second == after.number && interval.phase == Phase::Hold
            };
            let Some(interval) = run.intervals.iter().find(held) else { continue };
            let half = &mut turns.entry(before.turn).or_default()[usize::from(present)];
            half.latency.add(interval.sample.timing(Timing::RttIntended));
            half.lag.add(interval.sample.timing(Timing::ScheduleLag));
            half.server_ns += after.server_ns - before.server_ns;
            half.seconds += 1;
        }
        let turns: Vec<_> = turns
            .into_values()
            .filter(|turn| turn.iter().all(|half| half.latency.count > 0))
            .collect();
        ensure!(
            turns.len() >= FEWEST,
            "only {} turns had seconds with and without subscribers, and {FEWEST} are needed; try more --turns, or \
             fewer --subscribers if they take more than a second to arrive",
            turns.len()
        );
        let ratios: Vec<f64> = turns
            .iter()
            .filter_map(|[without, with]| Some((with.at(0.5)? / without.at(0.5)?).ln()))
            .collect();
        let log_ratio = hodges_lehmann(&ratios).context("there are turns")?;
        let interval = walsh_interval(&ratios, CONFIDENCE).context("there are turns")?;
        Ok(Self { turns, log_ratio, interval })
    }

    pub(super) fn answer(&self, within: f64) -> Answer {
        Answer::of(&self.interval, within)
    }

    pub(super) fn table(&self) -> String {
        let time = |ns| Unit::Time.show(ns);
        let share = |half: &Half| Some(half.server_ns / 1e9 / half.seconds as f64);
        let ratio = self.log_ratio.exp();
        let [low, high] = [self.interval.low, self.interval.high].map(f64::exp);
        [
            format!("{:<18}{:>12}{:>12}{:>9}\n", "", "without", "with", "ratio"),
            self.line("latency_p50", Some(ratio), |half| half.at(0.5), time),
            self.line("latency_p99", None, |half| half.at(0.99), time),
            self.line("schedule_lag_p99", None, |half| Some(half.lag.quantile_ns(0.99)? as f64), time),
            self.line("server", None, share, percent),
            format!(
                "\nratio of latency_p50: {ratio:.3}, {low:.3} to {high:.3} at {:.0} %, over {} turns\n",
                self.interval.achieved * 100.0,
                self.turns.len(),
            ),
        ]
        .concat()
    }

    /// A line of the table: the medians over the turns and their ratio, or the paired `ratio`.
    fn line(
        &self,
        name: &str,
        ratio: Option<f64>,
        of: impl Fn(&Half) -> Option<f64>,
        show: impl Fn(f64) -> String,
    ) -> String {
        let [without, with] = [0, 1].map(|side| {
            let values: Vec<f64> = self.turns.iter().filter_map(|turn| of(&turn[side])).collect();
            median(&values).unwrap_or(f64::NAN)
        });
        let ratio = ratio.unwrap_or(with / without);
        format!("{name:<18}{:>12}{:>12}{ratio:>9.3}\n", show(without), show(with))
    }
}

impl Half {
    fn at(&self, quantile: f64) -> Option<f64> {
        self.latency.quantile_ns(quantile).map(|ns| ns as f64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_turn_has_a_half_with_and_a_half_without_subscribers() {
        let mut turns = Turns::new(20);
        let mut halves = vec![[0, 0]; 20];
        let mut is_present = false;
        for _ in 0..40 * HALF_S {
            is_present = turns.next_second().unwrap_or(is_present);
            halves[turns.current()][usize::from(is_present)] += 1;
        }
        assert!(halves.iter().all(|turn| *turn == [HALF_S, HALF_S]), "{halves:?}");
        assert_eq!(turns.next_second(), Some(false));
    }
}
