/// The `p` values of one family, adjusted, in the order given: rejecting those below a level makes any error in the
/// family with at most that probability, however they depend on each other (Holm 1979). The smallest is multiplied by
/// their number, the next by one less; none falls below the adjusted value of a smaller one, none exceeds 1.
#[must_use]
pub fn holm(p: &[f64]) -> Vec<f64> {
    assert!(p.iter().all(|p| (0.0..=1.0).contains(p)), "probabilities are within 0..=1: {p:?}");
    let mut order: Vec<_> = (0..p.len()).collect();
    order.sort_by(|a, b| p[*a].total_cmp(&p[*b]));
    let mut adjusted = vec![0.0; p.len()];
    let mut least = 0.0_f64;
    for (smaller, of) in order.into_iter().enumerate() {
        least = least.max(p[of] * (p.len() - smaller) as f64).min(1.0);
        adjusted[of] = least;
    }
    adjusted
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::super::testing::near;
    use super::*;

    /// `statsmodels.stats.multitest.multipletests(p, method='holm')[1]`, statsmodels 0.15.0.
    #[test]
    fn adjusted_probabilities_are_those_of_statsmodels() {
        let adjusted = holm(&[0.01, 0.04, 0.03, 0.005, 0.2, 0.0004, 0.9]);
        for (got, expected) in adjusted.into_iter().zip([0.05, 0.12, 0.12, 0.03, 0.4, 0.0028, 0.9])
        {
            near(got, expected, 1e-15);
        }
    }

    proptest! {
        #[test]
        fn holm_keeps_the_order_and_lowers_no_probability(p in vec(0.0..=1.0_f64, 1..20)) {
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
    }
}
