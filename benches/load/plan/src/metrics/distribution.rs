use hdrhistogram::Histogram;
use serde::Deserialize;

use super::histogram;

/// A distribution of times: its buckets that are not empty, and its exact sum and extremes.
///
/// A time that never ended, such as that of a message that was lost, is longer than every time that did. It counts as a
/// value, but has no bucket.
///
/// Read from JSON it lacks its buckets.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct Distribution {
    /// Number of values.
    pub count: u64,
    /// Values that never ended, among `count`.
    #[serde(default)]
    pub lost: u64,
    /// The sum in nanoseconds. A value that never ended adds the time that it lasted at least.
    pub sum_ns: u128,
    /// The smallest value that ended; 0 if there is none.
    pub min_ns: u64,
    /// The largest value that ended; 0 if there is none.
    pub max_ns: u64,
    /// Highest value of a bucket in nanoseconds, and the number of values in the bucket; ascending.
    #[serde(skip)]
    pub buckets: Vec<(u64, u64)>,
}

impl Distribution {
    /// Adds every bucket of `other`.
    pub fn add(&mut self, other: &Self) {
        if other.count == 0 {
            return;
        }
        self.min_ns = match (self.ended(), other.ended()) {
            (_, 0) => self.min_ns,
            (0, _) => other.min_ns,
            _ => self.min_ns.min(other.min_ns),
        };
        self.max_ns = self.max_ns.max(other.max_ns);
        self.count += other.count;
        self.lost += other.lost;
        self.sum_ns += other.sum_ns;
        self.buckets = added(&self.buckets, &other.buckets);
    }

    /// Values that ended.
    #[must_use]
    pub fn ended(&self) -> u64 {
        self.count.saturating_sub(self.lost)
    }

    /// Arithmetic mean in nanoseconds; `None` without values, or if as many never ended as ended.
    #[must_use]
    pub fn mean_ns(&self) -> Option<f64> {
        (self.ended() > self.lost).then(|| self.sum_ns as f64 / self.count as f64)
    }

    /// The smallest value in nanoseconds; `None` if none ended.
    #[must_use]
    pub fn least_ns(&self) -> Option<u64> {
        (self.ended() > 0).then_some(self.min_ns)
    }

    /// The largest value in nanoseconds; `None` without values, or if any never ended.
    #[must_use]
    pub fn greatest_ns(&self) -> Option<u64> {
        (self.count > 0 && self.lost == 0).then_some(self.max_ns)
    }

    /// The lowest bucket that `quantile` (0 to 1) of all values do not exceed, as its highest value in nanoseconds, within
    /// the exact extremes; `None` without values, or among values that never ended.
    #[must_use]
    pub fn quantile_ns(&self, quantile: f64) -> Option<u64> {
        let rank = ((quantile * self.count as f64).ceil() as u64).clamp(1, self.count.max(1));
        let mut seen = 0;
        self.buckets.iter().find_map(|(value, count)| {
            seen += count;
            (seen >= rank).then(|| (*value).clamp(self.min_ns, self.max_ns))
        })
    }

    /// Values above `ns`, to the width of a bucket, and those that never ended.
    #[must_use]
    pub fn above(&self, ns: f64) -> u64 {
        let ended = self.buckets.iter().rev().take_while(|(value, _)| *value as f64 > ns);
        self.lost + ended.map(|(_, count)| count).sum::<u64>()
    }

    /// Whether at least ten values lie above `quantile`; with fewer it is mostly chance.
    #[must_use]
    pub fn supports(&self, quantile: f64) -> bool {
        // A count times a quantile such as 0.99 is not exact; the margin is far smaller than one value.
        (self.count as f64) * (1.0 - quantile) >= 10.0 - 1e-6
    }

    /// Whether `quantile` is the largest of the values, because there are so few.
    #[must_use]
    pub fn is_largest(&self, quantile: f64) -> bool {
        (self.count as f64) * (1.0 - quantile) < 1.0 - 1e-6
    }

    /// [`Distribution::quantile_ns`]; `None` also if fewer than ten values lie beyond it.
    #[must_use]
    pub fn supported_ns(&self, quantile: f64) -> Option<u64> {
        self.quantile_ns(quantile).filter(|_| self.supports(quantile))
    }

    /// Converts the values that ended to a histogram, for an interval log.
    #[must_use]
    pub fn to_histogram(&self) -> Histogram<u64> {
        let mut histogram = histogram();
        for (value, count) in &self.buckets {
            histogram.saturating_record_n(*value, *count);
        }
        histogram
    }
}

/// Merges two ascending lists of buckets.
fn added(a: &[(u64, u64)], b: &[(u64, u64)]) -> Vec<(u64, u64)> {
    let mut sum = [a, b].concat();
    // Linear: a stable sort finds the two sorted halves.
    sum.sort_by_key(|(value, _)| *value);
    sum.dedup_by(|later, first| {
        let is_same = later.0 == first.0;
        if is_same {
            first.1 += later.1;
        }
        is_same
    });
    sum
}
