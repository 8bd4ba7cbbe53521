//! Comparisons with every kind of result.

use std::collections::BTreeMap;

use baselines::Verdict;
use baselines::alloc::Metric;
use baselines::compare::Change;
use baselines::sites::SiteCost;

use crate::model::{
    Comparison, ExactRow, FunctionRow, InstructionRow, Part, PerOp, Provenance, Side, SiteRow,
    Timing, TimingRow, TimingUnit,
};

/// A regression in `server/src/echo.rs:134`, and a row of every other kind.
pub(super) fn comparison() -> Comparison {
    Comparison {
        base: side("main", "3b53277", "echo: read <frames> in place"),
        head: side("working tree", "49d2e13", "echo: copy each message"),
        provenance: Provenance {
            unix_s: 1_795_816_439,
            machine: "Some CPU @ 2 GHz, 2 processors, Linux 6.1.0".to_owned(),
            compiler: Some("rustc 1.95.0".to_owned()),
        },
        timing: Part::Measured(timing()),
        exact: Part::Measured(exact()),
        suite: "cargo test --release -p chat --test alloc -- suite".to_owned(),
        instructions: Part::Measured(instructions()),
        exit_code: 3,
    }
}

fn side(name: &str, commit: &str, title: &str) -> Side {
    let (commit, title) = (Some(commit.to_owned()), Some(title.to_owned()));
    Side { name: name.to_owned(), commit, title }
}

/// Only rows that passed, and no instructions.
pub(super) fn green() -> Comparison {
    let mut green = comparison();
    if let Part::Measured(timing) = &mut green.timing {
        timing.rows.retain(|row| row.verdict == Verdict::Pass);
    }
    if let Part::Measured(rows) = &mut green.exact {
        rows.retain(|row| row.verdict == Verdict::Pass);
    }
    green.instructions = Part::NotMeasured("no valgrind here; apt-get install valgrind".to_owned());
    green.exit_code = 0;
    green
}

/// One changed row of each part, and a scenario that is new.
pub(super) fn small() -> Comparison {
    let mut small = comparison();
    if let Part::Measured(timing) = &mut small.timing {
        timing.rows.truncate(1);
        timing.rows[0].rounds.truncate(3);
    }
    if let Part::Measured(rows) = &mut small.exact {
        rows.retain(|row| matches!(row.verdict, Verdict::Regressed | Verdict::Missing));
        rows[0].sites.truncate(1);
    }
    if let Part::Measured(rows) = &mut small.instructions {
        rows.truncate(1);
        rows[0].functions.truncate(1);
    }
    small
}

/// No row in any part.
pub(super) fn empty() -> Comparison {
    let mut empty = comparison();
    if let Part::Measured(timing) = &mut empty.timing {
        timing.rows.clear();
        timing.left_out.clear();
    }
    empty.exact = Part::Measured(Vec::new());
    empty.instructions = Part::Measured(Vec::new());
    empty.exit_code = 5;
    empty
}

fn timing() -> Timing {
    let row = |id: &str, unit, base_ns: f64, effect: f64, half: f64, verdict| TimingRow {
        id: id.to_owned(),
        unit,
        base_ns,
        head_ns: base_ns * (1.0 + effect),
        effect,
        interval: [effect - half, effect + half],
        null: half / 4.0,
        p: if effect.abs() > half { 0.000_3 } else { 0.4 },
        detectable: 0.03 + half,
        p99_ns: (unit == TimingUnit::Time).then_some([base_ns * 1.8, base_ns * 2.1]),
        rounds: [-1.1, -0.6, -0.4, -0.1, 0.0, 0.1, 0.3, 0.5, 0.8, 1.4]
            .map(|x| effect + x * half)
            .to_vec(),
        confirmed: verdict == Verdict::Regressed,
        verdict,
    };
    let rows = vec![
        row("echo_latency/text/64B", TimingUnit::Time, 45_600.0, 0.0512, 0.009, Verdict::Regressed),
        row("echo_latency/binary/16KiB", TimingUnit::Time, 812_345.0, 0.004, 0.011, Verdict::Pass),
        row(
            "echo_throughput/text/c10x16",
            TimingUnit::Rate,
            11_834.0,
            -0.123,
            0.012,
            Verdict::Improved,
        ),
        row(
            "echo_throughput/binary/c100x16",
            TimingUnit::Rate,
            987.0,
            0.001,
            0.062,
            Verdict::TooNoisy,
        ),
        row("connect/handshake/plain", TimingUnit::Time, 145_600.0, -0.002, 0.014, Verdict::Pass),
        row("cpu/echo_text/64B", TimingUnit::Cpu, 4_560.0, 0.012, 0.006, Verdict::Pass),
        row(
            "dashboard_1000_ticks_8_subs",
            TimingUnit::Cpu,
            31_500.0,
            1.304,
            0.11,
            Verdict::Regressed,
        ),
    ];
    let left_out = [("fanout/text/c100".to_owned(), "base serves no /ws/dashboard".to_owned())];
    Timing {
        threshold: 0.03,
        called_from: 0.027,
        confidence: 0.99,
        seed: 42,
        rows,
        left_out: BTreeMap::from(left_out),
        hints: BTreeMap::new(),
    }
}

fn exact() -> Vec<ExactRow> {
    let per_op = |blocks, bytes, writes| {
        Some(PerOp { blocks, bytes, reads: Some(1.0), writes: Some(writes) })
    };
    let row = |id: &str, base, head, verdict| ExactRow {
        id: id.to_owned(),
        unit: "message".to_owned(),
        ops: [1000, 2000],
        base,
        head,
        changes: Vec::new(),
        sites: Vec::new(),
        notes: Vec::new(),
        verdict,
    };
    let change = |metric, recorded, measured| Change { metric, recorded, measured };
    let regressed = ExactRow {
        changes: vec![
            change(Metric::Blocks, [62, 62], [2062, 4062]),
            change(Metric::Bytes, [138_776, 138_776], [266_776, 394_776]),
            change(Metric::PeakBytes, [134_469, 134_469], [134_533, 134_533]),
        ],
        sites: vec![
            site(
                "alloc_copy::to_vec <- server::echo::Echo::poll_messages",
                "server/src/echo.rs:134",
                [0, 0],
                [1000, 2000],
            ),
            site(
                "bytes::bytes_mut::BytesMut::reserve_inner <- <tokio_tungstenite::WebSocketStream as \
                 futures_core::stream::Stream>::poll_next <- server::echo::Echo::poll_messages",
                "server/src/echo.rs:141",
                [31, 31],
                [1041, 2046],
            ),
            site(
                "data_encoding::Encoding::encode <- server::http::upgrade",
                "server/src/http.rs:77",
                [12, 12],
                [2, 2],
            ),
        ],
        ..row(
            "echo_text_64b_1000_msgs",
            per_op(0.0, 0.0, 1.0),
            per_op(2.0, 128.0, 1.0),
            Verdict::Regressed,
        )
    };
    let improved = ExactRow {
        changes: vec![change(Metric::Writes, [1003, 2003], [503, 1003])],
        ..row(
            "ping_between_fragments_1000_msgs",
            per_op(0.0, 0.0, 1.0),
            per_op(0.0, 0.0, 0.5),
            Verdict::Improved,
        )
    };
    let leaked = ExactRow {
        notes: vec!["still alive at the end: 1 descriptors".to_owned()],
        ..row(
            "slow_header_100_conns",
            per_op(25.0, 23_000.0, 2.0),
            per_op(25.0, 23_000.0, 2.0),
            Verdict::Leaked,
        )
    };
    let mut rows = vec![
        regressed,
        improved,
        leaked,
        row("dashboard_1000_ticks_8_subs", None, per_op(0.0, 0.0, 8.0), Verdict::Missing),
        row("echo_dribbled_1000_msgs", per_op(0.0, 0.0, 1.0), None, Verdict::Stale),
    ];
    for size in ["16b", "1kib", "16kib", "64kib"] {
        let id = format!("echo_binary_{size}_1000_msgs");
        rows.push(row(&id, per_op(0.0, 0.0, 1.0), per_op(0.0, 0.0, 1.0), Verdict::Pass));
    }
    rows
}

fn site(key: &str, place: &str, base: [u64; 2], head: [u64; 2]) -> SiteRow {
    let cost = |blocks: [u64; 2]| {
        (blocks[1] > 0).then(|| SiteCost { blocks, bytes: blocks.map(|blocks| blocks * 64) })
    };
    SiteRow {
        key: key.to_owned(),
        place: Some(place.to_owned()),
        base: cost(base),
        head: cost(head),
    }
}

fn instructions() -> Vec<InstructionRow> {
    let function = |name: &str, file: Option<&str>, base, head| FunctionRow {
        name: name.to_owned(),
        file: file.map(str::to_owned),
        is_own: name.starts_with("server::"),
        base,
        head,
    };
    let row = |id: &str, base, head, verdict| InstructionRow {
        id: id.to_owned(),
        unit: "message".to_owned(),
        base,
        head,
        functions: Vec::new(),
        verdict,
    };
    vec![
        InstructionRow {
            functions: vec![
                function(
                    "server::echo::Echo::poll_messages",
                    Some("server/src/echo.rs"),
                    812.0,
                    1012.5,
                ),
                function("__memcpy_avx_unaligned_erms", None, 96.0, 160.0),
                function(
                    "<bytes::BytesMut as core::ops::Drop>::drop",
                    Some("bytes/src/bytes_mut.rs"),
                    40.0,
                    22.0,
                ),
            ],
            ..row("echo_in_memory_text_64b", Some(4_812.0), Some(5_058.5), Verdict::Regressed)
        },
        row(
            "echo_in_memory_binary_16kib_fragmented",
            Some(28_044.0),
            Some(28_044.0),
            Verdict::Pass,
        ),
        row("codec_encode_1kib", None, Some(911.0), Verdict::Missing),
    ]
}
