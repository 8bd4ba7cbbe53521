//! The same windows once more with call stacks, for a scenario with unexpected numbers.

mod calls;

pub(crate) use calls::{CallSite, nearest, openers, writes};

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use anyhow::Context;
use baselines::sites::{SiteCost, Sites};
use baselines::suite_report::Leak;
use serde::{Deserialize, Serialize};

use crate::measure::run;
use crate::profiler::Profiler;
use crate::setup::Crate;
use crate::sites::{self, MOST_SHOWN, Profile, Site};
use crate::{Scenario, Window, system_calls};

/// Runs at N, and as many at 2N, of a scenario that wavered, to see it waver again.
const WAVERING_RUNS: usize = 10;

/// A question about a scenario.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Question {
    /// The cost and the leaks of each site.
    Sites,
    /// The tasks that were not joined.
    Tasks,
    /// The sites that differ between runs.
    Wavering,
}

/// The answer to a [`Question`]; the other fields are empty.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Attribution {
    /// Blocks and bytes of each site, at N and 2N.
    pub(crate) sites: Sites,
    /// File and line of each site.
    pub(crate) places: BTreeMap<String, String>,
    /// Sites with live blocks after the run of 2N.
    pub(crate) leaks: Vec<Leak>,
    /// Sites with more live blocks after the run of 2N than after that of N.
    pub(crate) grown: Vec<Leak>,
    /// Sites that allocate more in the first run of a process than in the next.
    pub(crate) once: Vec<Leak>,
    /// Sentences about tasks that were not joined, or about sites that differ between runs.
    pub(crate) notes: Vec<String>,
}

/// Answers one question about a scenario.
pub(crate) fn attribute(
    crates: &[Crate],
    scenario: &Scenario,
    question: Question,
) -> anyhow::Result<Attribution> {
    let n = scenario.ops;
    let profile = |window| profile(crates, scenario, window);
    // It includes one-time initialisation of the process.
    let first = profile(Window::new(n))?;
    match question {
        Question::Sites => {
            let again = profile(Window::new(n))?;
            let once = once(&first, &again);
            let double = profile(Window::new(2 * n))?;
            let notes = foreign(crates, &double).into_iter().collect();
            Ok(Attribution { once, notes, ..costs(&again, &double) })
        }
        Question::Tasks => {
            let mut profile = profile(Window::new(n).ending_with_server())?;
            profile.retain(|key, _| key.contains("tokio::runtime::task"));
            let tasks = live(&profile).into_iter().map(|Leak { key, place, .. }| {
                format!("never joined: a task spawned at {place} by {key}")
            });
            Ok(Attribution { notes: tasks.collect(), ..Attribution::default() })
        }
        Question::Wavering => {
            let mut notes = Vec::new();
            for ops in [n, 2 * n] {
                let runs = (0..WAVERING_RUNS).map(|_| profile(Window::new(ops)));
                notes.extend(wavering(&runs.collect::<anyhow::Result<Vec<_>>>()?, ops));
            }
            Ok(Attribution { notes, ..Attribution::default() })
        }
    }
}

/// The call sites of system calls.
pub(crate) fn trace_calls(crates: &[Crate], scenario: &Scenario) -> anyhow::Result<Vec<CallSite>> {
    system_calls::attribute().context("this machine does not let system calls be traced")?;
    let stacks = |ops| {
        let window = Window::new(ops);
        run(scenario.prepare(ops), &window, true, Profiler::counting)?;
        anyhow::Ok(system_calls::take_stacks())
    };
    // It includes one-time initialisation of the process.
    drop(stacks(scenario.ops)?);
    Ok(calls::sites(crates, [stacks(scenario.ops)?, stacks(2 * scenario.ops)?]))
}

fn profile(crates: &[Crate], scenario: &Scenario, window: Window) -> anyhow::Result<Profile> {
    let file = tempfile::NamedTempFile::new()
        .context("cannot write a profile; is the temporary folder full?")?;
    run(scenario.prepare(window.ops()), &window, false, || Profiler::attributing(file.path()))?;
    let json = std::fs::read_to_string(file.path()).context("cannot read the profile back")?;
    sites::parse(&json, crates)
}

fn costs(n: &Profile, double: &Profile) -> Attribution {
    let mut attribution =
        Attribution { leaks: live(double), grown: grown(n, double), ..Attribution::default() };
    for key in n.keys().chain(double.keys()).collect::<BTreeSet<_>>() {
        let sides = [n.get(key), double.get(key)];
        let both = |metric: fn(&Site) -> u64| sides.map(|side| side.map_or(0, metric));
        let cost = SiteCost { blocks: both(|site| site.blocks), bytes: both(|site| site.bytes) };
        attribution.sites.insert(key.clone(), cost);
        let place = sides[1].or(sides[0]).map(|site| site.place.clone());
        attribution.places.insert(key.clone(), place.unwrap_or_default());
    }
    attribution
}

/// A sentence if no site is in the server: the build does not say where code comes from, or the server is elsewhere.
fn foreign(crates: &[Crate], profile: &Profile) -> Option<String> {
    let is_foreign = !profile.is_empty() && !profile.values().any(|site| site.is_own);
    is_foreign.then(|| {
        let names: Vec<_> = crates.iter().map(|one| one.name.as_str()).collect();
        format!(
            "no call site is in {}: call paths need debug = \"limited\" in [profile.release], and Suite::crates if the \
             server is in another crate",
            names.join(", ")
        )
    })
}

/// Sites with live blocks, largest first.
fn live(profile: &Profile) -> Vec<Leak> {
    ranked(profile, |_, site| (site.live_blocks, site.live_bytes))
}

/// Sites with more live blocks in `double` than in `n`, largest first.
fn grown(n: &Profile, double: &Profile) -> Vec<Leak> {
    ranked(double, |key, site| {
        let (blocks, bytes) = n.get(key).map_or((0, 0), |n| (n.live_blocks, n.live_bytes));
        (site.live_blocks.saturating_sub(blocks), site.live_bytes.saturating_sub(bytes))
    })
}

/// Sites that allocate more in `first` than in `again`, largest first.
fn once(first: &Profile, again: &Profile) -> Vec<Leak> {
    ranked(first, |key, site| {
        let (blocks, bytes) = again.get(key).map_or((0, 0), |again| (again.blocks, again.bytes));
        (site.blocks.saturating_sub(blocks), site.bytes.saturating_sub(bytes))
    })
}

/// Sites with blocks by `count`, largest first.
fn ranked(profile: &Profile, count: impl Fn(&str, &Site) -> (u64, u64)) -> Vec<Leak> {
    let counted = profile.iter().map(|(key, site)| {
        let (blocks, bytes) = count(key, site);
        Leak { key: key.clone(), place: site.place.clone(), blocks, bytes }
    });
    let mut sites: Vec<Leak> = counted.filter(|site| site.blocks > 0).collect();
    sites.sort_by(|a, b| (b.blocks, b.bytes, &a.key).cmp(&(a.blocks, a.bytes, &b.key)));
    sites
}

/// `from run to run 2 to 3 blocks at 100 of src/room.rs:7: <site>` for each site that differs between runs. Those of the
/// server come first, then those that differ most. What is alive at the peak follows from the others, and is named only
/// if nothing else differs.
fn wavering(runs: &[Profile], ops: u64) -> Vec<String> {
    const COSTS: [Reading; 2] = [(|site| site.blocks, "blocks"), (|site| site.bytes, "bytes")];
    const PEAK: [Reading; 1] = [(|site| site.peak_bytes, "bytes at the peak")];
    let costs = that_vary(runs, ops, &COSTS);
    if costs.is_empty() { that_vary(runs, ops, &PEAK) } else { costs }
}

/// A count of a site, and its unit.
type Reading = (fn(&Site) -> u64, &'static str);

fn that_vary(runs: &[Profile], ops: u64, readings: &[Reading]) -> Vec<String> {
    let sites: BTreeMap<&String, &Site> = runs.iter().flatten().collect();
    let described = sites.into_iter().filter_map(|(key, site)| {
        let ranges = readings.iter().map(|(reading, unit)| {
            let seen = runs.iter().map(|run| run.get(key).map_or(0, reading));
            (seen.clone().min().unwrap_or_default(), seen.max().unwrap_or_default(), unit)
        });
        let ranges: Vec<_> = ranges.filter(|(fewest, most, _)| fewest != most).collect();
        let widest = ranges.iter().map(|(fewest, most, _)| most - fewest).max()?;
        let words = ranges.iter().map(|(fewest, most, unit)| format!("{fewest} to {most} {unit}"));
        let words = words.collect::<Vec<_>>().join(", ");
        let place = if site.place.is_empty() { "an unknown place" } else { &site.place };
        let sentence = format!("from run to run {words} at {ops} of {place}: {key}");
        Some(((!site.is_own, Reverse(widest)), sentence))
    });
    let mut described: Vec<_> = described.collect();
    described.sort();
    described.into_iter().map(|(_, sentence)| sentence).take(MOST_SHOWN).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn profile(sites: &[(&str, u64, u64, bool)]) -> Profile {
        let site = |(key, blocks, peak_bytes, is_own): &(&str, u64, u64, bool)| {
            let (place, key) = (format!("src/{key}.rs:1"), (*key).to_owned());
            let (blocks, peak_bytes, is_own) = (*blocks, *peak_bytes, *is_own);
            (key, Site { blocks, peak_bytes, is_own, place, ..Site::default() })
        };
        sites.iter().map(site).collect()
    }

    #[test]
    fn of_sites_that_vary_the_servers_come_first_and_what_is_only_alive_is_left_out() {
        let runs = [
            profile(&[("a", 9, 64, false), ("b", 2, 64, true), ("c", 1, 64, true)]),
            profile(&[("a", 1, 64, false), ("b", 3, 64, true), ("c", 1, 99, true)]),
        ];
        let expected =
            ["2 to 3 blocks at 10 of src/b.rs:1: b", "1 to 9 blocks at 10 of src/a.rs:1: a"];
        assert_eq!(wavering(&runs, 10), expected.map(|one| format!("from run to run {one}")));
        let peaks = [profile(&[("c", 1, 64, true)]), profile(&[("c", 1, 99, true)])];
        let expected = "from run to run 64 to 99 bytes at the peak at 10 of src/c.rs:1: c";
        assert_eq!(wavering(&peaks, 10), [expected]);
    }
}
