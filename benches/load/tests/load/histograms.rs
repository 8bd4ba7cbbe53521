//! A reader of interval logs, and percentiles by sorting. Shares only the decoder of a histogram with the code under test.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use data_encoding::BASE64;
use hdrhistogram::Histogram;
use hdrhistogram::serialization::Deserializer;

/// All values of each timing in holds, in nanoseconds, ascending and rounded to their buckets.
pub(crate) fn read(out: &Path) -> BTreeMap<String, Vec<u64>> {
    let log = fs::read_to_string(out.join("intervals.hlog")).expect("the log was written");
    let mut timings = BTreeMap::<String, Vec<u64>>::new();
    for line in log.lines() {
        let Some(line) = line.strip_prefix("Tag=") else { continue };
        let fields: Vec<_> = line.split(',').collect();
        let [tag, _start, _length, _max, encoded] = fields[..] else { panic!("{line}") };
        let Some((timing, _)) = tag.split_once('.').filter(|_| tag.ends_with(".hold")) else {
            continue;
        };
        let bytes = BASE64.decode(encoded.as_bytes()).expect("base64");
        let histogram: Histogram<u64> =
            Deserializer::new().deserialize(&mut bytes.as_slice()).expect("a V2 histogram");
        let values = timings.entry(timing.to_owned()).or_default();
        for step in histogram.iter_recorded() {
            let count = usize::try_from(step.count_at_value()).expect("it fits into memory");
            values.extend(std::iter::repeat_n(step.value_iterated_to(), count));
        }
    }
    timings.values_mut().for_each(|values| values.sort_unstable());
    timings
}

/// The smallest of the sorted `values` that `percent` of them do not exceed.
pub(crate) fn percentile(values: &[u64], percent: f64) -> u64 {
    let rank = (percent / 100.0 * values.len() as f64).ceil() as usize;
    values[rank.clamp(1, values.len()) - 1]
}
