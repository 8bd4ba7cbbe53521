//! The rounds of workloads → their rows.

use bench_kit::statistics::median;

use super::stall;
use crate::gate::{self, Family, Finding, Rule, Series};
use crate::model::{TimingRow, TimingUnit};
use crate::round::{BASE, CONTROL, HEAD, Measured, Round};
use crate::workload::Workload;

/// Rounds of a confirmation, which uses no data of the screening.
pub(super) const CONFIRMATION_ROUNDS: usize = 30;

/// The rounds of a screening, without those of a base that waits by chance.
pub(super) fn screened(workloads: &[Workload], rounds: Vec<Vec<Round>>) -> Vec<Evidence> {
    let evidence = rounds.into_iter().zip(workloads).map(|(rounds, workload)| {
        let waits = stall::waits(workload, &rounds);
        let rounds = if waits { stall::without_results(rounds) } else { rounds };
        Evidence { rounds, confirmed: false }
    });
    evidence.collect()
}

/// As many rows as have rounds.
pub(super) fn family(evidence: &[Evidence]) -> Family {
    let rows = evidence.iter().flat_map(|one| [one.wall(), one.cpu()]).flatten().count();
    Family { rows, rounds: CONFIRMATION_ROUNDS }
}

/// The rounds of one workload that its verdicts rest on.
#[derive(Debug)]
pub(super) struct Evidence {
    pub(super) rounds: Vec<Round>,
    /// Whether the rounds were taken after a screening.
    pub(super) confirmed: bool,
}

impl Evidence {
    /// Whether a row needs confirmation `number`: the first one if it is suspect, the others if it is noisy, whatever
    /// its estimate: whether to look again must not depend on what was found.
    pub(super) fn needs(&self, number: usize, rule: Rule, family: Family) -> bool {
        [self.wall(), self.cpu()].into_iter().flatten().any(|arms| {
            let series = series(&arms);
            if number == 1 {
                return gate::is_suspect(&series, rule, family);
            }
            let noisy = |finding| gate::is_noisy(&finding, rule);
            self.confirmed && gate::find(&series, rule, family).is_some_and(noisy)
        })
    }

    fn wall(&self) -> Option<Vec<&[Measured]>> {
        self.rounds.iter().map(|round| round.wall.as_deref()).collect()
    }

    fn cpu(&self) -> Option<Vec<&[Measured]>> {
        self.rounds.iter().map(|round| round.cpu.as_deref()).collect()
    }
}

fn series(rounds: &[&[Measured]]) -> Series {
    let of = |arm: usize| rounds.iter().map(|arms| arms[arm].log_ratio).collect();
    Series { head: of(HEAD), null: of(CONTROL) }
}

/// The rows with their verdicts.
pub(super) fn judge(
    workloads: &[Workload],
    evidence: &[Evidence],
    rule: Rule,
    family: Family,
) -> Vec<TimingRow> {
    let mut found: Vec<(TimingRow, Finding)> = Vec::new();
    for (workload, evidence) in workloads.iter().zip(evidence) {
        let unit = if workload.is_rate { TimingUnit::Rate } else { TimingUnit::Time };
        let rows = [
            (&workload.wall, evidence.wall(), unit),
            (&workload.cpu, evidence.cpu(), TimingUnit::Cpu),
        ];
        for (id, rounds, unit) in rows {
            let (Some(id), Some(rounds)) = (id, rounds) else { continue };
            found.extend(row(id, unit, &rounds, evidence.confirmed, |series| {
                gate::find(series, rule, family)
            }));
        }
    }
    let findings: Vec<Finding> = found.iter().map(|(_, finding)| *finding).collect();
    let judged = gate::judge(&findings, rule);
    let rows = found.into_iter().zip(judged);
    rows.map(|((row, _), (verdict, p))| TimingRow { verdict, p, ..row }).collect()
}

/// A row whose verdict is not decided yet; `None` without rounds.
fn row(
    id: &str,
    unit: TimingUnit,
    rounds: &[&[Measured]],
    confirmed: bool,
    find: impl Fn(&Series) -> Option<Finding>,
) -> Option<(TimingRow, Finding)> {
    let series = series(rounds);
    let finding = find(&series)?;
    let middle = |arm: usize| median(&rounds.iter().map(|arms| arms[arm].ns).collect::<Vec<_>>());
    let p99 = |arm: usize| -> Option<f64> {
        let all: Option<Vec<f64>> = rounds.iter().map(|arms| arms[arm].p99_ns).collect();
        median(&all?)
    };
    let row = TimingRow {
        id: id.to_owned(),
        unit,
        base_ns: middle(BASE)?,
        head_ns: middle(HEAD)?,
        effect: finding.effect.exp_m1(),
        interval: finding.interval.map(f64::exp_m1),
        null: finding.null.exp_m1(),
        p: finding.p,
        detectable: finding.detectable.exp_m1(),
        p99_ns: p99(BASE).zip(p99(HEAD)).map(|(base, head)| [base, head]),
        rounds: series.head.iter().map(|ratio| ratio.exp_m1()).collect(),
        confirmed,
        verdict: baselines::Verdict::Pass,
    };
    Some((row, finding))
}
