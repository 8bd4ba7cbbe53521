//! The whole gate, from screening to exit code, on simulated rounds whose right answer is known.

use baselines::Verdict;
use bench_kit::statistics::{median, normal_quantile};

use super::super::model::{Comparison, Part, Side};
use super::super::outcome::{Accepted, exit_code};
use super::*;
use crate::gate;
use crate::round::Measured;

const RULE: Rule = Rule { threshold: 0.03, confidence: 0.99 };

/// All workloads, whose rounds are normal: a row's ratio to base has the standard deviation `scatter`.
struct Weather {
    workloads: Vec<Workload>,
    rng: SplitMix64,
    scatter: f64,
}

impl Weather {
    fn new(seed: u64, scatter: f64) -> Self {
        let workloads = super::super::workload::all();
        Self { workloads, rng: SplitMix64::new(seed), scatter }
    }

    fn noise(&mut self) -> f64 {
        let share = ((self.rng.draw() >> 12) as f64 + 0.5) / (1_u64 << 52) as f64;
        normal_quantile(share) * self.scatter / 2.0_f64.sqrt()
    }

    /// A round of the arms of one row. Head costs `slower` more, and all ratios share base's noise.
    fn arms(&mut self, slower: f64) -> Vec<Measured> {
        let base = self.noise();
        let ratios = [0.0, self.noise() - base, self.noise() - base + slower.ln_1p()];
        ratios.map(|log_ratio| Measured { ns: 1000.0, log_ratio, p99_ns: None }).to_vec()
    }

    /// A comparison in which the wall-clock row of the first workload is slower by a share.
    fn compare(&mut self, slower: f64) -> Comparison {
        let workloads = self.workloads.clone();
        let rows = decide(&workloads, RULE, |which, pass| {
            let mut round = |at: usize| Round {
                wall: workloads[at]
                    .wall
                    .as_ref()
                    .map(|_| self.arms(if at == 0 { slower } else { 0.0 })),
                cpu: workloads[at].cpu.as_ref().map(|_| self.arms(0.0)),
            };
            let mut rounds = |at: &usize| (0..pass.rounds()).map(|_| round(*at)).collect();
            Ok(which.iter().map(&mut rounds).collect())
        });
        let side = || Side { name: "simulated".to_owned(), commit: None, title: None };
        let left_out = "left out";
        Comparison {
            base: side(),
            head: side(),
            timing: Part::Measured(Timing {
                threshold: RULE.threshold,
                called_from: RULE.called_from().exp_m1(),
                confidence: RULE.confidence,
                seed: 0,
                rows: rows.expect("nothing fails"),
                left_out: Default::default(),
                hints: Default::default(),
            }),
            exact: Part::NotMeasured(left_out.to_owned()),
            instructions: Part::NotMeasured(left_out.to_owned()),
            exit_code: 1,
            provenance: Default::default(),
            suite: String::new(),
        }
    }

    fn first_row(&mut self, slower: f64) -> TimingRow {
        let Part::Measured(timing) = self.compare(slower).timing else { unreachable!() };
        timing.rows.into_iter().next().expect("it has rows")
    }
}

fn count(times: usize, mut happens: impl FnMut() -> bool) -> usize {
    (0..times).filter(|_| happens()).count()
}

#[test]
fn identical_programs_raise_no_alarm_in_any_noise() {
    for (seed, scatter) in [(1, 0.01), (2, 0.03), (3, 0.06), (4, 0.1)] {
        let mut weather = Weather::new(seed, scatter);
        let alarm = |row: &TimingRow| matches!(row.verdict, Verdict::Regressed | Verdict::Improved);
        let alarms = count(50, || {
            let Part::Measured(timing) = weather.compare(0.0).timing else { unreachable!() };
            timing.rows.iter().any(alarm)
        });
        assert!(alarms <= 1, "{alarms} of 50 at {scatter}");
    }
}

#[test]
fn a_fifth_slower_in_rounds_that_scatter_by_six_percent_is_never_accepted_as_noise() {
    let mut weather = Weather::new(5, 0.06);
    let accepted = Accepted { noisy: true, improved: true, new: true };
    let red = count(100, || exit_code(&weather.compare(0.2), accepted) == 3);
    assert_eq!(red, 100);
}

#[test]
fn a_change_of_the_threshold_is_called_in_calm_rounds() {
    let mut weather = Weather::new(6, 0.01);
    let called = count(60, || weather.first_row(0.03).verdict == Verdict::Regressed);
    assert!(called >= 54, "{called} of 60");
}

#[test]
fn a_change_as_large_as_a_row_says_that_it_sees_is_called_nine_times_in_ten() {
    for (seed, scatter) in [(7, 0.01), (8, 0.045)] {
        let mut weather = Weather::new(seed, scatter);
        let said: Vec<f64> = (0..60).map(|_| weather.first_row(0.0).detectable).collect();
        let seen = median(&said).expect("there are rows");
        let called = count(60, || weather.first_row(seen).verdict == Verdict::Regressed);
        assert!(called >= 51, "{called} of 60 at {scatter}, {seen}");
    }
}

#[test]
fn no_row_passes_that_could_only_have_seen_more_than_three_thresholds() {
    for (seed, scatter) in [(9, 0.1), (10, 0.3), (11, 0.7)] {
        let mut weather = Weather::new(seed, scatter);
        for _ in 0..5 {
            let comparison = weather.compare(0.0);
            assert_eq!(exit_code(&comparison, Accepted::default()), 6, "{scatter}");
            let Part::Measured(timing) = comparison.timing else { unreachable!() };
            for row in timing.rows {
                let limit = gate::must_see(RULE.threshold);
                assert!(row.verdict != Verdict::Pass || row.detectable <= limit, "{row:?}");
            }
        }
    }
}
