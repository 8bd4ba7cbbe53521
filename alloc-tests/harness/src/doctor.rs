//! The cause of counts that differ from run to run: the scenario runs again with one cause after the other taken away.

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
                let names = names(&free);
                writeln!(said, "  only because {name} the same in every run: else {names} differ")?;
            }
        }
        return Ok((said, true));
    }
    writeln!(said, "{id}: differs from run to run")?;
    for one in &found {
        writeln!(said, "  {one}")?;
    }
    for site in wavering_sites(id)? {
        writeln!(said, "  {site}")?;
    }
    let mut is_explained = false;
    for Suspect { name, pins, cure } in &SUSPECTS {
        let left = match differences(id, runs, *pins)? {
            Ok((left, _)) => left,
            Err(why) => {
                writeln!(said, "  {name}: not known: without it the scenario fails: {why}")?;
                continue;
            }
        };
        let steadied = found.iter().filter(|one| !left.iter().any(|other| other.name == one.name));
        let steadied: Vec<_> = steadied.cloned().collect();
        if steadied.is_empty() {
            writeln!(said, "  not {name}: without it the same counts differ")?;
        } else {
            is_explained = true;
            writeln!(said, "  cause: {name}. Without it, {} do not differ", names(&steadied))?;
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
        Measured::Broken { why, .. } => Err(why),
    })
}

/// `blocks at 1000, bytes at 1000`.
fn names(differences: &[Difference]) -> String {
    let names: Vec<_> = differences.iter().map(|one| one.name.as_str()).collect();
    names.join(", ")
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
            "state that outlives a run: later runs of a process cost as much or more",
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
    fn a_slack_is_offered_only_if_the_suite_would_take_it() {
        let offered = slack(&[difference("blocks at 9", 8, true)], 9);
        assert!(offered.contains(".slack(Metric::Blocks, 8, "), "{offered}");
        assert_eq!(slack(&[difference("blocks at 9", 9, true)], 9), "");
    }
}
