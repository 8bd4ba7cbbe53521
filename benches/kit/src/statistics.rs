//! Rounds → estimates, intervals and probabilities. Pure: no clock, no files, nothing printed.
//!
//! Rounds come in tens and some of them meet other weather, so nothing here trusts a mean or a normal distribution of
//! them. An estimate has the unit of its values; probabilities, levels and quantiles are shares of 1.
//!
//! Every function panics on a value that is not finite and on a share that is not one: a NaN compares false with every
//! threshold, and would pass.

#[cfg(test)]
mod tests;

/// Level of the interval that [`standard_error`] is read from: wide enough that two modes are both inside it, narrow
/// enough that six rounds reach it.
const STANDARD_ERROR_LEVEL: f64 = 0.95;

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

/// The pseudo-median of Hodges & Lehmann (1963): the median of the Walsh averages, which are the means of every value
/// with itself and with every other one; `None` without values. Nearly as good as a mean where the noise is normal, and
/// hardly moved by a few rounds that are far off.
#[must_use]
pub fn hodges_lehmann(values: &[f64]) -> Option<f64> {
    middle(&walsh_averages(values))
}

/// Probability, if the values are symmetric around 0, of signed ranks as one-sided as these or more: the two-sided
/// exact test of Wilcoxon (1945).
///
/// Zeros speak for neither side and are dropped, as Wilcoxon did; equal magnitudes share the mean of their ranks, and
/// the distribution is that of the shared ranks. 1 where nothing is left. Exact up to 53 values, to 14 digits beyond;
/// takes time with the cube of their number.
#[must_use]
pub fn signed_rank_p(values: &[f64]) -> f64 {
    let mut left = ascending(values.iter().copied().filter(|value| *value != 0.0));
    left.sort_by(|a, b| a.abs().total_cmp(&b.abs()));
    // Twice each rank: the mean of several is an integer then.
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

/// Where a pseudo-median is. Both ends belong to it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ConfidenceInterval {
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
    /// The level that it has: at least the one asked for, less only where so few values do not reach that.
    pub achieved: f64,
}

impl ConfidenceInterval {
    fn half_width(self) -> f64 {
        (self.high - self.low) / 2.0
    }
}

/// The shortest interval between two Walsh averages, as many from the bottom as from the top, that covers the
/// pseudo-median of any symmetric distribution with probability `confidence` (Tukey 1949; Hollander & Wolfe 1973,
/// §3.3): all shifts that the exact [signed-rank test](signed_rank_p) does not reject. `None` without values.
///
/// Zero is outside it just where that test has p ≤ 1 − `confidence`, unless magnitudes are equal or zero: ties make the
/// interval wider than it need be. *n* values reach 1 − 2^(1 − *n*) at most, eight of them 0.99; of fewer it is the
/// whole range, with what that achieves.
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

/// The `p` values of one family, in the order given, such that rejecting those below a level errs anywhere in the
/// family with at most that probability, however they depend on each other (Holm 1979): the smallest times their
/// number, the next times one less, never below a smaller one's, never above 1.
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

/// How far [`hodges_lehmann`] is off, typically, in the unit of the values: half of a Walsh interval in units of the
/// normal quantile of its level (Lehmann 1963). `None` of fewer than two values.
///
/// The median deviation times 1.4826 √(π/3n) would be the same for normal noise, but promises too much where rounds
/// have two modes or a few are far off, and is 0 where more than half are equal.
#[must_use]
pub fn standard_error(values: &[f64]) -> Option<f64> {
    if values.len() < 2 {
        return None;
    }
    let interval = walsh_interval(values, STANDARD_ERROR_LEVEL)?;
    Some(interval.half_width() / normal_quantile(f64::midpoint(1.0, interval.achieved)))
}

/// The smallest true effect that a judge who asks for an estimate above `threshold` and an interval at `confidence`
/// clear of zero finds with probability `power`, given rounds that scatter like these and whatever their own effect is.
/// `threshold` has the unit of `rounds`.
///
/// max(`threshold`, half the interval) + z(`power`) standard errors: the estimate taken as normal, the width of the
/// interval as known. Of thirty normal rounds and 0.9, the next run finds an effect of this size in 85 to 90 of 100.
/// `None` where so few rounds do not reach `confidence`, so that no effect is large enough.
#[must_use]
pub fn detectable(rounds: &[f64], threshold: f64, confidence: f64, power: f64) -> Option<f64> {
    assert!(threshold.is_finite(), "a threshold is finite, not {threshold}");
    let interval = walsh_interval(rounds, confidence)?;
    if interval.achieved < confidence {
        return None;
    }
    Some(threshold.max(interval.half_width()) + normal_quantile(power) * standard_error(rounds)?)
}

/// What a standard normal variable stays below with probability `share`, to seven digits: PPND7 of algorithm AS 241
/// (Wichura 1988), ratios of polynomials around the middle, in the flanks and in the far tails.
#[must_use]
pub fn normal_quantile(share: f64) -> f64 {
    const MIDDLE: [&[f64]; 2] = [
        &[3.3871327179, 50.434271938, 159.29113202, 59.109374720],
        &[1.0, 17.895169469, 78.757757664, 67.187563600],
    ];
    const FLANK: [&[f64]; 2] = [
        &[1.4234372777, 2.7568153900, 1.3067284816, 0.17023821103],
        &[1.0, 0.73700164250, 0.12021132975],
    ];
    const FAR: [&[f64]; 2] = [
        &[6.6579051150, 3.0812263860, 0.42868294337, 0.017337203997],
        &[1.0, 0.24197894225, 0.012258202635],
    ];
    assert_inside(share);
    let ratio = |[above, below]: [&[f64]; 2], x: f64| {
        let polynomial = |of: &[f64]| of.iter().rev().fold(0.0, |sum, factor| sum * x + factor);
        polynomial(above) / polynomial(below)
    };
    let off = share - 0.5;
    if off.abs() <= 0.425 {
        return off * ratio(MIDDLE, 0.425 * 0.425 - off * off);
    }
    let far = (-share.min(1.0 - share).ln()).sqrt();
    let tail = if far <= 5.0 { ratio(FLANK, far - 1.6) } else { ratio(FAR, far - 5.0) };
    tail.copysign(off)
}

/// The rates that leave each side, this few successes and this many, a probability of (1 − `confidence`)/2 or more, low
/// and high (Clopper & Pearson 1934): covers the rate behind `successes` of `trials` with at least `confidence`.
/// Panics if more succeeded than were tried; without trials it is 0 to 1.
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

/// The rate above which `successes` of `trials` or fewer would have a probability below 1 − `confidence`: the one-sided
/// bound of Clopper & Pearson (1934). 0 of 200 at 0.95: 1.49 %. Panics if more succeeded than were tried; without
/// trials it is 1. Takes time with `successes`.
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

fn assert_inside(share: f64) {
    assert!(0.0 < share && share < 1.0, "a share is between 0 and 1, not {share}");
}

fn ascending(values: impl Iterator<Item = f64>) -> Vec<f64> {
    let mut values: Vec<_> = values.collect();
    assert!(values.iter().all(|value| value.is_finite()), "not all finite: {values:?}");
    values.sort_by(f64::total_cmp);
    values
}

fn middle(ascending: &[f64]) -> Option<f64> {
    let last = ascending.len().checked_sub(1)?;
    Some(f64::midpoint(ascending[last / 2], ascending[last.div_ceil(2)]))
}

fn walsh_averages(values: &[f64]) -> Vec<f64> {
    let with_the_rest = |(nth, value): (usize, &f64)| {
        let value = *value;
        values[nth..].iter().map(move |other| f64::midpoint(value, *other))
    };
    ascending(values.iter().enumerate().flat_map(with_the_rest))
}

/// Probability of every sum of `ranks` where each is left out or added by the toss of a coin. Halves and sums of them:
/// no rounding before 2^-53.
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
