use super::order::{ascending, assert_inside, middle};

/// The pseudo-median of Hodges & Lehmann (1963): the median of the Walsh averages, which are the means of every value
/// with itself and with every other one; `None` without values. Nearly as precise as a mean if the noise is normal, and
/// hardly moved by a few outliers.
#[must_use]
pub fn hodges_lehmann(values: &[f64]) -> Option<f64> {
    middle(&walsh_averages(values))
}

/// The two-sided exact signed-rank test of Wilcoxon (1945): the probability of signed ranks at least as one-sided as
/// these, if the values are symmetric around 0.
///
/// Zeros are dropped, as Wilcoxon did. Equal magnitudes share the mean of their ranks, and the distribution is that of
/// the shared ranks. Without values other than zero it is 1. Exact up to 53 values, to 14 digits beyond; the time grows
/// with the cube of their number.
#[must_use]
pub fn signed_rank_p(values: &[f64]) -> f64 {
    let mut left = ascending(values.iter().copied().filter(|value| *value != 0.0));
    left.sort_by(|a, b| a.abs().total_cmp(&b.abs()));
    // Twice each rank, so that the mean of several is an integer.
    let mut ranks = Vec::with_capacity(left.len());
    let mut positive = 0;
    for equal in left.chunk_by(|a, b| a.abs() == b.abs()) {
        let rank = 2 * ranks.len() + equal.len() + 1;
        positive += rank * equal.iter().filter(|value| **value > 0.0).count();
        ranks.extend(equal.iter().map(|_| rank));
    }
    let smaller = positive.min(left.len() * (left.len() + 1) - positive);
    let tail: f64 = sign_sums(ranks)[..=smaller].iter().sum();
    (2.0 * tail).min(1.0)
}

/// Where the pseudo-median of a distribution lies, with a probability. Both ends belong to the interval.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ConfidenceInterval {
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
    /// The probability: at least the one asked for, or less if there are too few values to reach it.
    pub achieved: f64,
}

impl ConfidenceInterval {
    pub(super) fn half_width(self) -> f64 {
        (self.high - self.low) / 2.0
    }
}

/// The shortest interval between two Walsh averages, as many from the bottom as from the top, that covers the
/// pseudo-median of any symmetric distribution with probability `confidence` (Tukey 1949; Hollander & Wolfe 1973,
/// §3.3): all shifts that the exact [signed-rank test](signed_rank_p) does not reject. `None` without values.
///
/// Zero is outside the interval exactly if that test has p ≤ 1 − `confidence`, unless magnitudes are equal or zero: ties
/// make the interval wider than necessary. *n* values reach at most 1 − 2^(1 − *n*); eight are the fewest that reach
/// 0.99. With fewer, the interval is their whole range, with the probability that the range has.
#[must_use]
pub fn walsh_interval(values: &[f64], confidence: f64) -> Option<ConfidenceInterval> {
    assert_inside(confidence);
    let averages = walsh_averages(values);
    let widest = averages.len().checked_sub(1)?;
    let mut tail = 0.0;
    let mut levels = sign_sums(1..=values.len()).into_iter().map(|chance| {
        tail += chance;
        1.0 - 2.0 * tail
    });
    let mut achieved = levels.next()?;
    let mut cut = 0;
    for level in levels.take_while(|level| *level >= confidence) {
        achieved = level;
        cut += 1;
    }
    Some(ConfidenceInterval { low: averages[cut], high: averages[widest - cut], achieved })
}

fn walsh_averages(values: &[f64]) -> Vec<f64> {
    let with_the_rest = |(nth, value): (usize, &f64)| {
        let value = *value;
        values[nth..].iter().map(move |other| f64::midpoint(value, *other))
    };
    ascending(values.iter().enumerate().flat_map(with_the_rest))
}

/// The probability of every sum of `ranks` if each is added or left out by the toss of a coin. Made of halves only, so
/// nothing is rounded above 2^-53.
fn sign_sums(ranks: impl IntoIterator<Item = usize>) -> Vec<f64> {
    ranks.into_iter().fold(vec![1.0], |chances, rank| {
        let mut with = vec![0.0; chances.len() + rank];
        for (sum, chance) in chances.iter().enumerate() {
            with[sum] += chance / 2.0;
            with[sum + rank] += chance / 2.0;
        }
        with
    })
}

#[cfg(test)]
mod tests;
