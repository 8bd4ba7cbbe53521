//! The cause of counts that differ from run to run: the scenario runs again with one cause after the other taken away.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use baselines::alloc::Metric;

use crate::judge::wavering_sites;
use crate::pins::Pins;
use crate::repeats::{self, Difference, Measured, Rules};

/// A possible cause: the pins that take it away, and what to write.
struct Suspect {
    name: &'static str,
    pins: Pins,
    cure: &'static str,
}

const SUSPECTS: [Suspect; 2] = [
    Suspect {
        name: "time",
        pins: Pins { clock: true, ..Pins::USUAL },
        cure: "give the server a clock that the scenario moves, or let no timer and no time stamp depend on how long a \
               message takes",
    },
    Suspect {
        name: "addresses",
        pins: Pins { addresses: true, ..Pins::USUAL },
        cure: "hash keys instead of pointers, and seed hashers by std's RandomState",
    },
];

/// What is always taken away, as in "only because … the same in every run".
const FREED: [(&str, Pins); 2] = [
    ("random numbers are", Pins { random: false, ..Pins::USUAL }),
    ("the date is", Pins { date: false, ..Pins::USUAL }),
];

/// The system call that starts a thread.
const START: &str = "clone3 ";

/// Runs `id` as it is, and with each cause taken away. Returns what a reader needs, and whether the counts are the same in
/// every run.
pub(crate) fn examine(id: &str, ops: u64, runs: u64) -> anyhow::Result<(String, bool)> {
    let mut said = String::new();
    let (found, calls) = match differences(id, runs, Pins::USUAL)? {
        Ok(found) => found,
        Err(why) => {
            writeln!(said, "{id}: not measured: {why}")?;
            return Ok((said, false));
        }
    };
    if found.is_empty() {
        writeln!(said, "{id}: the same in {runs} runs at N and at 2N, in three processes")?;
        for (name, pins) in &FREED {
            if let Ok((free, _)) = differences(id, runs, *pins)?
                && !free.is_empty()
            {
                let kinds = words(&kinds(&free));
                writeln!(said, "  only because {name} the same in every run: else {kinds} differ")?;
            }
        }
        return Ok((said, true));
    }
    writeln!(said, "{id}: differs from run to run")?;
    let (calls_found, counts_found): (Vec<_>, Vec<_>) =
        found.iter().partition(|one| one.metric == Some(Metric::Calls));
    for one in counts_found.into_iter().chain(calls_found.iter().copied().take(1)) {
        writeln!(said, "  {one}")?;
    }
    if calls_found.len() > 1 {
        writeln!(said, "  and {} more system calls", calls_found.len() - 1)?;
    }
    for site in wavering_sites(id)? {
        writeln!(said, "  {site}")?;
    }
    let mut is_explained = false;
    for Suspect { name, pins, cure } in &SUSPECTS {
        let steady = match steadied(id, runs, *pins, &found)? {
            Ok(steady) => steady,
            Err(why) => {
                writeln!(said, "  {name}: not known: without it the scenario fails: {why}")?;
                continue;
            }
        };
        if steady.is_empty() {
            writeln!(said, "  not {name}: without it the same counts differ")?;
        } else {
            is_explained = true;
            writeln!(said, "  cause: {name}. Without it, {} do not differ", words(&steady))?;
            writeln!(said, "  write: {cure}")?;
        }
    }
    if !is_explained {
        said += &by_sight(&found, &calls);
    }
    said += &slack(&found, ops);
    Ok((said, false))
}

/// The counts that differ, and all system calls; or why the scenario fails.
type Found = Result<(Vec<Difference>, Vec<String>), String>;

fn differences(id: &str, runs: u64, pins: Pins) -> anyhow::Result<Found> {
    let rules = Rules { is_strict: true, slack: &[], pins };
    Ok(match repeats::measure(id, runs, rules)? {
        Measured::Counted { wavering, calls, .. } => Ok((wavering, calls)),
        Measured::Broken { why, .. } | Measured::Printed { why } => Err(why),
    })
}

/// The kinds of counts in `found` that do not differ with `pins`, neither at N nor at 2N, in two measurements: by chance, a
/// count may be the same in one. The inner error is that of a scenario that fails.
fn steadied(
    id: &str,
    runs: u64,
    pins: Pins,
    found: &[Difference],
) -> anyhow::Result<Result<BTreeSet<String>, String>> {
    let mut steady = kinds(found);
    for _ in 0..2 {
        if steady.is_empty() {
            break;
        }
        match differences(id, runs, pins)? {
            Ok((left, _)) => steady = &steady - &kinds(&left),
            Err(why) => return Ok(Err(why)),
        }
    }
    Ok(Ok(steady))
}

/// `blocks`, `live bytes`; all system calls are one kind.
fn kinds(differences: &[Difference]) -> BTreeSet<String> {
    let kind = |one: &Difference| match one.metric {
        Some(Metric::Calls) => "system calls".to_owned(),
        _ => one.name.split(" at ").next().unwrap_or_default().to_owned(),
    };
    differences.iter().map(kind).collect()
}

/// `blocks, bytes`.
fn words(kinds: &BTreeSet<String>) -> String {
    kinds.iter().map(String::as_str).collect::<Vec<_>>().join(", ")
}

/// Causes that cannot be taken away, but be seen.
fn by_sight(found: &[Difference], calls: &[String]) -> String {
    let mut causes = Vec::new();
    if calls.iter().any(|call| call.starts_with(START)) {
        causes.push((
            "the server starts threads of its own: their order is the kernel's",
            "use the runtime of the window alone: no second runtime, no spawn_blocking; or wait for their result before \
             the answer",
        ));
    }
    if found.iter().any(|one| one.grows) {
        causes.push((
            "state that outlives a run: the later a run of a process, the more it costs",
            "make the table or the cache part of the server, so that it ends with it, or fill it before the window",
        ));
    }
    if found.iter().all(|one| !one.within_a_process) {
        causes.push((
            "the process: the runs of each agree",
            "look for the process id, the environment, or a thread that starts once",
        ));
    }
    if causes.is_empty() {
        causes.push((
            "probably the order in which bytes and connections arrive",
            "let the scenario wait for an answer to each message",
        ));
    }
    let said = causes.iter().map(|(cause, cure)| format!("  cause: {cause}\n  write: {cure}\n"));
    said.collect()
}

/// The slack that the scenario may declare, if the suite would take one for each count.
fn slack(found: &[Difference], ops: u64) -> String {
    let is_small = |one: &Difference| match one.metric {
        Some(Metric::PeakBytes) => true,
        Some(_) => one.spread < ops,
        None => false,
    };
    if !found.iter().all(is_small) {
        return String::new();
    }
    let spread_of = |metric: &Metric| {
        let spreads = found.iter().filter(|one| one.metric == Some(*metric));
        spreads.map(|one| one.spread).max().map(|spread| (*metric, spread))
    };
    let spreads = Metric::ALL.iter().filter_map(spread_of);
    let calls = spreads.map(|(metric, spread)| {
        format!(
            "  or, if it cannot be exact: .slack(Metric::{metric:?}, {spread}, \"the reason\")\n"
        )
    });
    calls.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn difference(name: &str, spread: u64, grows: bool) -> Difference {
        let metric = Some(Metric::Blocks);
        Difference { name: name.to_owned(), metric, spread, grows, ..Difference::default() }
    }

    #[track_caller]
    fn check(found: &Difference, calls: &[String], cause: &str) {
        let said = by_sight(std::slice::from_ref(found), calls);
        assert!(said.contains(cause), "{said}");
    }

    #[test]
    fn a_cause_that_cannot_be_taken_away_is_seen() {
        let within = Difference { within_a_process: true, ..difference("blocks at 9", 1, false) };
        check(&within, &[], "the order in which bytes");
        check(&within, &["clone3 2, 2".to_owned()], "starts threads");
        check(&Difference { grows: true, ..within }, &[], "state that outlives a run");
        check(&difference("blocks at 9", 1, false), &[], "the process");
    }

    #[test]
    fn counts_at_both_sizes_and_all_system_calls_are_one_kind() {
        let [calls, more] = ["exit at 9", "clone3 at 18"]
            .map(|name| Difference { metric: Some(Metric::Calls), ..difference(name, 1, false) });
        let blocks = ["blocks at 9", "blocks at 18"].map(|name| difference(name, 1, false));
        let all = [calls, more].into_iter().chain(blocks).collect::<Vec<_>>();
        assert_eq!(words(&kinds(&all)), "blocks, system calls");
    }

    #[test]
    fn a_slack_is_offered_only_if_the_suite_would_take_it() {
        let offered = slack(&[difference("blocks at 9", 8, true)], 9);
        assert!(offered.contains(".slack(Metric::Blocks, 8, "), "{offered}");
        assert_eq!(slack(&[difference("blocks at 9", 9, true)], 9), "");
    }
}
