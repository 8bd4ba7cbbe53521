//! What the timing gate does when the answer is known: identical programs, and programs slowed down by a known share.
//! Pure: records → figures.

mod curve;
mod document;
#[cfg(test)]
mod tests;

use baselines::Verdict;
use serde::{Deserialize, Serialize};

use super::model::TimingRow;
use bench_kit::statistics::{binomial_interval, binomial_upper, median};

pub use curve::svg;
pub use document::markdown;

/// One comparison whose right answer is known.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// By which share head was slowed down; 0 for identical programs.
    pub slower: f64,
    /// Processors that something else kept busy the whole time.
    pub busy: u32,
    /// Comparisons, this one among them, that have their base and its copy in common.
    #[serde(default = "alone")]
    pub together: u32,
    /// Wall-clock seconds that it took; 0 where it shared its rounds with others.
    pub seconds: f64,
    /// What became of the rows.
    pub rows: Vec<Row>,
}

const fn alone() -> u32 {
    1
}

/// One row of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Row {
    /// The row's id.
    pub id: String,
    /// Rows of one traffic have the same number: slowing it down moves them all.
    pub workload: usize,
    /// The verdict's word.
    pub verdict: String,
    /// Estimated change, as a share.
    pub effect: f64,
    /// That of the second copy of base.
    pub null: f64,
    /// Smallest change that it says it would have seen.
    pub detectable: f64,
}

impl Row {
    /// What is worth keeping of `row`.
    #[must_use]
    pub fn new(row: &TimingRow, workload: usize) -> Self {
        Self {
            id: row.id.clone(),
            workload,
            verdict: row.verdict.as_str().to_owned(),
            effect: row.effect,
            null: row.null,
            detectable: row.detectable,
        }
    }

    fn is(&self, verdict: Verdict) -> bool {
        self.verdict == verdict.as_str()
    }

    /// A change was claimed, in either direction.
    fn claims(&self) -> bool {
        self.is(Verdict::Regressed) || self.is(Verdict::Improved)
    }
}

/// How often something happened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Share {
    /// Times it happened.
    pub times: u64,
    /// Times it could have.
    pub of: u64,
}

impl Share {
    fn count<T>(items: impl IntoIterator<Item = T>, mut happened: impl FnMut(&T) -> bool) -> Self {
        items.into_iter().fold(Self::default(), |share, item| Self {
            times: share.times + u64::from(happened(&item)),
            of: share.of + 1,
        })
    }

    /// Of 1; 0 of nothing.
    #[must_use]
    pub fn rate(self) -> f64 {
        if self.of == 0 { 0.0 } else { self.times as f64 / self.of as f64 }
    }

    /// Clopper–Pearson interval at 95 %.
    #[must_use]
    pub fn interval(self) -> [f64; 2] {
        if self.of == 0 { [0.0, 1.0] } else { binomial_interval(self.times, self.of, 0.95) }
    }

    /// One-sided upper bound at 95 %.
    #[must_use]
    pub fn upper(self) -> f64 {
        if self.of == 0 { 1.0 } else { binomial_upper(self.times, self.of, 0.95) }
    }
}

/// Identical programs under one load.
#[derive(Clone, Debug)]
pub struct Alarms {
    /// Processors kept busy.
    pub busy: u32,
    /// Comparisons in which any row claimed a change.
    pub any: Share,
    /// Comparisons in which any row was too noisy to say.
    pub noisy: Share,
    /// Groups of comparisons that have nothing in common.
    pub groups: u64,
    /// Longest and middle wall-clock seconds of a comparison, of those that were taken alone.
    pub seconds: [f64; 2],
    /// By row: claims, largest estimate, and the middle of what it says it would have seen.
    pub rows: Vec<(String, Share, f64, f64)>,
}

/// What identical programs were said to be, by load.
#[must_use]
pub fn alarms(records: &[Record]) -> Vec<Alarms> {
    let same = || records.iter().filter(|record| record.slower == 0.0);
    let mut loads: Vec<u32> = same().map(|record| record.busy).collect();
    loads.sort_unstable();
    loads.dedup();
    let at = |busy: u32| -> Vec<&Record> { same().filter(|record| record.busy == busy).collect() };
    loads
        .into_iter()
        .map(|busy| {
            let records = at(busy);
            let any = |what: fn(&Row) -> bool| {
                Share::count(&records, |record| record.rows.iter().any(what))
            };
            let alone = records.iter().filter(|record| record.together == 1);
            let seconds: Vec<f64> = alone.map(|record| record.seconds).collect();
            let groups: f64 = records.iter().map(|record| 1.0 / f64::from(record.together)).sum();
            let longest = seconds.iter().copied().fold(0.0, f64::max);
            Alarms {
                busy,
                any: any(Row::claims),
                noisy: any(|row| row.is(Verdict::TooNoisy)),
                groups: groups.round() as u64,
                seconds: [longest, median(&seconds).unwrap_or_default()],
                rows: rows_of(&records)
                    .into_iter()
                    .map(|(id, rows)| {
                        let claims = Share::count(&rows, |row| row.claims());
                        let largest = rows.iter().map(|row| row.effect.abs()).fold(0.0, f64::max);
                        (id, claims, largest, middle(&rows, |row| row.detectable))
                    })
                    .collect(),
            }
        })
        .collect()
}

/// A row at one slowdown.
#[derive(Clone, Debug)]
pub struct Power {
    /// The row.
    pub id: String,
    /// Its traffic: rows of the same one are slowed together.
    pub traffic: usize,
    /// What was injected.
    pub slower: f64,
    /// What the row estimated, the middle of all.
    pub effect: f64,
    /// Comparisons in which this row turned red.
    pub row: Share,
    /// Comparisons in which any row of the same traffic did: its time, or its processor time.
    pub workload: Share,
}

/// What slowed programs were said to be: rows in their order, then by slowdown.
#[must_use]
pub fn powers(records: &[Record]) -> Vec<Power> {
    let slowed: Vec<&Record> = records.iter().filter(|record| record.slower > 0.0).collect();
    let mut shares: Vec<f64> = slowed.iter().map(|record| record.slower).collect();
    shares.sort_by(f64::total_cmp);
    shares.dedup();
    let mut powers = Vec::new();
    for (id, _) in rows_of(&slowed) {
        for slower in &shares {
            let has = |record: &Record| record.rows.iter().any(|row| row.id == id);
            let records: Vec<&Record> = slowed
                .iter()
                .copied()
                .filter(|record| record.slower == *slower && has(record))
                .collect();
            let rows: Vec<&Row> = records
                .iter()
                .flat_map(|record| record.rows.iter().filter(|row| row.id == id))
                .collect();
            let red = |record: &&Record| {
                let own = record.rows.iter().find(|row| row.id == id).map(|row| row.workload);
                let kin = record.rows.iter().filter(|row| Some(row.workload) == own);
                kin.into_iter().any(|row| row.is(Verdict::Regressed))
            };
            powers.push(Power {
                id: id.clone(),
                traffic: rows.first().map_or(0, |row| row.workload),
                slower: *slower,
                effect: middle(&rows, |row| row.effect),
                row: Share::count(&rows, |row| row.is(Verdict::Regressed)),
                workload: Share::count(records, |record| red(record)),
            });
        }
    }
    powers
}

/// The rows of all records by id: traffic by traffic, each in the order in which its first record has them.
fn rows_of<'a>(records: &[&'a Record]) -> Vec<(String, Vec<&'a Row>)> {
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

fn middle(rows: &[&Row], value: impl Fn(&Row) -> f64) -> f64 {
    median(&rows.iter().map(|row| value(row)).collect::<Vec<_>>()).unwrap_or_default()
}
