//! Runs with known numbers, for tests.

use load_plan::metrics::{Distribution, Sample, Tally, Timing};
use load_plan::model::{Interval, Phase, Run, SCHEMA, Shard};
use load_plan::outcome::{Ending, Fault};
use load_plan::profile::Profile;

pub(crate) const MS: u64 = 1_000_000;
pub(crate) const SECOND: u64 = 1_000_000_000;

/// Two stages, an open and a closed loop.
pub(crate) const MIXED: &str = r#"
name = "mixed"

[[stage]]
name = "open"
connections = 10
hold = "3s"

[[stage]]
name = "closed"
connections = 10
hold = "3s"
pace = { closed = { depth = 1 } }
"#;

/// A second in which 10 of 10 connections are open and nothing happens.
pub(crate) fn interval(second: u64, stage: usize, phase: Phase) -> Interval {
    Interval {
        second,
        stage,
        phase,
        length_ns: SECOND,
        open: 10,
        target: 10,
        generator_cpu: 0.2,
        sample: Sample::default(),
    }
}

/// `count` times the value `ns`.
pub(crate) fn distribution(count: u64, ns: u64) -> Distribution {
    if count == 0 {
        return Distribution::default();
    }
    let sum_ns = u128::from(count) * u128::from(ns);
    Distribution { count, lost: 0, sum_ns, min_ns: ns, max_ns: ns, buckets: vec![(ns, count)] }
}

/// A second of a hold in which `count` messages of 125 bytes were sent 10 µs late. They were answered `rtt_ns` after they
/// were sent, and 1 ms more after they were due.
pub(crate) fn answered(second: u64, stage: usize, count: u64, rtt_ns: u64) -> Interval {
    let mut interval = interval(second, stage, Phase::Hold);
    let Sample { counts, timings } = &mut interval.sample;
    (counts.sent, counts.due, counts.received) = (count, count, count);
    (counts.sent_bytes, counts.received_bytes) = (count * 125, count * 125);
    timings[Timing::RttService as usize] = distribution(count, rtt_ns);
    timings[Timing::RttIntended as usize] = distribution(count, rtt_ns + MS);
    timings[Timing::ScheduleLag as usize] = distribution(count, MS / 100);
    interval
}

/// Loses `count` more messages in `interval`, each after a timeout of a second.
pub(crate) fn lose(interval: &mut Interval, count: u64) {
    interval.sample.counts.sent += count;
    interval.sample.counts.faults[Fault::Lost as usize] += count;
    for timing in [Timing::RttService, Timing::RttIntended] {
        let times = &mut interval.sample.timings[timing as usize];
        (times.count, times.lost) = (times.count + count, times.lost + count);
        times.sum_ns += u128::from(count * SECOND);
    }
}

/// A run of `profile` with these holds, between a ramp in which all ten connections open and a drain in which they end.
pub(crate) fn run(profile: &str, holds: impl IntoIterator<Item = Interval>) -> Run {
    let mut ramp = interval(0, 0, Phase::Ramp);
    ramp.sample.timings[Timing::Connect as usize] = distribution(10, 2 * MS);
    (ramp.sample.counts.attempted, ramp.sample.counts.opened) = (10, 10);
    let mut intervals = vec![ramp];
    intervals.extend(holds);
    let (second, stage) = intervals.last().map_or((0, 0), |last| (last.second + 1, last.stage));
    let mut drain = interval(second, stage, Phase::Drain);
    drain.sample.counts.endings[Ending::Clean as usize] = 10;
    (drain.open, drain.target) = (0, 0);
    intervals.push(drain);
    Run {
        schema: SCHEMA,
        run_id: "r".to_owned(),
        shard: Shard { index: 0, of: 1 },
        shards: vec![0],
        started_unix_ns: 0,
        url: "ws://127.0.0.1:9001/ws/echo".to_owned(),
        profile: Profile::parse(profile, "fixture").expect("a good profile"),
        intervals,
        error_samples: Vec::new(),
        allocations: None,
        allocations_unknown: None,
        insecure: false,
        before: Tally::default(),
        doubts: Vec::new(),
        parts: Vec::new(),
        interrupted: false,
        workers: 1,
        processors: 2,
    }
}
