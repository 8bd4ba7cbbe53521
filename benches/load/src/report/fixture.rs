//! Runs with at least one of everything that a report shows.

use std::sync::LazyLock;

use load_plan::metrics::Tally;
use load_plan::model::{ErrorSample, Run, SCHEMA, Shard, TargetAllocations};
use load_plan::profile::Profile;

mod seconds;

use seconds::{Seconds, Trouble};

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

/// Every threshold is met.
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

/// The target stopped for a second, lost messages and connections, and kept memory that it should have freed.
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
        intervals: Seconds::new(trouble).intervals(&profile),
        profile,
        error_samples: Vec::new(),
        allocations: None,
        allocations_unknown: None,
        insecure: false,
        before: Tally::default(),
        doubts: Vec::new(),
        parts: Vec::new(),
        interrupted: false,
        workers: 2,
        processors: 2,
    }
}
