//! Rounds of paired timings → a verdict. Pure.
//!
//! A row regressed or improved only if the change reaches a threshold that a person chose, if chance does not explain
//! it, and if it is clear of the null control, a second copy of base in the same rounds, where the control moved as well.
//! A row that is neither and could have missed a large change is too noisy, not a pass.

use baselines::Verdict;
use baselines::verdict::BLIND_FROM;

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

/// Standard deviation of the estimates of identical programs from one comparison to another: what the rounds of one comparison
/// share, they do not show. The middle of the rows in 200 comparisons was 0.4 %, the largest 0.8 %.
const BETWEEN: f64 = 0.005;

/// The normal quantile of [`POWER`].
const POWER_QUANTILE: f64 = 1.2816;

/// A change by the whole of base.
const TWICE: f64 = 1.0;

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

/// What a row is judged with.
#[derive(Clone, Copy, Debug)]
pub struct Family {
    /// All rows of the comparison, which Holm's correction counts.
    pub rows: usize,
    /// Rounds of a confirmation, which every change gets before it is called.
    pub rounds: usize,
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
    /// The end of the null control's interval that is farther from zero, without its sign.
    pub null_reach: f64,
    /// Two-sided probability of the signed-rank test, for this row alone.
    pub p: f64,
    /// Smallest change that nine of ten such comparisons would call.
    pub detectable: f64,
}

/// The statistics of `series`; `None` without rounds. Panics at a logarithm that is not finite.
#[must_use]
pub fn find(series: &Series, rule: Rule, family: Family) -> Option<Finding> {
    let [low, high] = interval(&series.null, rule.confidence)?;
    // Holm asks this of a change that is the only one; of others it asks less.
    let corrected = 1.0 - (1.0 - rule.confidence) / family.rows.max(1) as f64;
    let seen = detectable(&series.head, family.rounds, rule.called_from(), corrected, POWER);
    Some(Finding {
        effect: hodges_lehmann(&series.head)?,
        interval: interval(&series.head, rule.confidence)?,
        null: hodges_lehmann(&series.null)?,
        null_reach: low.abs().max(high.abs()),
        p: signed_rank_p(&series.head),
        detectable: seen.map_or(f64::INFINITY, |seen| {
            let called = rule.called_from();
            called + (seen - called).hypot(POWER_QUANTILE * BETWEEN)
        }),
    })
}

/// Too few rounds for the level exclude nothing at that level.
fn interval(rounds: &[f64], confidence: f64) -> Option<[f64; 2]> {
    let ConfidenceInterval { low, high, achieved } = walsh_interval(rounds, confidence)?;
    let everything = [f64::NEG_INFINITY, f64::INFINITY];
    Some(if achieved < confidence { everything } else { [low, high] })
}

/// Whether a row needs a confirmation: its change may reach the threshold, or the control moved.
#[must_use]
pub fn is_suspect(series: &Series, rule: Rule, family: Family) -> bool {
    let limit = rule.called_from();
    let unchanged = || {
        let finding = find(series, rule, family)?;
        let ConfidenceInterval { low, high, .. } = walsh_interval(&series.head, SUSPICION)?;
        let reaches = low < -limit || high > limit;
        Some(finding.effect.abs() < limit / 2.0 && !reaches && !is_noisy(&finding, rule))
    };
    unchanged() != Some(true)
}

/// The change that a row must be able to see to pass, as a share of base: three thresholds, and a server that takes twice as
/// long whatever the threshold.
#[must_use]
pub fn must_see(threshold: f64) -> f64 {
    (BLIND_FROM * threshold).min(TWICE)
}

/// Whether a row that shows no clear change means nothing: its control moved, or it could have missed a large change.
#[must_use]
pub fn is_noisy(finding: &Finding, rule: Rule) -> bool {
    let sees = finding.detectable <= must_see(rule.threshold).ln_1p();
    control_moved(finding, rule) || !sees
}

/// Whether the null control moved by half the threshold or more.
fn control_moved(finding: &Finding, rule: Rule) -> bool {
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
    // Where identical programs seem to differ, only what a change has beyond their difference counts.
    let excused = if control_moved(finding, rule) { finding.null_reach } else { 0.0 };
    let limit = excused + rule.called_from();
    let [low, high] = finding.interval;
    let clear = p < 1.0 - rule.confidence;
    if clear && finding.effect > limit && low > excused {
        Verdict::Regressed
    } else if clear && finding.effect < -limit && high < -excused {
        Verdict::Improved
    } else if is_noisy(finding, rule) {
        Verdict::TooNoisy
    } else {
        Verdict::Pass
    }
}

#[cfg(test)]
mod tests;
