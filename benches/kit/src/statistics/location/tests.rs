//! Two oracles that share nothing with the code: every assignment of signs counted one by one, and scipy.

use proptest::prelude::*;

use super::*;
use crate::statistics::testing::{distinct_rounds, level, near, rounds, scattered, shifted};

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

#[test]
fn an_outlying_round_hardly_moves_the_estimate() {
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
fn ties_and_zeros_are_ranked_as_by_scipy() {
    let tied = [0.5, -0.5, 1.5, 1.5, -2.0, 3.0, 0.0, 3.0, 0.25, 1.5, 0.0, -0.25];
    assert_eq!(signed_rank_p(&tied), 0.15625);
}

#[test]
fn rounds_on_no_side_give_probability_one() {
    assert_eq!(signed_rank_p(&[]), 1.0);
    assert_eq!(signed_rank_p(&[0.0, -0.0]), 1.0);
    assert_eq!(signed_rank_p(&[3.0, -3.0]), 1.0);
}

#[test]
fn eight_rounds_are_the_fewest_that_reach_one_percent() {
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
fn interval_ends_are_where_the_test_of_scipy_turns() {
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
fn an_interval_of_too_few_rounds_is_their_range_with_its_level() {
    let interval = walsh_interval(&[0.3, 0.1, 0.2], 0.99);
    assert_eq!(interval, Some(ConfidenceInterval { low: 0.1, high: 0.3, achieved: 0.75 }));
    assert_eq!(
        walsh_interval(&[0.1], 0.99),
        Some(ConfidenceInterval { low: 0.1, high: 0.1, achieved: 0.0 })
    );
}

#[test]
#[should_panic = "not all finite"]
fn a_value_that_is_not_a_number_panics() {
    let _ = hodges_lehmann(&[0.1, f64::NAN]);
}

#[test]
#[should_panic = "a share is between 0 and 1"]
fn a_level_in_percent_panics() {
    let _ = walsh_interval(&[0.1, 0.2], 99.0);
}

proptest! {
    #[test]
    fn signed_rank_probabilities_are_those_of_enumeration(values in rounds(12)) {
        prop_assert_eq!(signed_rank_p(&values), p_by_enumeration(&values));
    }

    #[test]
    fn an_interval_holds_the_shifts_that_enumeration_does_not_reject(
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
    fn zero_is_outside_an_interval_exactly_if_the_test_rejects_it(
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
}
