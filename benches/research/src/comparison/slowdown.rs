//! How much a server wastes to be slower by a share of one of its rows.

use bench_kit::statistics::median;
use compare::model::TimingRow;
use compare::round::{BASE, HEAD, Measured, Round};
use compare::workload::{Cores, Traffic, Workload};

/// A slowdown of one head.
#[derive(Clone, Copy, Debug)]
pub(super) struct Slowdown {
    /// The share of the cost of an operation that is injected.
    pub(super) share: f64,
    /// Whether it is a share of the processor time, not of the wall-clock time.
    pub(super) is_cpu: bool,
    /// The busy loop of an operation, in nanoseconds.
    pub(super) ns: f64,
}

impl Slowdown {
    /// Whether other work overlaps with the loops, so that a loop costs less time than it spins: the driver's, on another
    /// core. On one core a loop costs what it spins.
    pub(super) fn overlaps(workload: &Workload) -> bool {
        workload.cores == Cores::Two
    }

    /// Adds what a trial with this slowdown at place `head` missed, where loops overlap.
    pub(super) fn correct(&mut self, workload: &Workload, head: usize, trial: &[Round]) {
        if Self::overlaps(workload) && self.share > 0.0 {
            let ratios = trial.iter().filter_map(|round| times(round, self.is_cpu));
            let slower: Vec<f64> =
                ratios.map(|arms| arms[HEAD + head].log_ratio.exp_m1()).collect();
            let missed = median(&slower).map_or(0.0, |slower| self.share - slower);
            self.ns = (self.ns + missed * base_ns(trial, self.is_cpu)).max(0.0);
        }
    }

    /// What was injected, as a share of the base of `row`, which may be another one of the same traffic.
    pub(super) fn injected(&self, workload: &Workload, row: &TimingRow) -> f64 {
        if Self::overlaps(workload) { self.share } else { self.ns / row.base_ns }
    }
}

/// Nanoseconds of an operation of base.
pub(super) fn base_ns(rounds: &[Round], is_cpu: bool) -> f64 {
    let base = rounds.iter().filter_map(|round| Some(times(round, is_cpu)?[BASE].ns));
    median(&base.collect::<Vec<_>>()).unwrap_or_default()
}

fn times(round: &Round, is_cpu: bool) -> Option<&[Measured]> {
    if is_cpu { round.cpu.as_deref() } else { round.wall.as_deref() }
}

/// The flags of the example `slowed` that slow each operation of a workload by `ns` nanoseconds.
pub(super) fn flags(workload: &Workload, ns: f64) -> Vec<String> {
    let (flag, operations) = match workload.traffic {
        Traffic::Echo { depth, .. } => ("--slow-batch-ns", depth as f64),
        Traffic::Connect | Traffic::Open(_) => ("--slow-connection-ns", 1.0),
        Traffic::Dashboard { .. } | Traffic::Talk(_) => ("--slow-batch-ns", 1.0),
    };
    vec![flag.to_owned(), format!("{:.0}", ns * operations)]
}

#[cfg(test)]
mod tests {
    use compare::workload::all;

    use super::*;

    fn round(base: [f64; 2], slower: f64) -> Round {
        let arms = |ns: f64| {
            let arm = |share: f64| Measured { ns, log_ratio: share.ln_1p(), p99_ns: None };
            [0.0, 0.0, slower].map(arm).to_vec()
        };
        Round { wall: Some(arms(base[0])), cpu: Some(arms(base[1])) }
    }

    fn workload(id: &str) -> Workload {
        all().into_iter().find(|one| one.wall.as_deref() == Some(id)).expect("there is such a row")
    }

    #[test]
    fn a_loop_on_one_core_is_its_share_of_each_rows_own_base() {
        let echo = workload("echo_latency/text/64B");
        let rounds = vec![round([16_000.0, 10_000.0], 0.0)];
        assert_eq!([false, true].map(|is_cpu| base_ns(&rounds, is_cpu)), [16_000.0, 10_000.0]);
        let mut slowdown = Slowdown { share: 0.03, is_cpu: false, ns: 480.0 };
        slowdown.correct(&echo, 0, &rounds);
        assert_eq!(slowdown.ns, 480.0);
        let row = |base_ns| super::super::tests::timing_row("echo_cpu/text/64B", base_ns);
        let shares = [16_000.0, 10_000.0].map(|base| slowdown.injected(&echo, &row(base)));
        assert_eq!(shares, [0.03, 0.048]);
        assert_eq!(flags(&echo, 480.4), ["--slow-batch-ns", "480"]);
        assert_eq!(flags(&workload("echo_burst/text/1KiB"), 10.0), ["--slow-batch-ns", "160"]);
    }

    #[test]
    fn a_loop_on_a_core_of_its_own_is_lengthened_by_what_it_missed() {
        let throughput = workload("echo_throughput/text/c10x16");
        let mut slowdown = Slowdown { share: 0.05, is_cpu: false, ns: 50.0 };
        slowdown.correct(&throughput, 0, &[round([1000.0, 900.0], 0.03)]);
        assert!((slowdown.ns - 70.0).abs() < 1e-9, "{}", slowdown.ns);
        let row = super::super::tests::timing_row("echo_throughput/text/c10x16", 1000.0);
        assert_eq!(slowdown.injected(&throughput, &row), 0.05);
    }
}
