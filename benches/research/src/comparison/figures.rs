//! Records → figures: false alarms between identical programs, and how often known slowdowns are seen. Pure.

use baselines::Verdict;
use bench_kit::statistics::{binomial_interval, binomial_upper, median};

use super::record::{Head, Record, Row};

/// How often something happened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Share {
    pub(super) times: u64,
    /// How often it could have happened.
    pub(super) of: u64,
}

impl Share {
    fn count<T>(items: &[T], happened: impl Fn(&T) -> bool) -> Self {
        let times = items.iter().filter(|item| happened(item)).count();
        Self { times: times as u64, of: items.len() as u64 }
    }

    /// From 0 to 1; 0 without a try.
    pub(super) fn rate(self) -> f64 {
        if self.of == 0 { 0.0 } else { self.times as f64 / self.of as f64 }
    }

    /// Clopper–Pearson interval at 95 %.
    pub(super) fn interval(self) -> [f64; 2] {
        binomial_interval(self.times, self.of, 0.95)
    }

    /// One-sided upper bound at 95 %.
    pub(super) fn upper(self) -> f64 {
        binomial_upper(self.times, self.of, 0.95)
    }
}

/// Comparisons of identical programs beside the same number of busy processors.
#[derive(Clone, Debug)]
pub(super) struct Alarms {
    pub(super) busy: u32,
    /// Comparisons in which any row reported a change.
    pub(super) any: Share,
    /// Comparisons in which any row was too noisy to judge.
    pub(super) noisy: Share,
    /// Groups of comparisons; those of different groups share nothing.
    pub(super) groups: u64,
    /// Median and longest wall-clock seconds of the comparisons that shared nothing; 0 without one.
    pub(super) seconds: [f64; 2],
    pub(super) rows: Vec<AlarmsOfRow>,
}

#[derive(Clone, Debug)]
pub(super) struct AlarmsOfRow {
    pub(super) id: String,
    pub(super) alarms: Share,
    /// The largest estimated change, as a share.
    pub(super) largest: f64,
    /// The median of the smallest changes that the row says it would have called.
    pub(super) detectable: f64,
    /// Comparisons in which the row called a change of about that size.
    pub(super) called: Share,
}

/// Alarms between identical programs, by the number of busy processors.
pub(super) fn alarms(records: &[Record]) -> Vec<Alarms> {
    let of = |head| records.iter().filter(move |record: &&Record| record.head == head);
    let mut same: Vec<&Record> = of(Head::Same).collect();
    same.sort_by_key(|record| record.busy);
    let beside = |records: &[&Record]| {
        let seen = of(Head::Seen).filter(|record| record.busy == records[0].busy).collect();
        alarms_beside(records, seen)
    };
    same.chunk_by(|a, b| a.busy == b.busy).map(beside).collect()
}

fn alarms_beside(records: &[&Record], seen: Vec<&Record>) -> Alarms {
    let any = |is: fn(&Row) -> bool| Share::count(records, |record| record.rows.iter().any(is));
    let alone = records.iter().filter(|record| record.together == 1);
    let seconds: Vec<f64> = alone.map(|record| record.seconds).collect();
    let groups: f64 = records.iter().map(|record| 1.0 / f64::from(record.together)).sum();
    let called = |id: &str| {
        let rows = seen.iter().flat_map(|record| &record.rows).filter(|row| row.id == id);
        Share::count(&rows.collect::<Vec<_>>(), |row| row.is(Verdict::Regressed))
    };
    let of_row = |(id, rows): (String, Vec<&Row>)| AlarmsOfRow {
        called: called(&id),
        id,
        alarms: Share::count(&rows, |row| row.is_alarm()),
        largest: rows.iter().map(|row| row.effect.abs()).fold(0.0, f64::max),
        detectable: median_of(&rows, |row| row.detectable),
    };
    Alarms {
        busy: records[0].busy,
        any: any(Row::is_alarm),
        noisy: any(|row| row.is(Verdict::TooNoisy)),
        groups: groups.round() as u64,
        seconds: [
            median(&seconds).unwrap_or_default(),
            seconds.iter().copied().fold(0.0, f64::max),
        ],
        rows: rows_by_id(records).into_iter().map(of_row).collect(),
    }
}

/// A row at one slowdown.
#[derive(Clone, Debug)]
pub(super) struct Power {
    pub(super) id: String,
    /// The number of its traffic: rows of one traffic are slowed together.
    pub(super) traffic: usize,
    /// The injected share of the first row of the traffic.
    pub(super) slower: f64,
    /// The injected share of this row: the median of all comparisons.
    pub(super) injected: f64,
    /// The median of the estimated shares.
    pub(super) effect: f64,
    /// Comparisons in which this row regressed.
    pub(super) of_row: Share,
    /// Comparisons in which a row of the same traffic regressed: its time, or its processor time.
    pub(super) of_traffic: Share,
}

/// How often slowed programs were seen: the rows in their order, each by slowdown.
pub(super) fn powers(records: &[Record]) -> Vec<Power> {
    let share = |record: &Record| match record.head {
        Head::Slower(share) => Some(share),
        Head::Same | Head::Seen => None,
    };
    let slowed: Vec<&Record> = records.iter().filter(|record| share(record).is_some()).collect();
    let mut shares: Vec<f64> = slowed.iter().filter_map(|record| share(record)).collect();
    shares.sort_by(f64::total_cmp);
    shares.dedup();
    let at = |id: &str, slower: f64| {
        let records = slowed.iter().filter(|record| share(record) == Some(slower));
        let with_row = records.filter_map(|record| {
            let row = record.rows.iter().find(|row| row.id == id)?;
            Some((*record, row))
        });
        let (records, rows): (Vec<&Record>, Vec<&Row>) = with_row.unzip();
        let traffic = rows.first().map_or(0, |row| row.workload);
        let is_red = |row: &&Row| row.is(Verdict::Regressed);
        Power {
            id: id.to_owned(),
            traffic,
            slower,
            injected: median_of(&rows, |row| row.injected),
            effect: median_of(&rows, |row| row.effect),
            of_row: Share::count(&rows, is_red),
            of_traffic: Share::count(&records, |record| {
                record.rows.iter().filter(|row| row.workload == traffic).any(|row| is_red(&row))
            }),
        }
    };
    let ids = rows_by_id(&slowed).into_iter().map(|(id, _)| id);
    ids.flat_map(|id| shares.iter().map(|slower| at(&id, *slower)).collect::<Vec<_>>()).collect()
}

/// The rows of all records by id, sorted by traffic; within a traffic in the order of the records.
fn rows_by_id<'a>(records: &[&'a Record]) -> Vec<(String, Vec<&'a Row>)> {
    let mut by_id: Vec<(String, Vec<&Row>)> = Vec::new();
    for row in records.iter().flat_map(|record| &record.rows) {
        match by_id.iter_mut().find(|(id, _)| *id == row.id) {
            Some((_, rows)) => rows.push(row),
            None => by_id.push((row.id.clone(), vec![row])),
        }
    }
    by_id.sort_by_key(|(_, rows)| rows[0].workload);
    by_id
}

fn median_of(rows: &[&Row], value: impl Fn(&Row) -> f64) -> f64 {
    median(&rows.iter().map(|row| value(row)).collect::<Vec<_>>()).unwrap_or_default()
}
