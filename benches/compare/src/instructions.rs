//! Instructions per operation of the repeatable scenarios of base and head, counted by callgrind: those in memory, and those
//! in which client and server take turns.
//!
//! A simulated processor is not affected by other load: the same binary gives the same count in every run. Two binaries
//! of the same code differ slightly, because a compiler may lay them out differently. Half a percent or eight
//! instructions therefore do not count as a change.

mod callgrind;
mod listed;
mod profile;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use anyhow::{Result, ensure};
use baselines::Verdict;

use super::model::{FunctionRow, InstructionRow, Part};
use callgrind::{Callgrind, Job, Runner, Unavailable};
use listed::{Listed, Threads};
use profile::{Place, Profile};

/// Largest difference that is not a change, as a share of base's instructions.
const SHARE: f64 = 0.005;

/// Largest difference that is not a change, in instructions per operation. In an operation of a thousand instructions, a
/// single spilled register is half a percent.
const FLOOR: f64 = 8.0;

/// Smallest change of a function that is listed, in instructions per operation.
const LISTED_FROM: f64 = 0.5;

/// Number of operations from which on not all are run. Callgrind is fifty times slower than a processor.
const MANY: u64 = 1000;

/// Counts both sides and compares head with base. The runners are those of the exact counts, in which a scenario runs
/// without dhat; `command` is what a person types for a suite. `scratch` is an empty folder for temporary files. `done` is told the id of each counted scenario, a second time if a change was
/// confirmed.
pub fn compare(
    base: &Path,
    head: &Path,
    scratch: &Path,
    command: &str,
    done: impl Fn(&str),
) -> Part<Vec<InstructionRow>> {
    match measure(base, head, scratch, command, done) {
        Err(error) if error.is::<Unavailable>() => Part::NotMeasured(error.to_string()),
        measured => measured.into(),
    }
}

fn measure(
    base: &Path,
    head: &Path,
    scratch: &Path,
    command: &str,
    done: impl Fn(&str),
) -> Result<Vec<InstructionRow>> {
    let callgrind = Callgrind::new(base, head, scratch, command)?;
    let [base, head] = [callgrind.scenarios(Runner::Base)?, callgrind.scenarios(Runner::Head)?];
    let ids: BTreeSet<&String> = base.keys().chain(head.keys()).collect();
    // An adopter may have none, which is no fault.
    ensure!(
        !ids.is_empty(),
        Unavailable::because(format!(
            "no scenario executes the same instructions in every run; WebSocket::echo, WebSocket::request and \
             Scenario::in_memory add one, and {command} --list --repeatable lists them"
        ))
    );
    let of = |id: &String| {
        let listed = head.get(id).or_else(|| base.get(id));
        let on = [base.contains_key(id), head.contains_key(id)];
        listed.map(|listed| Scenario::new(id, listed, on))
    };
    let scenarios: Vec<Scenario> = ids.into_iter().filter_map(of).collect();
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
    unit: String,
    threads: Threads,
    /// N, the operations of the shorter run.
    ops: u64,
    /// Whether base and head have it.
    on: [bool; 2],
}

impl Scenario {
    fn new(id: &str, Listed { ops, unit, threads }: &Listed, on: [bool; 2]) -> Self {
        let share = match threads {
            _ if *ops < MANY => 1,
            // Fewer than a hundred would not hide the `Date` header, which is rendered anew, with some 700 instructions,
            // in each second of a run.
            Threads::All => 10,
            // A thread that finds the next message where another run finds none costs about 1000 instructions.
            Threads::AllButTheClient => 2,
        };
        Self { id: id.to_owned(), unit: unit.clone(), threads: *threads, ops: ops / share, on }
    }

    /// The runs at N and 2N of base and head, if they have it.
    fn jobs(&self) -> impl Iterator<Item = Job> {
        let sides = Runner::BOTH.into_iter().zip(self.on).filter(|(_, on)| *on);
        sides.flat_map(|(runner, _)| {
            let Self { id, threads, .. } = self;
            [1, 2].map(|times| Job {
                id: id.clone(),
                threads: *threads,
                runner,
                ops: times * self.ops,
            })
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
            unit: self.unit.clone(),
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
            is_own: place.is_own,
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
