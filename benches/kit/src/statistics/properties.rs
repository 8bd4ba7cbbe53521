//! What holds for all estimates.

use proptest::prelude::*;

use super::testing::{negated, rounds, shifted};
use super::*;
use crate::random::SplitMix64;

#[test]
fn no_rounds_give_no_estimate() {
    assert_eq!(median(&[]), None);
    assert_eq!(quantile(&[], 0.5), None);
    assert_eq!(hodges_lehmann(&[]), None);
    assert_eq!(walsh_interval(&[], 0.99), None);
    assert_eq!(standard_error(&[]), None);
    assert_eq!(detectable(&[], 30, 0.03, 0.99, 0.9), None);
    assert!(holm(&[]).is_empty());
}

proptest! {
    #[test]
    fn shifted_rounds_shift_the_estimates(values in rounds(30), by in -99..99_i32) {
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
    fn negated_rounds_negate_the_estimates(values in rounds(30)) {
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
    fn estimates_do_not_depend_on_the_order_of_rounds(values in rounds(30), seed: u64) {
        let mut mixed = values.clone();
        SplitMix64::new(seed).shuffle(&mut mixed);
        prop_assert_eq!(median(&mixed), median(&values));
        prop_assert_eq!(quantile(&mixed, 0.3), quantile(&values, 0.3));
        prop_assert_eq!(hodges_lehmann(&mixed), hodges_lehmann(&values));
        prop_assert_eq!(signed_rank_p(&mixed), signed_rank_p(&values));
        prop_assert_eq!(walsh_interval(&mixed, 0.9), walsh_interval(&values, 0.9));
    }
}
