//! Quantiles are compared with the sorted values and with those of the histogram.

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;
use crate::outcome::{Ending, Fault};

/// In ten-thousandths, so that ranks are whole numbers.
const QUANTILES: [u64; 9] = [0, 1, 2500, 5000, 9000, 9500, 9900, 9990, 10_000];

fn distribution(values: &[u64]) -> Distribution {
    let mut recorder = Recorder::default();
    values.iter().for_each(|value| recorder.record(Timing::Connect, *value));
    recorder.cut().timing(Timing::Connect).clone()
}

/// Times from 1 ns to two minutes, on a logarithmic scale.
fn times(most: usize) -> impl Strategy<Value = Vec<u64>> {
    vec((0.0..11.08_f64).prop_map(|digits| 10f64.powf(digits) as u64), 1..=most)
}

proptest! {
    // A histogram is large, and slow without optimisation.
    #![proptest_config(ProptestConfig::with_cases(96))]
    #[test]
    fn a_quantile_is_a_sorted_value_to_within_its_bucket(values in times(400)) {
        let distribution = distribution(&values);
        let mut sorted = values;
        sorted.sort_unstable();
        let (least, greatest) = (sorted[0], sorted[sorted.len() - 1]);
        let geometry = histogram();
        let bucket = |value: u64| {
            geometry.highest_equivalent(value.clamp(LOWEST_NS, HIGHEST_NS)).clamp(least, greatest)
        };
        for quantile in QUANTILES {
            let rank = (quantile * sorted.len() as u64).div_ceil(10_000).max(1) as usize;
            let got = distribution.quantile_ns(quantile as f64 / 10_000.0);
            // The product of a quantile and a count may round up, to the next rank.
            let ranks = sorted[rank - 1..sorted.len().min(rank + 1)].iter();
            let expected: Vec<_> = ranks.map(|value| bucket(*value)).collect();
            prop_assert!(got.is_some_and(|got| expected.contains(&got)), "{quantile}: {got:?} is none of {expected:?}");
        }
    }

    #[test]
    fn a_quantile_equals_that_of_the_histogram(values in times(400)) {
        let distribution = distribution(&values);
        let histogram = distribution.to_histogram();
        for quantile in QUANTILES {
            let quantile = quantile as f64 / 10_000.0;
            // The histogram does not return its first bucket for quantile 0.
            let theirs = match quantile {
                0.0 => histogram.highest_equivalent(histogram.min()),
                _ => histogram.value_at_quantile(quantile),
            };
            let expected = theirs.clamp(distribution.min_ns, distribution.max_ns);
            prop_assert_eq!(distribution.quantile_ns(quantile), Some(expected));
        }
    }

    #[test]
    fn a_histogram_and_back_is_the_same_buckets(values in times(200)) {
        let distribution = distribution(&values);
        let histogram = distribution.to_histogram();
        let buckets: Vec<_> = histogram
            .iter_recorded()
            .map(|step| (step.value_iterated_to(), step.count_since_last_iteration()))
            .collect();
        prop_assert_eq!(distribution.buckets, buckets);
    }

    #[test]
    fn extremes_and_sum_are_exact(values in times(200)) {
        let distribution = distribution(&values);
        prop_assert_eq!(distribution.count, values.len() as u64);
        prop_assert_eq!(Some(distribution.min_ns), values.iter().min().copied());
        prop_assert_eq!(Some(distribution.max_ns), values.iter().max().copied());
        prop_assert_eq!(distribution.sum_ns, values.iter().map(|value| u128::from(*value)).sum::<u128>());
    }

    #[test]
    fn cuts_of_several_recorders_add_up_to_one(values in times(200), deal in vec((0..3_usize, any::<bool>()), 200)) {
        let mut workers = [0; 3].map(|_| Recorder::default());
        let mut sum = Sample::default();
        for (value, (worker, cut)) in values.iter().zip(&deal) {
            workers[*worker].record(Timing::RttService, *value);
            workers[*worker].counts.received += 1;
            if *cut {
                sum.add(&workers[*worker].cut());
            }
        }
        workers.iter_mut().for_each(|worker| sum.add(&worker.cut()));
        prop_assert_eq!(sum.timing(Timing::RttService), &distribution(&values));
        prop_assert_eq!(sum.counts.received, values.len() as u64);
    }
}

#[test]
fn an_empty_distribution_has_neither_mean_nor_quantile() {
    let nothing = Distribution::default();
    assert_eq!((nothing.mean_ns(), nothing.quantile_ns(0.5)), (None, None));
    assert!(!nothing.supports(0.5));
}

#[test]
fn a_cut_empties_the_recorder() {
    let mut recorder = Recorder::default();
    recorder.record(Timing::Ping, 5_000);
    recorder.counts.pings = 1;
    assert_eq!(recorder.cut().timing(Timing::Ping).count, 1);
    assert_eq!(recorder.cut(), Sample::default());
    recorder.record(Timing::Ping, 7_000);
    assert_eq!(recorder.cut().timing(Timing::Ping), &distribution(&[7_000]));
}

#[test]
fn a_time_outside_all_buckets_counts_at_the_edge_and_in_the_exact_extremes() {
    let values = distribution(&[0, 1, 90_000_000_000]);
    assert_eq!((values.count, values.min_ns, values.max_ns), (3, 0, 90_000_000_000));
    assert_eq!(values.quantile_ns(1.0).map(|ns| ns >= HIGHEST_NS), Some(true));
    let [(low, 2), (high, 1)] = values.buckets[..] else { panic!("{:?}", values.buckets) };
    assert!(low >= LOWEST_NS && high >= HIGHEST_NS);
}

#[test]
fn ten_values_beyond_a_quantile_support_it() {
    let of = |count| Distribution { count, ..Distribution::default() };
    for (quantile, enough) in
        [(0.5, 20), (0.9, 100), (0.95, 200), (0.99, 1000), (0.999, 10_000), (0.9999, 100_000)]
    {
        assert!(of(enough).supports(quantile), "{enough} values, {quantile}");
        assert!(!of(enough - 1).supports(quantile), "{} values, {quantile}", enough - 1);
        let next_to_largest = enough / 10;
        assert!(!of(next_to_largest).is_largest(quantile), "{next_to_largest} values, {quantile}");
        assert!(of(next_to_largest - 1).is_largest(quantile), "{next_to_largest} - 1, {quantile}");
    }
}

#[test]
fn the_error_share_is_of_all_connections_and_messages_tried() {
    let mut counts = Tally { attempted: 10, opened: 9, sent: 90, received: 88, ..Tally::default() };
    assert_eq!(Tally::default().error_share(), None);
    assert_eq!(counts.error_share(), Some(0.0));
    counts.endings[Ending::Clean as usize] = 8;
    counts.endings[Ending::Refused as usize] = 1;
    counts.faults[Fault::Lost as usize] = 2;
    assert_eq!((counts.failed(), counts.errors(), counts.unended()), (1, 3, 1));
    assert_eq!(counts.error_share(), Some(0.03));
}

#[test]
fn an_interrupted_connection_is_not_an_error() {
    let mut counts = Tally { attempted: 1, ..Tally::default() };
    counts.endings[Ending::Interrupted as usize] = 1;
    assert_eq!((counts.errors(), counts.unended()), (0, 0));
}
