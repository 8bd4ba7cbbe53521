/// The middle value, or half-way between the two in the middle; `None` without values.
#[must_use]
pub fn median(values: &[f64]) -> Option<f64> {
    middle(&ascending(values.iter().copied()))
}

/// The value that a share `at` of `values` is below, between two values in proportion (Hyndman & Fan 1996, type 7, the
/// default of R and numpy); `None` without values.
#[must_use]
pub fn quantile(values: &[f64], at: f64) -> Option<f64> {
    assert!((0.0..=1.0).contains(&at), "a quantile is within 0..=1, not {at}");
    let values = ascending(values.iter().copied());
    let place = values.len().checked_sub(1)? as f64 * at;
    let (below, above) = (values[place.floor() as usize], values[place.ceil() as usize]);
    Some(below + (above - below) * place.fract())
}

/// The mean of the values without the largest ones: a share `cut` of them, rounded up, but not all. `None` without values.
#[must_use]
pub fn mean_below(values: &[f64], cut: f64) -> Option<f64> {
    assert_inside(cut);
    let values = ascending(values.iter().copied());
    let cut = (values.len() as f64 * cut).ceil() as usize;
    let kept = &values[..values.len().saturating_sub(cut).max(1).min(values.len())];
    if kept.is_empty() { None } else { Some(kept.iter().sum::<f64>() / kept.len() as f64) }
}

pub(super) fn assert_inside(share: f64) {
    assert!(0.0 < share && share < 1.0, "a share is between 0 and 1, not {share}");
}

pub(super) fn ascending(values: impl Iterator<Item = f64>) -> Vec<f64> {
    let mut values: Vec<_> = values.collect();
    assert!(values.iter().all(|value| value.is_finite()), "not all finite: {values:?}");
    values.sort_by(f64::total_cmp);
    values
}

/// The median of ascending values.
pub(super) fn middle(ascending: &[f64]) -> Option<f64> {
    let last = ascending.len().checked_sub(1)?;
    Some(f64::midpoint(ascending[last / 2], ascending[last.div_ceil(2)]))
}

#[cfg(test)]
mod tests {
    use super::super::testing::near;
    use super::*;

    #[test]
    fn a_median_is_the_middle_value_or_half_way_between_two() {
        assert_eq!(median(&[5.0, 1.0, 9.0]), Some(5.0));
        assert_eq!(median(&[9.0, 1.0, 5.0, 2.0]), Some(3.5));
    }

    #[test]
    fn a_mean_leaves_out_the_largest_values_and_keeps_at_least_one() {
        let mean = |values: &[f64]| mean_below(values, 0.1);
        assert_eq!(mean(&[]), None);
        assert_eq!(mean(&[7.0]), Some(7.0));
        assert_eq!(mean(&[900.0, 1.0, 3.0]), Some(2.0));
        let ten: Vec<f64> = (0..10).map(f64::from).collect();
        assert_eq!(mean(&ten), Some(4.0));
        let eleven: Vec<f64> = (0..11).map(f64::from).collect();
        assert_eq!(mean(&eleven), Some(4.0));
    }

    /// `numpy.quantile([9, 1, 5, 2], [0, .1, .5, .9, 1])`.
    #[test]
    fn quantiles_are_those_of_numpy() {
        for (at, expected) in [(0.0, 1.0), (0.1, 1.3), (0.5, 3.5), (0.9, 7.8), (1.0, 9.0)] {
            near(quantile(&[9.0, 1.0, 5.0, 2.0], at).unwrap(), expected, 1e-12);
        }
    }
}
