//! Inputs and comparisons that the tests of several files share.

use proptest::collection::{btree_map, vec};
use proptest::prelude::*;

#[track_caller]
pub(super) fn near(got: f64, expected: f64, tolerance: f64) {
    assert!((got - expected).abs() <= tolerance, "{got} is not {expected} to {tolerance}");
}

/// The input of the tables: `[((37*i) % 101 - center)/64 for i in range(n)]`, without two equal magnitudes.
pub(super) fn scattered(n: u32, center: f64) -> Vec<f64> {
    (0..n).map(|i| (f64::from(37 * i % 101) - center) / 64.0).collect()
}

/// Small multiples of 1/1024, whose sums and halves are exact, with zeros and ties.
pub(super) fn rounds(most: usize) -> impl Strategy<Value = Vec<f64>> {
    vec((-40..=40_i32).prop_map(|value| f64::from(value) / 1024.0), 1..=most)
}

/// Multiples of 1/1024 without zeros and ties, in any order.
pub(super) fn distinct_rounds(most: usize) -> impl Strategy<Value = Vec<f64>> {
    btree_map(1..4000_i32, any::<bool>(), 1..=most)
        .prop_map(|of| {
            let signed = |(size, positive): (i32, bool)| {
                f64::from(if positive { size } else { -size }) / 1024.0
            };
            of.into_iter().map(signed).collect::<Vec<_>>()
        })
        .prop_shuffle()
}

pub(super) fn level() -> impl Strategy<Value = f64> {
    0.01..0.999
}

pub(super) fn negated(values: &[f64]) -> Vec<f64> {
    values.iter().map(|value| -value).collect()
}

pub(super) fn shifted(values: &[f64], by: f64) -> Vec<f64> {
    values.iter().map(|value| value + by).collect()
}
