//! Runs with one of everything that a report has to show.

use std::sync::LazyLock;

use load_plan::metrics::{Recorder, Tally, Timing};
use load_plan::model::{ErrorSample, Interval, Phase, Run, SCHEMA, Shard, TargetAllocations};
use load_plan::outcome::{Ending, Fault};
use load_plan::profile::{Pace, Profile};

const SECOND_NS: u64 = 1_000_000_000;
const MS: f64 = 1e6;

const PROFILE: &str = r#"
name = "checkout"
description = "What the shop sends on a busy evening."

[target]
origin = "https://shop.example"

[target.headers]
X-Tenant = "<blue>"

[traffic]
pace = { open = { rate = 20.0, arrival = "poisson" } }
sizes = [{ bytes = "64B", share = 0.8 }, { bytes = "4KiB", share = 0.2 }]
timeout = "2s"
warm_up = "2s"
ping = "5s"
seed = 7

[[stage]]
name = "ten"
connections = 10
ramp = "1500ms"
hold = "12s"

[[stage]]
name = "fifty"
connections = 50
ramp = "3s"
hold = "12s"

[[stage]]
name = "sustained"
connections = 100
ramp = "4500ms"
hold = "30s"
[stage.thresholds]
latency_p50 = "< 2ms"
messages_per_s = [">= 1900", "<= 2100"]

[thresholds]
preset = "enterprise"
latency_p999 = "< 50ms"
lost = "== 0"
"#;

/// What goes wrong, and when.
#[derive(Clone, Copy, Default)]
struct Trouble {
    /// The target stops for a second at this second, and what is at fault comes in the next two.
    stall: Option<u64>,
    /// The generator has no time.
    starved: bool,
}

/// Everything was as it should be.
pub(crate) fn passing() -> Run {
    static RUN: LazyLock<Run> = LazyLock::new(|| run(Trouble::default()));
    let mut run = RUN.clone();
    run.allocations = Some(TargetAllocations {
        total_blocks: 137_204,
        total_bytes: 41_873_920,
        remaining_blocks: 0,
        remaining_bytes: 0,
    });
    run
}

/// The target stopped for a second, lost messages and connections, and kept what it should have freed.
pub(crate) fn failing() -> Run {
    static RUN: LazyLock<Run> = LazyLock::new(|| run(Trouble { stall: Some(41), starved: false }));
    let mut run = RUN.clone();
    let detail = |kind: &str, text: &str, count, first_s: f64| ErrorSample {
        kind: kind.to_owned(),
        text: text.to_owned(),
        count,
        first_ns: (first_s * 1e9) as u64,
    };
    run.error_samples = vec![
        detail(
            "late",
            "message 881 of connection 17 was answered after 2.31 s; the timeout is 2 s",
            31,
            43.1,
        ),
        detail("reset", "connection reset by peer (os error 104)", 4, 41.9),
        detail("lost", "message 884 of connection 17 was never answered", 3, 44.0),
        detail(
            "refused",
            "cannot connect to 127.0.0.1:9001: Connection refused (os error 111)",
            2,
            16.2,
        ),
        detail(
            "corrupted",
            "answer to message 902 of connection 3 differs from byte 12 on: <script>alert(1)</script>",
            1,
            42.2,
        ),
    ];
    run.allocations = Some(TargetAllocations {
        total_blocks: 141_882,
        total_bytes: 42_990_115,
        remaining_blocks: 12,
        remaining_bytes: 98_304,
    });
    run
}

/// The generator was the bottleneck.
pub(crate) fn starved() -> Run {
    static RUN: LazyLock<Run> = LazyLock::new(|| run(Trouble { stall: None, starved: true }));
    RUN.clone()
}

/// Two of three shards.
pub(crate) fn incomplete() -> Run {
    let mut run = passing();
    (run.shard, run.shards) = (Shard { index: 0, of: 3 }, vec![0, 2]);
    run
}

/// Ended by a signal before anything was measured.
pub(crate) fn interrupted() -> Run {
    let mut run = passing();
    run.intervals.truncate(1);
    run.interrupted = true;
    run.allocations = None;
    run
}

fn run(trouble: Trouble) -> Run {
    let profile = Profile::parse(PROFILE, "fixture").expect("a good profile");
    Run {
        schema: SCHEMA,
        run_id: "k7f3q2".to_owned(),
        shard: Shard { index: 0, of: 1 },
        shards: vec![0],
        started_unix_ns: 1_795_324_443_218_000_000,
        url: "ws://127.0.0.1:9001/ws/echo?room=1&user=2".to_owned(),
        intervals: Weather::new(trouble).intervals(&profile),
        profile,
        error_samples: Vec::new(),
        allocations: None,
        before: Tally::default(),
        doubts: Vec::new(),
        interrupted: false,
        workers: 2,
        processors: 2,
    }
}

/// Where an interval is, in nanoseconds.
struct Place {
    from: u64,
    to: u64,
    stage: usize,
    phase: Phase,
}

/// A run second by second, the same every time.
struct Weather {
    trouble: Trouble,
    state: u64,
    recorder: Recorder,
}

impl Weather {
    fn new(trouble: Trouble) -> Self {
        Self { trouble, state: 42, recorder: Recorder::default() }
    }

    fn intervals(mut self, profile: &Profile) -> Vec<Interval> {
        let mut intervals = Vec::new();
        let (mut now, mut open) = (0, 0);
        for (index, stage) in profile.stages.iter().enumerate() {
            let before = open;
            let target = u64::from(stage.connections);
            let rate = match profile.pace(index) {
                Pace::Open { rate, .. } => rate,
                _ => 0.0,
            };
            let warm_up = profile.traffic.warm_up.as_nanos() as u64;
            let steps = [
                (Phase::Ramp, stage.ramp.as_nanos() as u64),
                (Phase::WarmUp, warm_up),
                (Phase::Hold, stage.hold.as_nanos() as u64),
            ];
            for (phase, length) in steps {
                let (start, end) = (now, now + length);
                while now < end {
                    let next = ((now / SECOND_NS + 1) * SECOND_NS).min(end);
                    let already = open;
                    if phase == Phase::Ramp {
                        open = before + (target - before) * (next - start) / length;
                    }
                    let opened = open - already;
                    let place = Place { from: now, to: next, stage: index, phase };
                    intervals.push(self.interval(place, [open, opened, target], rate));
                    now = next;
                }
            }
        }
        let stage = profile.stages.len() - 1;
        let place = Place { from: now, to: now + SECOND_NS / 4, stage, phase: Phase::Drain };
        let mut drain = self.interval(place, [0, 0, 0], 0.0);
        let attempted: u64 =
            intervals.iter().map(|interval| interval.sample.counts.attempted).sum();
        let ended: u64 = intervals.iter().flat_map(|interval| interval.sample.counts.endings).sum();
        drain.sample.counts.endings[Ending::Clean as usize] = attempted - ended;
        intervals.push(drain);
        intervals
    }

    fn interval(&mut self, place: Place, [open, opened, target]: [u64; 3], rate: f64) -> Interval {
        let Place { from, to, stage, phase } = place;
        let (second, length_ns) = (from / SECOND_NS, to - from);
        let due = (rate * open as f64 * length_ns as f64 / 1e9).round() as u64;
        let since = self.trouble.stall.map(|stall| second as i64 - stall as i64);
        for nth in 0..due {
            self.message(nth as f64 / due as f64, since);
        }
        let sent = if self.trouble.starved { due * 9 / 10 } else { due };
        let counts = &mut self.recorder.counts;
        (counts.due, counts.sent, counts.received) = (due, sent, sent);
        (counts.sent_bytes, counts.received_bytes) = (sent * 870, sent * 870);
        (counts.sent_wire_bytes, counts.received_wire_bytes) = (sent * 877, sent * 873);
        (counts.pings, counts.pongs) = (open / 5, open / 5);
        (counts.attempted, counts.opened) = (opened, opened);
        for _ in 0..opened {
            let ns = 0.6 * MS * self.spread();
            self.recorder.record(Timing::Connect, ns as u64);
        }
        if self.trouble.stall.is_some() {
            self.go_wrong(second, since);
        }
        let cpu = if self.trouble.starved { 1.93 } else { 0.05 + due as f64 / 12_000.0 };
        Interval {
            second,
            stage,
            phase,
            length_ns,
            open: open - u64::from(since == Some(1)) * 4,
            target,
            generator_cpu: (cpu * (0.9 + 0.2 * self.uniform()) * 1e6).round() / 1e6,
            sample: self.recorder.cut(),
        }
    }

    fn message(&mut self, place: f64, since: Option<i64>) {
        let mut service = 0.28 * MS * self.spread();
        if self.uniform() < 0.004 {
            service += 4.0 * MS * self.spread();
        }
        let mut lag = 0.03 * MS * self.spread();
        if self.trouble.starved {
            lag += 3.0 * MS * self.spread();
        }
        // Who was due early in the stall waited longest; those who could be sent saw little of it.
        let waited = match since {
            Some(0) => (1.0 - place) * 980.0 * MS,
            Some(1) if place < 0.1 => 60.0 * MS * self.uniform(),
            _ => 0.0,
        };
        self.recorder.record(Timing::RttService, service as u64);
        self.recorder.record(Timing::RttIntended, (service + lag + waited) as u64);
        self.recorder.record(Timing::ScheduleLag, lag as u64);
        if self.uniform() < 0.01 {
            self.recorder.record(Timing::Ping, (service * 0.8) as u64);
        }
    }

    fn go_wrong(&mut self, second: u64, since: Option<i64>) {
        let counts = &mut self.recorder.counts;
        if second == 16 {
            counts.attempted += 2;
            counts.endings[Ending::Refused as usize] = 2;
        }
        match since {
            Some(0) => counts.backpressure_events = 214,
            Some(1) => {
                counts.endings[Ending::Reset as usize] = 4;
                counts.faults[Fault::Corrupted as usize] = 1;
                counts.faults[Fault::Late as usize] = 8;
            }
            Some(2) => {
                (counts.attempted, counts.opened) = (counts.attempted + 4, counts.opened + 4);
                counts.faults[Fault::Late as usize] = 23;
                counts.faults[Fault::Lost as usize] = 3;
            }
            _ => {}
        }
    }

    /// From 0 to 1.
    fn uniform(&mut self) -> f64 {
        // Knuth's MMIX generator; its high bits are good.
        self.state = self
            .state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.state >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// About log-normal around 1.
    fn spread(&mut self) -> f64 {
        let normal = (0..4).map(|_| self.uniform()).sum::<f64>() - 2.0;
        (normal * 0.9).exp()
    }
}
