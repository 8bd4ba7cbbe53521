//! Servers whose answers to a batch wait for acknowledgements.
//!
//! Without `TCP_NODELAY`, a second write waits until the first one is acknowledged (Nagle's algorithm, RFC 896), and a peer
//! may delay that (RFC 1122, section 4.2.3.2): Linux by 40 ms. Whether it does so is chance, so that no two rounds agree.

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
}
