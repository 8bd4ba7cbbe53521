//! Instructions per operation of the in-memory scenarios of base and head, counted by callgrind.
//!
//! A simulated processor is not affected by other load: the same binary gives the same count in every run. Two binaries
//! of the same code differ slightly, because a compiler may lay them out differently. Half a percent or eight
//! instructions therefore do not count as a change.

mod callgrind;
mod profile;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use anyhow::{Context, Result, ensure};
use baselines::Verdict;

use super::model::{FunctionRow, InstructionRow, Part};
use callgrind::{Callgrind, Job, Runner, Unavailable};
use profile::{Place, Profile};

/// Largest difference that is not a change, as a share of base's instructions.
const SHARE: f64 = 0.005;

/// Largest difference that is not a change, in instructions per operation. In an operation of a thousand instructions, a
/// single spilled register is half a percent.
const FLOOR: f64 = 8.0;

/// Smallest change of a function that is listed, in instructions per operation.
const LISTED_FROM: f64 = 0.5;

/// Number of operations from which on a tenth is run. Callgrind is fifty times slower than a processor and repeats to
/// the instruction. Fewer than a hundred operations would not hide the `Date` header, which is rendered anew, with some
/// 700 instructions, in each second of a run.
const MANY: u64 = 1000;

/// Counts both sides and compares head with base. The runners are those of `alloc-tests` without dhat; `scratch` is an
/// empty folder for temporary files. `done` is told the id of each counted scenario, a second time if a change was
/// confirmed.
pub fn compare(
    base: &Path,
    head: &Path,
    scratch: &Path,
    done: impl Fn(&str),
) -> Part<Vec<InstructionRow>> {
    match measure(base, head, scratch, done) {
        Err(error) if error.is::<Unavailable>() => Part::NotMeasured(error.to_string()),
        measured => measured.into(),
    }
}

fn measure(
    base: &Path,
    head: &Path,
    scratch: &Path,
    done: impl Fn(&str),
) -> Result<Vec<InstructionRow>> {
    let callgrind = Callgrind::new(base, head, scratch)?;
    let [base, head] = [callgrind.scenarios(Runner::Base)?, callgrind.scenarios(Runner::Head)?];
    let ids: BTreeSet<&String> = base.iter().chain(&head).collect();
    ensure!(
        !ids.is_empty(),
        "neither runner has an in-memory scenario; list them with suite --list --in-memory"
    );
    let scenarios = ids
        .into_iter()
        .map(|id| Scenario::new(id, [base.contains(id), head.contains(id)]))
        .collect::<Result<Vec<_>>>()?;
    let mut rows = count(&callgrind, &scenarios, &done)?;
    confirm(&callgrind, &scenarios, &mut rows, &done)?;
    Ok(rows)
}

/// Counts the differing scenarios a second time. A change that does not repeat is nondeterministic.
fn confirm(
    callgrind: &Callgrind<'_>,
    all: &[Scenario],
    rows: &mut [InstructionRow],
    done: impl Fn(&str),
) -> Result<()> {
    let differs =
        |row: &InstructionRow| matches!(row.verdict, Verdict::Regressed | Verdict::Improved);
    let suspects: Vec<_> = all
        .iter()
        .zip(rows.iter())
        .filter(|(_, row)| differs(row))
        .map(|(one, _)| one.clone())
        .collect();
    let again = count(callgrind, &suspects, done)?;
    for (row, again) in rows.iter_mut().filter(|row| differs(row)).zip(again) {
        if row.verdict != again.verdict {
            row.verdict = Verdict::Nondeterministic;
        }
    }
    Ok(())
}

fn count(
    callgrind: &Callgrind<'_>,
    scenarios: &[Scenario],
    done: impl Fn(&str),
) -> Result<Vec<InstructionRow>> {
    let jobs: Vec<Job> = scenarios.iter().flat_map(Scenario::jobs).collect();
    let mut left: BTreeMap<&str, usize> = BTreeMap::new();
    for job in &jobs {
        *left.entry(&job.id).or_default() += 1;
    }
    let profiles = callgrind.run_all(&jobs, |job| {
        let left = left.get_mut(job.id.as_str()).expect("every job was counted");
        *left -= 1;
        if *left == 0 {
            done(&job.id);
        }
    })?;
    let mut profiles = profiles.into_iter();
    let mut next = || {
        let both = [profiles.next()?, profiles.next()?];
        let [Some(once), Some(twice)] = both else { return None };
        Some(growth([once, twice]))
    };
    let rows = scenarios.iter().map(|one| {
        let [base, head] = one.on.map(|on| if on { next() } else { None });
        one.row(base.as_ref(), head.as_ref())
    });
    Ok(rows.collect())
}

/// A scenario on one side or both.
#[derive(Clone, Debug)]
struct Scenario {
    id: String,
    unit: &'static str,
    /// N, the operations of the shorter run.
    ops: u64,
    /// Whether base and head have it.
    on: [bool; 2],
}

impl Scenario {
    fn new(id: &str, on: [bool; 2]) -> Result<Self> {
        let (own, unit) = operations(id).with_context(|| {
            format!("{id} contains no number of operations; name it like echo_text_64b_1000_msgs")
        })?;
        let ops = if own < MANY { own } else { own / 10 };
        Ok(Self { id: id.to_owned(), unit, ops, on })
    }

    /// The runs at N and 2N of base and head, if they have it.
    fn jobs(&self) -> impl Iterator<Item = Job> {
        let sides = Runner::BOTH.into_iter().zip(self.on).filter(|(_, on)| *on);
        sides.flat_map(|(runner, _)| {
            [1, 2].map(|times| Job { id: self.id.clone(), runner, ops: times * self.ops })
        })
    }

    fn row(&self, base: Option<&Growth>, head: Option<&Growth>) -> InstructionRow {
        let total = |growth: &Growth| self.per_op(growth.values().sum());
        // A runner whose instructions do not grow with its operations did not run them.
        let [base, head] = [base, head].map(|side| side.filter(|growth| total(growth) >= 1.0));
        let (base_total, head_total) = (base.map(total), head.map(total));
        // A scenario without a count on a side that has it failed there.
        let [on_base, on_head] = self.on;
        let verdict = match [on_base && base.is_none(), on_head && head.is_none()] {
            [true, true] => Verdict::Failed,
            [true, false] => Verdict::Improved,
            [false, true] => Verdict::Regressed,
            [false, false] => judge(base_total, head_total),
        };
        let functions = match (base, head) {
            (Some(base), Some(head)) if verdict != Verdict::Pass => self.functions(base, head),
            _ => Vec::new(),
        };
        InstructionRow {
            id: self.id.clone(),
            unit: self.unit.to_owned(),
            base: base_total,
            head: head_total,
            functions,
            verdict,
        }
    }

    fn per_op(&self, instructions: i64) -> f64 {
        instructions as f64 / self.ops as f64
    }

    /// The functions that differ by [`LISTED_FROM`] or more, largest change first.
    fn functions(&self, base: &Growth, head: &Growth) -> Vec<FunctionRow> {
        let places: BTreeSet<&Place> = base.keys().chain(head.keys()).collect();
        let own = |side: &Growth, place: &Place| self.per_op(side.get(place).copied().unwrap_or(0));
        let row = |place: &Place| FunctionRow {
            name: place.function.clone(),
            file: place.file.clone(),
            base: own(base, place),
            head: own(head, place),
        };
        let change = |row: &FunctionRow| (row.head - row.base).abs();
        let mut rows: Vec<_> =
            places.into_iter().map(row).filter(|row| change(row) >= LISTED_FROM).collect();
        // A stable sort keeps equal changes in the order of their names.
        rows.sort_by(|a, b| change(b).total_cmp(&change(a)));
        rows
    }
}

/// Instructions of a run of 2N operations beyond those of a run of N: the cost of N operations.
type Growth = BTreeMap<Place, i64>;

fn growth([once, twice]: [Profile; 2]) -> Growth {
    let mut growth: Growth =
        twice.into_iter().map(|(place, own)| (place, own.cast_signed())).collect();
    for (place, own) in once {
        *growth.entry(place).or_default() -= own.cast_signed();
    }
    growth
}

/// The number and the name of a scenario's operations, from its id.
fn operations(id: &str) -> Option<(u64, &'static str)> {
    const UNITS: [(&str, &str); 6] = [
        ("msgs", "message"),
        ("conns", "connection"),
        ("ticks", "tick"),
        ("reqs", "request"),
        ("frames", "frame"),
        ("starts", "start"),
    ];
    let words: Vec<&str> = id.split('_').collect();
    words.windows(2).find_map(|pair| {
        let (_, unit) = UNITS.iter().find(|(plural, _)| *plural == pair[1])?;
        Some((pair[0].parse().ok()?, *unit))
    })
}

fn judge(base: Option<f64>, head: Option<f64>) -> Verdict {
    let Some(base) = base else { return Verdict::Missing };
    let Some(head) = head else { return Verdict::Stale };
    let change = head - base;
    if change.abs() <= FLOOR.max(SHARE * base) {
        Verdict::Pass
    } else if change > 0.0 {
        Verdict::Regressed
    } else {
        Verdict::Improved
    }
}

#[cfg(test)]
mod tests;
