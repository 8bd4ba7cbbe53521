//! Servers whose answers to a batch wait for acknowledgements.
//!
//! Without `TCP_NODELAY`, a second write waits until the first one is acknowledged (Nagle's algorithm, RFC 896), and a peer
//! may delay that (RFC 1122, section 4.2.3.2): Linux by 40 ms. Whether it does so is chance, so that no two rounds agree.

use crate::model::TimingRow;
use crate::round::{BASE, CONTROL, Round};
use crate::workload::{Traffic, Workload};

/// Least time of a batch with such a wait, in nanoseconds: half of it.
const WAITS_FROM: f64 = 20e6;

/// The reason why rows are left out.
pub(super) const WHY: &str = "base answers batches 40 ms late in some rounds, and whether it does is chance; set \
    TCP_NODELAY on what the server accepts (axum: listener.tap_io)";

/// Whether base, or its copy, waits in one of these rounds.
pub(super) fn waits(workload: &Workload, rounds: &[Round]) -> bool {
    let Traffic::Echo { depth: depth @ 2.., connections, .. } = workload.traffic else {
        return false;
    };
    let batch = (depth * connections) as f64;
    let walls = rounds.iter().filter_map(|round| round.wall.as_ref());
    let mut bases = walls.flat_map(|arms| [&arms[BASE], &arms[CONTROL]]);
    bases.any(|arm| arm.ns * batch >= WAITS_FROM)
}

/// Time by which Linux delays an acknowledgement, in nanoseconds.
const DELAY: f64 = 40e6;

/// Largest difference from that, for each delay: a timer fires late.
const SLACK: f64 = 4e6;

/// Most delays in a step that are told from any other time.
const MOST: f64 = 4.0;

/// What a step of head that takes whole delays longer than base's looks like.
pub(super) fn hint(workload: &Workload, row: &TimingRow) -> Option<String> {
    // Operations of a step, after which the client waits.
    let step = match workload.traffic {
        Traffic::Echo { depth, connections, .. } => depth * connections,
        Traffic::Connect | Traffic::Talk(_) | Traffic::Open(_) => 1,
        Traffic::Dashboard { .. } => return None,
    };
    let delays = |base: f64, head: f64| {
        let longer = (head - base) * step as f64;
        let delays = (longer / DELAY).round();
        let is_some = (1.0..=MOST).contains(&delays);
        (is_some && (longer - delays * DELAY).abs() <= delays * SLACK).then_some(delays * DELAY)
    };
    let all = delays(row.base_ns, row.head_ns).map(|longer| (longer, ""));
    let some = || {
        let [base, head] = row.p99_ns?;
        delays(base, head).map(|longer| (longer, " in the 99th percentile"))
    };
    let (longer, which) = all.or_else(some)?;
    Some(format!(
        "head takes {:.0} ms longer{which}, whole steps of 40 ms: TCP_NODELAY? Without it a second write waits for an \
         acknowledgement, which Linux delays by 40 ms",
        longer / 1e6
    ))
}

/// The rounds without their results, so that no row comes of them.
pub(super) fn without_results(rounds: Vec<Round>) -> Vec<Round> {
    rounds.into_iter().map(|_| Round { wall: None, cpu: None }).collect()
}

#[cfg(test)]
mod tests {
    use super::super::*;
    use crate::round::Measured;

    /// Rows of all workloads, whose batches take these nanoseconds per message for base and for head in every other round.
    fn rows(base: f64, head: f64) -> Vec<TimingRow> {
        let workloads = select(&[], true, None).expect("there are rows");
        let rule = Rule { threshold: 0.03, confidence: 0.99 };
        let arms = |workload: &Workload, turn: usize| {
            let of = |slow: f64| {
                let waits =
                    turn % 2 == 1 && workload.wall.as_deref() == Some("echo_burst/text/1KiB");
                let ns = if waits { slow } else { 3000.0 } + turn as f64;
                Measured { ns, log_ratio: (ns / 3000.0).ln(), p99_ns: None }
            };
            let arms = vec![of(base), of(base), of(head)];
            Round { wall: workload.wall.as_ref().map(|_| arms.clone()), cpu: Some(arms) }
        };
        let rows = decide(&workloads, rule, |which, pass| {
            let rounds =
                |at: &usize| (0..pass.rounds()).map(|turn| arms(&workloads[*at], turn)).collect();
            Ok(which.iter().map(rounds).collect())
        });
        rows.expect("nothing fails")
    }

    fn has_burst(rows: &[TimingRow]) -> bool {
        rows.iter().any(|row| row.id == "echo_burst/text/1KiB")
    }

    #[test]
    fn batches_that_wait_by_chance_in_base_are_left_out_and_other_rows_stay() {
        let rows = rows(2.5e6, 2.5e6);
        assert!(!has_burst(&rows) && rows.len() > 5, "{rows:?}");
    }

    #[test]
    fn batches_that_wait_in_head_alone_are_judged() {
        let rows = rows(3000.0, 2.5e6);
        assert!(has_burst(&rows), "{rows:?}");
    }

    /// The hint of a row of `workloads` with these nanoseconds per operation, and these percentiles.
    fn hinted(id: &str, base: f64, head: f64, p99_ns: Option<[f64; 2]>) -> Option<String> {
        let workloads = select(&[id.to_owned()], true, None).expect("there is such a row");
        let any = rows(3000.0, 3000.0).into_iter().next().expect("there are rows");
        let row = TimingRow { base_ns: base, head_ns: head, p99_ns, ..any };
        stall::hint(&workloads[0], &row)
    }

    #[test]
    fn a_head_that_takes_whole_steps_of_40_ms_longer_has_a_hint_at_tcp_nodelay() {
        let latency = "echo_latency/text/64B";
        for (id, base, head, words) in [
            (latency, 16e3, 40.9e6, "head takes 40 ms longer, whole steps of 40 ms: TCP_NODELAY?"),
            (latency, 16e3, 83.1e6, "head takes 80 ms longer, "),
            // 16 messages are answered in a batch.
            ("echo_burst/text/1KiB", 3e3, 2.6e6, "head takes 40 ms longer, "),
        ] {
            let hint = hinted(id, base, head, None).expect("it has a hint");
            assert!(hint.starts_with(words), "{hint}");
        }
        let rarely = hinted(latency, 16e3, 17e3, Some([40e3, 40.1e6])).expect("it has a hint");
        assert!(rarely.contains("40 ms longer in the 99th percentile, "), "{rarely}");
    }

    #[test]
    fn other_times_have_no_hint() {
        for head in [16e3, 10e6, 25e6, 60e6, 240e6, 1e9] {
            assert_eq!(hinted("echo_latency/text/64B", 16e3, head, None), None, "{head}");
        }
        // A base that waits as long.
        assert_eq!(hinted("echo_latency/text/64B", 40e6, 40e6, Some([41e6, 42e6])), None);
    }
}
