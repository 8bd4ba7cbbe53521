//! Adds several runs up to one, second by second. Pure.
//!
//! The runs are the shards of one run, or several whole runs of one profile, under the name `a+b`. Each is kept as a part, by
//! which the verdict finds out whether they ran at the same time. The order of merging does not matter.

use std::collections::{BTreeMap, BTreeSet};
use std::mem::take;

use anyhow::{Context, Result, bail, ensure};

use super::validator::{doubts, part_name};
use load_plan::model::{ErrorSample, Interval, Phase, Run, Shard, TargetAllocations};

mod differences;
mod part;
#[cfg(test)]
mod tests;

pub(crate) use differences::differing;
pub use differences::in_words;
use differences::{differences, is_whole};
use part::part;

/// Adds counts, distributions (bucket by bucket), open connections and their target, the generator's CPU, workers and
/// processors. An interval is as long as the longest in the sum.
///
/// Allocations of the target belong to all shards together: only one shard needs to ask for them, and two different
/// answers are refused. Allocations of whole runs are added.
///
/// Error samples are not cut to the most frequent 64, because then the order of merging would matter.
///
/// # Errors
///
/// If there is no run, if one is given twice, or if profile, target or run differ.
pub fn merge(runs: Vec<Run>) -> Result<Run> {
    let mut runs = runs.into_iter();
    let first = runs.next().context("nothing to merge; name the folders of two reports")?;
    if is_whole(&first) && runs.len() == 0 {
        return Ok(first);
    }
    let mut sum = Sum::new(first);
    for run in runs {
        sum.add(run)?;
    }
    Ok(sum.into_run())
}

/// The number of whole runs in `run`; 1 for a run that was not merged, and for merged shards.
pub(crate) fn whole_runs(run: &Run) -> usize {
    if is_whole(run) { ids(run).len() } else { 1 }
}

/// The grid: second, stage and phase.
type Place = (u64, usize, Phase);

/// The sum so far. What has a field of its own here is empty in `run`.
struct Sum {
    run: Run,
    ids: BTreeSet<String>,
    shards: BTreeSet<u32>,
    intervals: BTreeMap<Place, Cell>,
    details: BTreeMap<(String, String), ErrorSample>,
}

/// An interval, and its CPU in millionths of a processor: sums of integers do not depend on their order.
struct Cell {
    interval: Interval,
    cpu: u64,
}

const CPU_UNIT: f64 = 1e6;

impl Sum {
    fn new(mut run: Run) -> Self {
        take_part(&mut run);
        let (intervals, details) = (take(&mut run.intervals), take(&mut run.error_samples));
        let mut sum = Self {
            ids: ids(&run),
            shards: run.shards.iter().copied().collect(),
            intervals: BTreeMap::new(),
            details: BTreeMap::new(),
            run,
        };
        sum.add_content(intervals, details);
        sum
    }

    fn add(&mut self, mut run: Run) -> Result<()> {
        let differences = differences(&self.run, &run);
        ensure!(
            differences.is_empty(),
            "the runs differ in {}; merge the shards of one run, or runs of one profile against one target",
            in_words(&differences)
        );
        ensure!(
            !run.url.is_empty(),
            "the runs each started a server of their own, so their sum is not a load on one target; give all \
             of them a URL"
        );
        let once = "is given twice; name each folder once";
        let ids = ids(&run);
        if is_whole(&run) {
            if let Some(id) = ids.intersection(&self.ids).next() {
                bail!("run {id} {once}");
            }
        } else if let Some(shard) = run.shards.iter().find(|shard| self.shards.contains(shard)) {
            bail!("shard {shard} of {} {once}", run.shard.of);
        }
        take_part(&mut run);
        self.run.doubts.append(&mut run.doubts);
        self.run.doubts.sort();
        self.run.parts.append(&mut run.parts);
        self.run.parts.sort();
        self.ids.extend(ids);
        self.shards.extend(&run.shards);
        self.add_content(take(&mut run.intervals), take(&mut run.error_samples));
        let mine = &mut self.run;
        add_allocations(mine, &mut run);
        mine.started_unix_ns = mine.started_unix_ns.min(run.started_unix_ns);
        mine.interrupted |= run.interrupted;
        mine.insecure |= run.insecure;
        mine.before.add(&run.before);
        mine.workers += run.workers;
        mine.processors += run.processors;
        Ok(())
    }

    fn add_content(&mut self, intervals: Vec<Interval>, details: Vec<ErrorSample>) {
        for interval in intervals {
            let cpu = (interval.generator_cpu * CPU_UNIT).round() as u64;
            self.intervals
                .entry((interval.second, interval.stage, interval.phase))
                .and_modify(|cell| cell.add(&interval, cpu))
                .or_insert(Cell { interval, cpu });
        }
        for detail in details {
            self.details
                .entry((detail.kind.clone(), detail.text.clone()))
                .and_modify(|mine| {
                    mine.count += detail.count;
                    mine.first_ns = mine.first_ns.min(detail.first_ns);
                })
                .or_insert(detail);
        }
    }

    fn into_run(self) -> Run {
        let intervals = self.intervals.into_values().map(|Cell { interval, cpu }| Interval {
            generator_cpu: cpu as f64 / CPU_UNIT,
            ..interval
        });
        let mut details: Vec<_> = self.details.into_values().collect();
        // The sort is stable: equal samples stay in order of kind and text.
        details.sort_by_key(|detail| (std::cmp::Reverse(detail.count), detail.first_ns));
        let shards: Vec<_> = self.shards.into_iter().collect();
        let first = shards.first().copied().unwrap_or(self.run.shard.index);
        Run {
            run_id: self.ids.into_iter().collect::<Vec<_>>().join("+"),
            shard: Shard { index: first, of: self.run.shard.of },
            shards,
            intervals: intervals.collect(),
            error_samples: details,
            ..self.run
        }
    }
}

/// Makes a run a part of a sum, with its doubts: in the sum they would not show.
fn take_part(run: &mut Run) {
    if !run.parts.is_empty() {
        return;
    }
    let part = part(run);
    let name = part_name(run, &part);
    let known = take(&mut run.doubts).into_iter();
    run.doubts = known.chain(doubts(run)).map(|why| format!("{name}: {why}")).collect();
    run.doubts.sort();
    run.parts = vec![part];
}

impl Cell {
    fn add(&mut self, other: &Interval, cpu: u64) {
        self.cpu += cpu;
        let mine = &mut self.interval;
        mine.length_ns = mine.length_ns.max(other.length_ns);
        mine.open += other.open;
        mine.target += other.target;
        mine.sample.add(&other.sample);
    }
}

/// The names of the runs in `run`.
fn ids(run: &Run) -> BTreeSet<String> {
    if is_whole(run) {
        run.run_id.split('+').map(str::to_owned).collect()
    } else {
        BTreeSet::from([run.run_id.clone()])
    }
}

/// Adds the target's allocations. Memory that one run saw freed does not make up for what another saw kept.
fn add_allocations(mine: &mut Run, theirs: &mut Run) {
    let is_whole = is_whole(mine);
    let unknown = [&mut *mine, &mut *theirs].map(|run| run.allocations_unknown.take());
    let [known, also] = [mine.allocations.take(), theirs.allocations.take()];
    let partly = (is_whole && known.is_some() != also.is_some())
        .then(|| "not all of the runs know them".to_owned());
    // The least, so that the order of merging does not matter.
    mine.allocations_unknown = unknown.into_iter().flatten().min().or(partly);
    if mine.allocations_unknown.is_some() {
        return;
    }
    mine.allocations = match (known, also) {
        (Some(mine), Some(theirs)) if is_whole => Some(TargetAllocations {
            total_blocks: mine.total_blocks + theirs.total_blocks,
            total_bytes: mine.total_bytes + theirs.total_bytes,
            remaining_blocks: mine.remaining_blocks.max(0) + theirs.remaining_blocks.max(0),
            remaining_bytes: mine.remaining_bytes.max(0) + theirs.remaining_bytes.max(0),
        }),
        (mine, theirs) => mine.or(theirs),
    };
}
