//! Three oracles that share nothing with the code: every assignment of signs counted one by one, coins tossed one by
//! one, and scipy.

use proptest::collection::{btree_map, vec};
use proptest::prelude::*;

use super::*;
use crate::random::SplitMix64;

/// Two-sided p of the signed ranks, by counting all 2^n assignments of signs to the ranks.
fn p_by_enumeration(values: &[f64]) -> f64 {
    let left: Vec<f64> = values.iter().copied().filter(|value| *value != 0.0).collect();
    let twice_the_rank = |value: &f64| -> i64 {
        let beside = left.iter().map(|other| match other.abs().total_cmp(&value.abs()) {
            std::cmp::Ordering::Less => 2,
            std::cmp::Ordering::Equal => 1,
            std::cmp::Ordering::Greater => 0,
        });
        beside.sum::<i64>() + 1
    };
    let ranks: Vec<i64> = left.iter().map(twice_the_rank).collect();
    let one_sided = |positive: &dyn Fn(usize) -> bool| -> i64 {
        let signed = ranks.iter().enumerate();
        signed.map(|(nth, rank)| if positive(nth) { *rank } else { -rank }).sum::<i64>().abs()
    };
    let observed = one_sided(&|nth| left[nth] > 0.0);
    let assignments = 0..1_u32 << left.len();
    let of = f64::from(assignments.end);
    let as_clear = assignments.filter(|signs| one_sided(&|nth| signs >> nth & 1 == 1) >= observed);
    as_clear.count() as f64 / of
}

/// Probability of at most `successes` in `trials`, by tossing one coin after the other.
fn so_few(successes: u64, trials: u64, rate: f64) -> f64 {
    let tossed = (0..trials).fold(vec![1.0], |chances: Vec<f64>, _| {
        let before = |succeeded: usize| chances.get(succeeded).copied().unwrap_or(0.0);
        let after =
            |n: usize| (1.0 - rate) * before(n) + if n > 0 { rate * before(n - 1) } else { 0.0 };
        (0..=chances.len()).map(after).collect()
    });
    tossed[..=successes as usize].iter().sum()
}

/// What the tables below are made from: `[((37*i) % 101 - center)/64 for i in range(n)]`, no two of equal magnitude.
fn scattered(n: u32, center: f64) -> Vec<f64> {
    (0..n).map(|i| (f64::from(37 * i % 101) - center) / 64.0).collect()
}

#[track_caller]
fn near(got: f64, expected: f64, tolerance: f64) {
    assert!((got - expected).abs() <= tolerance, "{got} is not {expected} to {tolerance}");
}

/// Multiples of 1/1024 small enough that sums and halves of them are exact; zeros and ties come up.
fn rounds(most: usize) -> impl Strategy<Value = Vec<f64>> {
    vec((-40..=40_i32).prop_map(|value| f64::from(value) / 1024.0), 1..=most)
}

/// The same without zeros and without equal magnitudes, in any order.
fn distinct_rounds(most: usize) -> impl Strategy<Value = Vec<f64>> {
    btree_map(1..4000_i32, any::<bool>(), 1..=most)
        .prop_map(|of| {
            let signed = |(size, positive): (i32, bool)| {
                f64::from(if positive { size } else { -size }) / 1024.0
            };
            of.into_iter().map(signed).collect::<Vec<_>>()
        })
        .prop_shuffle()
}

fn level() -> impl Strategy<Value = f64> {
    0.01..0.999
}

fn negated(values: &[f64]) -> Vec<f64> {
    values.iter().map(|value| -value).collect()
}

fn shifted(values: &[f64], by: f64) -> Vec<f64> {
    values.iter().map(|value| value + by).collect()
}

#[test]
fn nothing_is_estimated_from_no_rounds() {
    assert_eq!(median(&[]), None);
    assert_eq!(quantile(&[], 0.5), None);
    assert_eq!(hodges_lehmann(&[]), None);
    assert_eq!(walsh_interval(&[], 0.99), None);
    assert_eq!(standard_error(&[]), None);
    assert_eq!(detectable(&[], 0.03, 0.99, 0.9), None);
    assert!(holm(&[]).is_empty());
}

#[test]
fn a_median_is_the_middle_one_or_half_way_between_two() {
    assert_eq!(median(&[5.0, 1.0, 9.0]), Some(5.0));
    assert_eq!(median(&[9.0, 1.0, 5.0, 2.0]), Some(3.5));
}

/// `numpy.quantile([9, 1, 5, 2], [0, .1, .5, .9, 1])`.
#[test]
fn quantiles_are_those_of_numpy() {
    for (at, expected) in [(0.0, 1.0), (0.1, 1.3), (0.5, 3.5), (0.9, 7.8), (1.0, 9.0)] {
        near(quantile(&[9.0, 1.0, 5.0, 2.0], at).unwrap(), expected, 1e-12);
    }
}

#[test]
fn a_round_that_is_far_off_hardly_moves_the_estimate() {
    let estimate = |last| hodges_lehmann(&[0.01, 0.02, 0.03, 0.04, 0.05, 0.06, last]).unwrap();
    assert_eq!(estimate(10.0), estimate(1000.0));
    near(estimate(10.0), 0.04, 0.01);
}

/// `scipy.stats.wilcoxon(x, method='exact').pvalue`, scipy 1.17.1.
#[test]
fn signed_rank_probabilities_are_those_of_scipy() {
    for (n, center, p) in [
        (10, 30.25, 0.275390625),
        (25, 42.25, 0.39571136236190796),
        (40, 37.25, 0.01852677657188906),
        (60, 42.25, 0.07052937400422277),
        (60, 38.25, 0.008013447084808334),
    ] {
        near(signed_rank_p(&scattered(n, center)), p, 1e-14);
    }
}

/// `scipy.stats.wilcoxon(x, method=PermutationMethod(n_resamples=numpy.inf)).pvalue`, scipy 1.17.1.
#[test]
fn equal_magnitudes_and_zeros_are_ranked_as_by_scipy() {
    let tied = [0.5, -0.5, 1.5, 1.5, -2.0, 3.0, 0.0, 3.0, 0.25, 1.5, 0.0, -0.25];
    assert_eq!(signed_rank_p(&tied), 0.15625);
}

#[test]
fn rounds_without_a_side_prove_nothing() {
    assert_eq!(signed_rank_p(&[]), 1.0);
    assert_eq!(signed_rank_p(&[0.0, -0.0]), 1.0);
    assert_eq!(signed_rank_p(&[3.0, -3.0]), 1.0);
}

#[test]
fn eight_rounds_on_one_side_are_the_first_to_reach_one_in_a_hundred() {
    assert_eq!(signed_rank_p(&[1.0; 7]), 2.0 / 128.0);
    assert_eq!(signed_rank_p(&[1.0; 8]), 2.0 / 256.0);
    let achieved = |n| walsh_interval(&scattered(n, 30.25), 0.99).unwrap().achieved;
    assert_eq!(achieved(7), 1.0 - 2.0 / 128.0);
    assert_eq!(achieved(8), 1.0 - 2.0 / 256.0);
}

/// Ends found by bisection for the shift where `scipy.stats.wilcoxon(x - shift, method='exact').pvalue` crosses
/// 1 - level; estimate by `numpy.median` of the averages. The nine are the depression scores of Hollander & Wolfe, for
/// which `wilcox.test` of R prints the same.
#[test]
fn intervals_end_where_the_test_of_scipy_turns() {
    let depression = vec![0.952, -0.147, 1.022, 0.430, 0.620, 0.590, 0.490, -0.080, 0.010];
    for (values, level, estimate, low, high) in [
        (depression, 0.95, 0.46, 0.01, 0.786),
        (scattered(10, 30.25), 0.95, 0.26171875, -0.16015625, 0.62890625),
        (scattered(10, 30.25), 0.99, 0.26171875, -0.31640625, 0.83984375),
        (scattered(25, 42.25), 0.99, 0.09765625, -0.19140625, 0.38671875),
        (scattered(40, 37.25), 0.90, 0.19921875, 0.06640625, 0.32421875),
        (scattered(60, 38.25), 0.99, 0.17578125, 0.01171875, 0.33984375),
    ] {
        let interval = walsh_interval(&values, level).unwrap();
        near(hodges_lehmann(&values).unwrap(), estimate, 1e-12);
        near(interval.low, low, 1e-12);
        near(interval.high, high, 1e-12);
        assert!(interval.achieved >= level);
    }
}

#[test]
fn too_few_rounds_give_the_whole_range_and_say_what_that_is_worth() {
    let interval = walsh_interval(&[0.3, 0.1, 0.2], 0.99);
    assert_eq!(interval, Some(ConfidenceInterval { low: 0.1, high: 0.3, achieved: 0.75 }));
    assert_eq!(
        walsh_interval(&[0.1], 0.99),
        Some(ConfidenceInterval { low: 0.1, high: 0.1, achieved: 0.0 })
    );
}

/// `statsmodels.stats.multitest.multipletests(p, method='holm')[1]`, statsmodels 0.15.0.
#[test]
fn adjusted_probabilities_are_those_of_statsmodels() {
    let adjusted = holm(&[0.01, 0.04, 0.03, 0.005, 0.2, 0.0004, 0.9]);
    for (got, expected) in adjusted.into_iter().zip([0.05, 0.12, 0.12, 0.03, 0.4, 0.0028, 0.9]) {
        near(got, expected, 1e-15);
    }
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
fn no_trials_tell_nothing_about_a_rate() {
    assert_eq!(binomial_interval(0, 0, 0.95), [0.0, 1.0]);
    assert_eq!(binomial_upper(0, 0, 0.95), 1.0);
}

#[test]
fn where_all_succeeded_any_rate_up_to_one_is_possible() {
    assert_eq!(binomial_upper(1000, 1000, 1e-15), 1.0);
    assert_eq!(binomial_interval(200, 200, 0.95)[1], 1.0);
}

/// `scipy.stats.norm.ppf`, scipy 1.17.1.
#[test]
fn normal_quantiles_are_those_of_scipy_to_seven_digits() {
    for (share, expected) in [
        (1e-300, -37.0470962993612),
        (1e-100, -21.273453560965322),
        (1e-30, -11.464024688443613),
        (1e-15, -7.941345326170998),
        (1e-11, -6.706023155495137),
        (1.5e-11, -6.646570887477113),
        (1e-10, -6.361340902404056),
        (1e-6, -4.753424308822899),
        (0.001, -3.090232306167813),
        (0.01, -2.3263478740408408),
        (0.025, -1.9599639845400545),
        (0.05, -1.6448536269514729),
        (0.074, -1.4466320671589785),
        (0.076, -1.4325027208258116),
        (0.1, -1.2815515655446004),
        (0.2, -0.8416212335729142),
        (0.3, -0.5244005127080409),
        (0.4, -0.2533471031357997),
        (0.49, -0.02506890825871106),
        (0.5, 0.0),
        (0.6, 0.2533471031357997),
        (0.8, 0.8416212335729143),
        (0.9, 1.2815515655446004),
        (0.975, 1.959963984540054),
    ] {
        near(normal_quantile(share), expected, expected.abs() * 1.2e-7);
        if share > 1e-4 {
            near(normal_quantile(1.0 - share), -expected, expected.abs() * 1.2e-7);
        }
    }
}

/// Normal rounds around 0 that scatter by `scatter`.
fn noise(rng: &mut SplitMix64, n: usize, scatter: f64) -> Vec<f64> {
    let mut share = || ((rng.draw() >> 12) as f64 + 0.5) / (1_u64 << 52) as f64;
    (0..n).map(|_| scatter * normal_quantile(share())).collect()
}

#[test]
fn a_standard_error_is_how_far_estimates_are_off() {
    let mut rng = SplitMix64::new(1);
    let runs: Vec<_> = (0..400).map(|_| noise(&mut rng, 30, 0.01)).collect();
    let squares: f64 = runs.iter().map(|run| hodges_lehmann(run).unwrap().powi(2)).sum();
    let off = (squares / runs.len() as f64).sqrt();
    let claimed: Vec<_> = runs.iter().map(|run| standard_error(run).unwrap()).collect();
    near(median(&claimed).unwrap() / off, 1.0, 0.1);
}

/// Where the median deviation would claim a fifth too little.
#[test]
fn a_standard_error_sees_that_rounds_have_two_modes() {
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
fn a_standard_error_of_few_rounds_knows_how_little_their_range_is_worth() {
    near(standard_error(&[0.1, 0.3, 0.2]).unwrap(), 0.1 / 1.1503494, 1e-7);
}

#[test]
fn one_round_has_no_standard_error_and_equal_ones_have_none_to_speak_of() {
    assert_eq!(standard_error(&[0.1]), None);
    assert_eq!(standard_error(&[0.1; 20]), Some(0.0));
    assert!(standard_error(&[0.1, 0.2]).unwrap() > 0.0);
}

/// Of a size that is typical of what runs print: each print is off by as much as its interval is.
#[test]
fn an_effect_called_detectable_is_found_nine_times_in_ten() {
    let mut rng = SplitMix64::new(2);
    let mut run = || noise(&mut rng, 30, 0.02);
    for threshold in [0.0, 0.03] {
        let printed: Vec<_> =
            (0..400).map(|_| detectable(&run(), threshold, 0.99, 0.9).unwrap()).collect();
        let effect = median(&printed).unwrap();
        let found = (0..400).filter(|_| {
            let run = shifted(&run(), effect);
            hodges_lehmann(&run).unwrap() > threshold
                && walsh_interval(&run, 0.99).unwrap().low > 0.0
        });
        near(found.count() as f64 / 400.0, 0.9, 0.04);
    }
}

#[test]
fn at_even_odds_the_detectable_effect_is_what_the_gate_asks_for() {
    let rounds = scattered(30, 42.25);
    let interval = walsh_interval(&rounds, 0.99).unwrap();
    let half = (interval.high - interval.low) / 2.0;
    near(detectable(&rounds, 0.0, 0.99, 0.5).unwrap(), half, 1e-9);
    near(detectable(&rounds, half + 1.0, 0.99, 0.5).unwrap(), half + 1.0, 1e-9);
}

#[test]
fn rounds_too_few_for_the_level_detect_nothing() {
    assert_eq!(detectable(&scattered(7, 30.25), 0.03, 0.99, 0.9), None);
    assert!(detectable(&scattered(8, 30.25), 0.03, 0.99, 0.9).is_some());
}

#[test]
#[should_panic = "not all finite"]
fn a_value_that_is_no_number_is_refused() {
    let _ = hodges_lehmann(&[0.1, f64::NAN]);
}

#[test]
#[should_panic = "a share is between 0 and 1"]
fn a_level_in_percent_is_refused() {
    let _ = walsh_interval(&[0.1, 0.2], 99.0);
}

proptest! {
    #[test]
    fn signed_rank_probabilities_are_what_counting_finds(values in rounds(12)) {
        prop_assert_eq!(signed_rank_p(&values), p_by_enumeration(&values));
    }

    #[test]
    fn an_interval_is_the_shifts_that_counting_does_not_reject(
        values in distinct_rounds(8),
        level in level(),
    ) {
        let interval = walsh_interval(&values, level).unwrap();
        let averages = walsh_averages(&values);
        let between = averages.windows(2).filter(|two| two[0] < two[1]);
        let mut shifts: Vec<f64> = between.map(|two| f64::midpoint(two[0], two[1])).collect();
        shifts.extend([averages[0] - 1.0, averages[averages.len() - 1] + 1.0]);
        for shift in shifts {
            let p = p_by_enumeration(&shifted(&values, -shift));
            let inside = interval.low < shift && shift < interval.high;
            prop_assert_eq!(inside, p > 1.0 - interval.achieved, "{} has p {}", shift, p);
        }
    }

    #[test]
    fn zero_is_outside_an_interval_just_where_the_test_rejects_it(
        values in distinct_rounds(30),
        level in level(),
    ) {
        let interval = walsh_interval(&values, level).unwrap();
        let outside = interval.low > 0.0 || interval.high < 0.0;
        let rejects = signed_rank_p(&values) <= 1.0 - level;
        if interval.achieved >= level {
            prop_assert_eq!(outside, rejects);
        } else {
            prop_assert!(!rejects);
        }
    }

    #[test]
    fn no_shorter_interval_reaches_the_level(values in distinct_rounds(30), level in level()) {
        let interval = walsh_interval(&values, level).unwrap();
        prop_assert!(interval.achieved >= level || interval.achieved == 1.0 - 2_f64.powi(1 - values.len() as i32));
        let wider = walsh_interval(&values, f64::midpoint(1.0, level)).unwrap();
        prop_assert!(wider.achieved >= interval.achieved);
        prop_assert!(wider.low <= interval.low && interval.high <= wider.high);
    }

    #[test]
    fn an_estimate_is_in_its_interval(values in rounds(30), level in level()) {
        let interval = walsh_interval(&values, level).unwrap();
        let estimate = hodges_lehmann(&values).unwrap();
        prop_assert!(interval.low <= estimate && estimate <= interval.high);
    }

    #[test]
    fn what_shifts_the_rounds_shifts_the_estimates(values in rounds(30), by in -99..99_i32) {
        let by = f64::from(by);
        let moved = shifted(&values, by);
        prop_assert_eq!(median(&moved).unwrap(), median(&values).unwrap() + by);
        prop_assert_eq!(hodges_lehmann(&moved).unwrap(), hodges_lehmann(&values).unwrap() + by);
        prop_assert_eq!(standard_error(&moved), standard_error(&values));
        let (before, after) =
            (walsh_interval(&values, 0.9).unwrap(), walsh_interval(&moved, 0.9).unwrap());
        prop_assert_eq!([after.low, after.high], [before.low + by, before.high + by]);
    }

    #[test]
    fn base_and_head_swapped_is_the_same_with_the_other_sign(values in rounds(30)) {
        let swapped = negated(&values);
        prop_assert_eq!(median(&swapped).unwrap(), -median(&values).unwrap());
        prop_assert_eq!(hodges_lehmann(&swapped).unwrap(), -hodges_lehmann(&values).unwrap());
        prop_assert_eq!(signed_rank_p(&swapped), signed_rank_p(&values));
        prop_assert_eq!(standard_error(&swapped), standard_error(&values));
        let (one, other) =
            (walsh_interval(&values, 0.9).unwrap(), walsh_interval(&swapped, 0.9).unwrap());
        prop_assert_eq!([other.low, other.high], [-one.high, -one.low]);
    }

    #[test]
    fn the_order_of_rounds_does_not_matter(values in rounds(30), seed: u64) {
        let mut mixed = values.clone();
        SplitMix64::new(seed).shuffle(&mut mixed);
        prop_assert_eq!(median(&mixed), median(&values));
        prop_assert_eq!(quantile(&mixed, 0.3), quantile(&values, 0.3));
        prop_assert_eq!(hodges_lehmann(&mixed), hodges_lehmann(&values));
        prop_assert_eq!(signed_rank_p(&mixed), signed_rank_p(&values));
        prop_assert_eq!(walsh_interval(&mixed, 0.9), walsh_interval(&values, 0.9));
    }

    #[test]
    fn holm_keeps_the_order_and_never_helps(p in vec(0.0..=1.0_f64, 1..20)) {
        let adjusted = holm(&p);
        for (raw, adjusted) in p.iter().zip(&adjusted) {
            prop_assert!(raw <= adjusted && *adjusted <= 1.0);
            prop_assert!(*adjusted <= raw * p.len() as f64);
        }
        for (a, b) in (0..p.len()).flat_map(|a| (0..p.len()).map(move |b| (a, b))) {
            prop_assert!(p[a] > p[b] || adjusted[a] <= adjusted[b]);
        }
    }

    #[test]
    fn rejecting_adjusted_probabilities_is_holms_procedure(
        p in vec(0.0..0.2_f64, 1..12),
        level in 0.01..0.3_f64,
    ) {
        let mut ascending = p.clone();
        ascending.sort_by(f64::total_cmp);
        let hurdle = |nth: usize| level / (p.len() - nth) as f64;
        let stepped = ascending.iter().enumerate().take_while(|(nth, p)| **p < hurdle(*nth));
        let rejected = holm(&p).into_iter().filter(|adjusted| *adjusted < level);
        prop_assert_eq!(rejected.count(), stepped.count());
    }

    #[test]
    fn at_its_bounds_a_rate_leaves_the_tails_that_were_asked_for(
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
