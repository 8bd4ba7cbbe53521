use super::order::assert_inside;

/// The interval, low and high, that covers the rate behind `successes` of `trials` with at least `confidence` (Clopper &
/// Pearson 1934). 0 to 1 without trials. Panics if there are more successes than trials.
#[must_use]
pub fn binomial_interval(successes: u64, trials: u64, confidence: f64) -> [f64; 2] {
    assert_inside(confidence);
    assert!(successes <= trials, "{successes} successes in {trials} trials");
    let one_sided = f64::midpoint(1.0, confidence);
    [
        1.0 - binomial_upper(trials - successes, trials, one_sided),
        binomial_upper(successes, trials, one_sided),
    ]
}

/// The one-sided bound of Clopper & Pearson (1934): at a higher rate, `successes` of `trials` or fewer have a probability
/// below 1 − `confidence`. 0 of 200 at 0.95 give 1.49 %. 1 without trials. Panics if there are more successes than
/// trials. The time grows with `successes`.
#[must_use]
pub fn binomial_upper(successes: u64, trials: u64, confidence: f64) -> f64 {
    assert_inside(confidence);
    assert!(successes <= trials, "{successes} successes in {trials} trials");
    if successes == trials {
        return 1.0;
    }
    // In logarithms, because 500 of 1000 can be chosen in more ways than an f64 can hold.
    let mut ways = vec![0.0];
    for (chosen, more) in (0..successes).zip(1_u64..) {
        ways.push(ways[chosen as usize] + ((trials - chosen) as f64).ln() - (more as f64).ln());
    }
    let so_few = |rate: f64| -> f64 {
        let (success, failure) = (rate.ln(), (-rate).ln_1p());
        let each = ways.iter().zip(0_u64..).map(|(ways, succeeded)| {
            (ways + succeeded as f64 * success + (trials - succeeded) as f64 * failure).exp()
        });
        each.sum()
    };
    let (mut low, mut high) = (0.0, 1.0);
    loop {
        let rate = f64::midpoint(low, high);
        if rate <= low || rate >= high {
            return high;
        }
        *(if so_few(rate) >= 1.0 - confidence { &mut low } else { &mut high }) = rate;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::testing::{level, near};
    use super::*;

    /// Probability of at most `successes` in `trials`, from the distribution after each trial.
    fn so_few(successes: u64, trials: u64, rate: f64) -> f64 {
        let tossed = (0..trials).fold(vec![1.0], |chances: Vec<f64>, _| {
            let before = |succeeded: usize| chances.get(succeeded).copied().unwrap_or(0.0);
            let after = |n: usize| {
                (1.0 - rate) * before(n) + if n > 0 { rate * before(n - 1) } else { 0.0 }
            };
            (0..=chances.len()).map(after).collect()
        });
        tossed[..=successes as usize].iter().sum()
    }

    /// `scipy.stats.beta.ppf`, scipy 1.17.1: at `a` of (k, n-k+1), at `1-a` and at `c` of (k+1, n-k), a = (1-c)/2.
    #[test]
    fn binomial_bounds_are_the_beta_quantiles_of_scipy() {
        for (k, n, level, low, high, upper) in [
            (0, 200, 0.95, 0.0, 0.01827534035513624, 0.014867039231272054),
            (1, 200, 0.95, 0.00012658102786701836, 0.02754189845720562, 0.023498470434950704),
            (8, 200, 0.95, 0.0174248089944806, 0.07729196822601608, 0.07101416861601978),
            (5, 10, 0.90, 0.22244110100812936, 0.7775588989918706, 0.732681901313448),
            (10, 10, 0.99, 0.5887040186524747, 1.0, 1.0),
            (199, 200, 0.95, 0.9724581015427943, 0.999873418972133, 0.9997435664127765),
            (3, 2000, 0.99, 0.0001690019353184798, 0.005477802959843466, 0.0050137200071498),
        ] {
            let [got_low, got_high] = binomial_interval(k, n, level);
            near(got_low, low, 1e-12);
            near(got_high, high, 1e-12);
            near(binomial_upper(k, n, level), upper, 1e-12);
        }
    }

    #[test]
    fn without_trials_any_rate_is_possible() {
        assert_eq!(binomial_interval(0, 0, 0.95), [0.0, 1.0]);
        assert_eq!(binomial_upper(0, 0, 0.95), 1.0);
    }

    #[test]
    fn a_rate_of_one_is_possible_if_all_trials_succeeded() {
        assert_eq!(binomial_upper(1000, 1000, 1e-15), 1.0);
        assert_eq!(binomial_interval(200, 200, 0.95)[1], 1.0);
    }

    proptest! {
        #[test]
        fn the_bounds_of_a_rate_leave_the_requested_tails(
            (successes, trials) in (1..120_u64).prop_flat_map(|trials| (0..trials, Just(trials))),
            level in level(),
        ) {
            let upper = binomial_upper(successes, trials, level);
            prop_assert!((so_few(successes, trials, upper) - (1.0 - level)).abs() < 1e-9);
            let [low, high] = binomial_interval(successes, trials, level);
            let each_side = (1.0 - level) / 2.0;
            prop_assert!((so_few(successes, trials, high) - each_side).abs() < 1e-9);
            if successes > 0 {
                prop_assert!((1.0 - so_few(successes - 1, trials, low) - each_side).abs() < 1e-9);
            }
        }
    }
}
