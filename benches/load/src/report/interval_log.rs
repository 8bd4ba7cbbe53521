//! The distributions of every interval as an HDR interval log, for the HdrHistogram tools.
//!
//! An entry is one timing of one interval. Its tag is `timing.stage.phase`, as in `rtt_intended.2.hold`, because intervals
//! of several stages and phases may share a second. Its start is the whole second since `BaseTime`, the start of the run.
//! Values are nanoseconds; only the column of maxima is in milliseconds.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use anyhow::{Context, bail, ensure};
use data_encoding::BASE64;
use hdrhistogram::Histogram;
use hdrhistogram::serialization::interval_log::{
    IntervalLogIterator, IntervalLogWriterBuilder, LogEntry, LogIteratorError, Tag,
};
use hdrhistogram::serialization::{Deserializer, V2DeflateSerializer};

use load_plan::metrics::{Timing, histogram};
use load_plan::model::{Phase, Run};

/// The interval and the timing of an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    pub(super) second: u64,
    pub(super) stage: usize,
    pub(super) phase: Phase,
    pub(super) timing: Timing,
}

impl Place {
    fn tag(&self) -> String {
        format!("{}.{}.{}", self.timing.name(), self.stage, self.phase.name())
    }

    fn parse(tag: &str, second: u64) -> Option<Self> {
        let [timing, stage, phase] = *tag.split('.').collect::<Vec<_>>() else { return None };
        let timing = Timing::ALL.into_iter().find(|known| known.name() == timing)?;
        let phase = Phase::ALL.into_iter().find(|known| known.name() == phase)?;
        Some(Self { second, stage: stage.parse().ok()?, phase, timing })
    }
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} in second {}", self.tag(), self.second)
    }
}

/// Highest value of a bucket in nanoseconds, and the number of values in it; ascending.
pub(super) type Buckets = Vec<(u64, u64)>;

/// A parsed log.
#[derive(Debug)]
pub(super) struct Log {
    /// The start of the run since 1970, to the millisecond.
    pub(super) base: Duration,
    pub(super) entries: BTreeMap<Place, Buckets>,
}

pub(super) fn render(run: &Run) -> anyhow::Result<Vec<u8>> {
    let start = SystemTime::UNIX_EPOCH + started(run);
    let (mut log, mut serializer) = (Vec::new(), V2DeflateSerializer::new());
    let mut writer = IntervalLogWriterBuilder::new()
        .add_comment("[Histogram log format version 1.3]")
        .add_comment(&format!("[ws-load {} of {}, in ns]", run.run_id, run.target()))
        .with_start_time(start)
        .with_base_time(start)
        .with_max_value_divisor(1e6)
        .begin_log_with(&mut log, &mut serializer)?;
    for interval in &run.intervals {
        for timing in Timing::ALL {
            let distribution = interval.sample.timing(timing);
            if distribution.buckets.is_empty() {
                continue;
            }
            let (second, stage, phase) = (interval.second, interval.stage, interval.phase);
            let place = Place { second, stage, phase, timing };
            writer
                .write_histogram(
                    &distribution.to_histogram(),
                    Duration::from_secs(second),
                    Duration::from_nanos(interval.length_ns),
                    Tag::new(&place.tag()),
                )
                .with_context(|| format!("cannot write {place}"))?;
        }
    }
    Ok(log)
}

pub(super) fn parse(log: &[u8]) -> anyhow::Result<Log> {
    let mut base = None;
    let mut entries = BTreeMap::new();
    let mut deserializer = Deserializer::new();
    let geometry = histogram();
    for entry in IntervalLogIterator::new(log) {
        let entry = match entry {
            Ok(LogEntry::Interval(entry)) => entry,
            Ok(LogEntry::BaseTime(time)) => {
                base = Some(time);
                continue;
            }
            Ok(LogEntry::StartTime(_)) => continue,
            Err(LogIteratorError::ParseError { offset }) => {
                bail!("no entry begins at byte {offset}")
            }
        };
        let tag = entry.tag().map_or("", |tag| tag.as_str());
        let place = Place::parse(tag, entry.start_timestamp().as_secs())
            .with_context(|| format!("an entry has the tag {tag:?}, not timing.stage.phase"))?;
        let bytes = BASE64
            .decode(entry.encoded_histogram().as_bytes())
            .with_context(|| format!("{place} is not base64"))?;
        let histogram: Histogram<u64> = deserializer
            .deserialize(&mut bytes.as_slice())
            .with_context(|| format!("{place} is not a histogram"))?;
        ensure!(
            [histogram.low(), histogram.high()] == [geometry.low(), geometry.high()]
                && histogram.sigfig() == geometry.sigfig(),
            "{place} has buckets of another geometry"
        );
        let buckets = histogram
            .iter_recorded()
            .map(|step| (step.value_iterated_to(), step.count_since_last_iteration()))
            .collect();
        ensure!(entries.insert(place, buckets).is_none(), "{place} has two entries");
    }
    Ok(Log { base: base.context("the log has no BaseTime")?, entries })
}

/// Time from 1970 to the run's start.
pub(super) fn started(run: &Run) -> Duration {
    Duration::from_nanos(u64::try_from(run.started_unix_ns).unwrap_or(u64::MAX))
}
