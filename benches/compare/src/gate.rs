//! Rounds of paired timings → a verdict. Pure.
//!
//! A row regressed or improved only if the change reaches a threshold that a person chose, if chance does not explain
//! it, and if the null control, a second copy of base in the same rounds, did not seem to change as well.

use baselines::Verdict;

use bench_kit::statistics::{
    ConfidenceInterval, detectable, hodges_lehmann, holm, signed_rank_p, walsh_interval,
};

/// The conditions for a change.
#[derive(Clone, Copy, Debug)]
pub struct Rule {
    /// Smallest change that must be seen, as a share of base: 0.03.
    pub threshold: f64,
    /// Level of the interval that must exclude zero: 0.99.
    pub confidence: f64,
}

impl Rule {
    /// The rule with this threshold, and an interval of 99 %.
    #[must_use]
    pub fn with_threshold(threshold: f64) -> Self {
        Self { threshold, confidence: 0.99 }
    }

    /// The threshold as a logarithm, so that swapping base and head changes the sign and nothing else.
    fn log_threshold(self) -> f64 {
        self.threshold.ln_1p()
    }

    /// The estimate above which a change is called, a logarithm.
    #[must_use]
    pub fn called_from(self) -> f64 {
        CALLED_FROM * self.log_threshold()
    }
}

/// Share of the threshold that an estimate must exceed. With 1, a change of exactly the threshold would be missed half
/// of the time.
const CALLED_FROM: f64 = 0.85;

/// Probability of calling a change of the size [`Finding::detectable`].
const POWER: f64 = 0.9;

/// Level of the interval that must stay below the threshold for a row to pass the screening. Lower than
/// [`Rule::confidence`], at which the interval of so few rounds would span all of them.
const SUSPICION: f64 = 0.9;

/// Logarithms of the ratios to base, one per round of fresh processes.
#[derive(Clone, Debug, Default)]
pub struct Series {
    /// The ratios of head.
    pub head: Vec<f64>,
    /// The ratios of the null control.
    pub null: Vec<f64>,
}

/// The statistics of a series. All but the probability are logarithms of ratios.
#[derive(Clone, Copy, Debug)]
pub struct Finding {
    /// Hodges–Lehmann estimate of the change.
    pub effect: f64,
    /// Its interval at [`Rule::confidence`], low and high.
    pub interval: [f64; 2],
    /// The estimate for the null control.
    pub null: f64,
    /// Two-sided probability of the signed-rank test, for this row alone.
    pub p: f64,
    /// Smallest change that nine of ten such series would show.
    pub detectable: f64,
}

/// The statistics of `series`; `None` without rounds. Panics at a logarithm that is not finite.
#[must_use]
pub fn find(series: &Series, rule: Rule) -> Option<Finding> {
    let ConfidenceInterval { low, high, achieved } = walsh_interval(&series.head, rule.confidence)?;
    // Too few rounds for the level exclude nothing at that level.
    let interval =
        if achieved < rule.confidence { [f64::NEG_INFINITY, f64::INFINITY] } else { [low, high] };
    Some(Finding {
        effect: hodges_lehmann(&series.head)?,
        interval,
        null: hodges_lehmann(&series.null)?,
        p: signed_rank_p(&series.head),
        detectable: detectable(&series.head, rule.called_from(), rule.confidence, POWER)
            .unwrap_or(f64::INFINITY),
    })
}

/// Whether a row needs a confirmation: its change may reach the threshold, or the control moved.
#[must_use]
pub fn is_suspect(series: &Series, rule: Rule) -> bool {
    let limit = rule.called_from();
    let unchanged = || {
        let finding = find(series, rule)?;
        let ConfidenceInterval { low, high, .. } = walsh_interval(&series.head, SUSPICION)?;
        let reaches = low < -limit || high > limit;
        Some(finding.effect.abs() < limit / 2.0 && !reaches && !is_noisy(&finding, rule))
    };
    unchanged() != Some(true)
}

/// Whether the null control moved by half the threshold or more.
#[must_use]
pub fn is_noisy(finding: &Finding, rule: Rule) -> bool {
    finding.null.abs() >= rule.log_threshold() / 2.0
}

/// Each row's verdict, and its probability adjusted for the number of rows.
#[must_use]
pub fn judge(findings: &[Finding], rule: Rule) -> Vec<(Verdict, f64)> {
    let raw: Vec<f64> = findings.iter().map(|finding| finding.p).collect();
    let adjusted = holm(&raw);
    findings.iter().zip(adjusted).map(|(finding, p)| (verdict(finding, p, rule), p)).collect()
}

fn verdict(finding: &Finding, p: f64, rule: Rule) -> Verdict {
    let limit = rule.called_from();
    let [low, high] = finding.interval;
    let clear = p < 1.0 - rule.confidence;
    if is_noisy(finding, rule) {
        Verdict::TooNoisy
    } else if clear && finding.effect > limit && low > 0.0 {
        Verdict::Regressed
    } else if clear && finding.effect < -limit && high < 0.0 {
        Verdict::Improved
    } else {
        Verdict::Pass
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const RULE: Rule = Rule { threshold: 0.03, confidence: 0.99 };

    /// Sixteen evenly spaced rounds around `head` and around `null`.
    fn series(head: f64, null: f64, spread: f64) -> Series {
        let around = |centre: f64| {
            (0..16).map(|i| centre + spread * (f64::from(i) - 7.5) / 7.5).collect::<Vec<f64>>()
        };
        Series { head: around(head), null: around(null) }
    }

    #[track_caller]
    fn check(rows: &[Series], verdicts: &[Verdict]) {
        let findings: Vec<Finding> =
            rows.iter().map(|row| find(row, RULE).expect("there are rounds")).collect();
        let judged: Vec<Verdict> =
            judge(&findings, RULE).into_iter().map(|(verdict, _)| verdict).collect();
        assert_eq!(judged, verdicts, "{findings:?}");
    }

    #[test]
    fn a_change_beyond_the_threshold_has_a_direction() {
        check(
            &[series(0.05, 0.0, 0.01), series(-0.05, 0.0, 0.01), series(0.0, 0.0, 0.01)],
            &[Verdict::Regressed, Verdict::Improved, Verdict::Pass],
        );
    }

    #[test]
    fn a_change_of_the_threshold_is_called_and_a_smaller_one_passes() {
        check(&[series(0.03, 0.0, 0.001)], &[Verdict::Regressed]);
        check(&[series(0.025, 0.0, 0.001)], &[Verdict::Pass]);
    }

    #[test]
    fn a_large_change_that_chance_explains_passes() {
        check(&[series(0.05, 0.0, 0.3)], &[Verdict::Pass]);
    }

    #[test]
    fn a_control_that_moves_makes_the_row_too_noisy() {
        let noisy = [series(0.0, 0.016, 0.001), series(0.2, -0.016, 0.001)];
        check(&noisy, &[Verdict::TooNoisy, Verdict::TooNoisy]);
    }

    #[test]
    fn five_rounds_are_too_few_for_a_regression() {
        let row = Series { head: vec![0.05; 5], null: vec![0.0; 5] };
        check(&[row], &[Verdict::Pass]);
    }

    proptest! {
        #[test]
        fn swapping_the_sides_swaps_the_verdict(
            head in proptest::collection::vec(-0.1..0.1_f64, 16),
            null in proptest::collection::vec(-0.02..0.02_f64, 16),
        ) {
            let negative = |values: &[f64]| values.iter().map(|value| -value).collect();
            let swapped = Series { head: negative(&head), null: negative(&null) };
            let verdict = |series: &Series| {
                let finding = find(series, RULE).expect("there are rounds");
                judge(&[finding], RULE)[0].0
            };
            let expected = match verdict(&Series { head, null }) {
                Verdict::Regressed => Verdict::Improved,
                Verdict::Improved => Verdict::Regressed,
                other => other,
            };
            prop_assert_eq!(verdict(&swapped), expected);
        }

        #[test]
        fn more_rows_never_turn_a_pass_into_a_change(rows in proptest::collection::vec(proptest::collection::vec(-0.1..0.1_f64, 12), 1..8)) {
            let findings: Vec<Finding> = rows
                .into_iter()
                .map(|head| find(&Series { head, null: vec![0.0; 12] }, RULE).expect("there are rounds"))
                .collect();
            let together = judge(&findings, RULE);
            for (finding, (verdict, _)) in findings.iter().zip(together) {
                let alone = judge(std::slice::from_ref(finding), RULE)[0].0;
                prop_assert!(verdict == alone || verdict == Verdict::Pass);
            }
        }
    }
}
