use super::location::walsh_interval;
use super::normal::normal_quantile;

/// Level of the interval behind [`standard_error`]: wide enough to contain both of two modes, narrow enough for six
/// rounds to reach it.
const STANDARD_ERROR_LEVEL: f64 = 0.95;

/// The standard error of [`hodges_lehmann`](super::hodges_lehmann), in the unit of the values: half of a Walsh interval, divided by the normal
/// quantile of its level (Lehmann 1963). `None` for fewer than two values.
///
/// The median absolute deviation times 1.4826 √(π/3n) is the same for normal noise, but too small if rounds have two
/// modes or outliers, and 0 if more than half of them are equal.
#[must_use]
pub fn standard_error(values: &[f64]) -> Option<f64> {
    if values.len() < 2 {
        return None;
    }
    let interval = walsh_interval(values, STANDARD_ERROR_LEVEL)?;
    Some(interval.half_width() / normal_quantile(f64::midpoint(1.0, interval.achieved)))
}

/// The smallest true effect that is found with probability `power` by a rule that asks for an estimate above `threshold`
/// and an interval at `confidence` that excludes zero, in `again` rounds that scatter like these. `threshold` has the
/// unit of `rounds`.
///
/// max(`threshold`, half the interval) + z(`power`) standard errors, as if the estimate were normal and the width of the
/// interval known. With thirty normal rounds and 0.9, the next run finds an effect of this size in 85 to 90 of 100 cases.
/// Fewer rounds than `again` have a standard error that `again` rounds would shrink; half of their interval is then
/// z(`confidence`) of it. `None` if there are fewer than two rounds, or if `again` rounds are too few to reach
/// `confidence`: then no effect is large enough.
#[must_use]
pub fn detectable(
    rounds: &[f64],
    again: usize,
    threshold: f64,
    confidence: f64,
    power: f64,
) -> Option<f64> {
    assert!(threshold.is_finite(), "a threshold is finite, not {threshold}");
    let shrinks = (rounds.len() as f64 / again as f64).sqrt().min(1.0);
    let error = standard_error(rounds)? * shrinks;
    let half = if rounds.len() < again {
        // As many as `again` reach no more than this; see `walsh_interval`.
        let reached = 1.0 - 0.5_f64.powi(again.try_into().ok()?) * 2.0;
        (reached >= confidence)
            .then_some(normal_quantile(f64::midpoint(1.0, confidence)) * error)?
    } else {
        let interval = walsh_interval(rounds, confidence)?;
        (interval.achieved >= confidence).then_some(interval.half_width())?
    };
    Some(threshold.max(half) + normal_quantile(power) * error)
}

#[cfg(test)]
mod tests {
    use super::super::testing::{near, scattered, shifted};
    use super::*;
    use crate::random::SplitMix64;
    use crate::statistics::{hodges_lehmann, median};

    /// Normal rounds around 0 that scatter by `scatter`.
    fn noise(rng: &mut SplitMix64, n: usize, scatter: f64) -> Vec<f64> {
        let mut share = || ((rng.draw() >> 12) as f64 + 0.5) / (1_u64 << 52) as f64;
        (0..n).map(|_| scatter * normal_quantile(share())).collect()
    }

    #[test]
    fn a_standard_error_is_the_spread_of_the_estimates() {
        let mut rng = SplitMix64::new(1);
        let runs: Vec<_> = (0..400).map(|_| noise(&mut rng, 30, 0.01)).collect();
        let squares: f64 = runs.iter().map(|run| hodges_lehmann(run).unwrap().powi(2)).sum();
        let off = (squares / runs.len() as f64).sqrt();
        let claimed: Vec<_> = runs.iter().map(|run| standard_error(run).unwrap()).collect();
        near(median(&claimed).unwrap() / off, 1.0, 0.1);
    }

    /// The median absolute deviation would be a fifth too small here.
    #[test]
    fn a_standard_error_covers_rounds_with_two_modes() {
        let mut rng = SplitMix64::new(4);
        let mut run = || -> Vec<f64> {
            let around = noise(&mut rng, 20, 0.003);
            around
                .into_iter()
                .map(|value| value + [-0.015, 0.015][(rng.draw() >> 63) as usize])
                .collect()
        };
        let runs: Vec<_> = (0..400).map(|_| run()).collect();
        let squares: f64 = runs.iter().map(|run| hodges_lehmann(run).unwrap().powi(2)).sum();
        let claimed: Vec<_> = runs.iter().map(|run| standard_error(run).unwrap()).collect();
        let claimed_to_true = median(&claimed).unwrap() / (squares / runs.len() as f64).sqrt();
        assert!((1.0..1.4).contains(&claimed_to_true), "{claimed_to_true}");
    }

    /// Three of them make a range of level 3/4, which is 1.1503494 standard errors to each side.
    #[test]
    fn a_standard_error_of_three_rounds_uses_the_level_of_their_range() {
        near(standard_error(&[0.1, 0.3, 0.2]).unwrap(), 0.1 / 1.1503494, 1e-7);
    }

    #[test]
    fn a_standard_error_needs_two_rounds_and_is_zero_for_equal_ones() {
        assert_eq!(standard_error(&[0.1]), None);
        assert_eq!(standard_error(&[0.1; 20]), Some(0.0));
        assert!(standard_error(&[0.1, 0.2]).unwrap() > 0.0);
    }

    /// The effect is the median of what 400 runs print, because the effect that one run prints has an error of its own.
    #[test]
    fn a_detectable_effect_is_found_nine_times_in_ten() {
        let mut rng = SplitMix64::new(2);
        let mut run = || noise(&mut rng, 30, 0.02);
        for threshold in [0.0, 0.03] {
            let printed: Vec<_> =
                (0..400).map(|_| detectable(&run(), 30, threshold, 0.99, 0.9).unwrap()).collect();
            let effect = median(&printed).unwrap();
            let found = (0..400).filter(|_| {
                let run = shifted(&run(), effect);
                hodges_lehmann(&run).unwrap() > threshold
                    && walsh_interval(&run, 0.99).unwrap().low > 0.0
            });
            near(found.count() as f64 / 400.0, 0.9, 0.04);
        }
    }

    /// At the level that Holm asks of one of eleven rows.
    #[test]
    fn ten_rounds_tell_what_thirty_would_detect() {
        let mut rng = SplitMix64::new(3);
        let mut printed = |rounds| {
            let mut one = || detectable(&noise(&mut rng, rounds, 0.02), 30, 0.0, 0.9991, 0.9);
            median(&(0..400).map(|_| one().unwrap()).collect::<Vec<_>>()).unwrap()
        };
        near(printed(10) / printed(30), 1.0, 0.1);
    }

    #[test]
    fn at_power_one_half_the_detectable_effect_is_the_limit_itself() {
        let rounds = scattered(30, 42.25);
        let interval = walsh_interval(&rounds, 0.99).unwrap();
        let half = (interval.high - interval.low) / 2.0;
        near(detectable(&rounds, 30, 0.0, 0.99, 0.5).unwrap(), half, 1e-9);
        near(detectable(&rounds, 30, half + 1.0, 0.99, 0.5).unwrap(), half + 1.0, 1e-9);
    }

    #[test]
    fn too_few_rounds_detect_nothing() {
        assert_eq!(detectable(&scattered(7, 30.25), 7, 0.03, 0.99, 0.9), None);
        assert!(detectable(&scattered(8, 30.25), 8, 0.03, 0.99, 0.9).is_some());
        assert_eq!(detectable(&scattered(5, 30.25), 7, 0.03, 0.99, 0.9), None);
        assert!(detectable(&scattered(5, 30.25), 8, 0.03, 0.99, 0.9).is_some());
    }
}
