//! Connections that come and go as the profile wants: nothing is lost by it, and all of them are accounted for.

use crate::profile::Profile;
use crate::run::{Load, Outcome};
use crate::server::{KNOCKS, Server};

#[track_caller]
fn run(profile: Profile<'_>) -> Outcome {
    let server = Server::echo();
    let outcome = Load::new(profile, &server.url()).run();
    outcome.adds_up();
    assert!(outcome.faults().is_empty(), "{}", outcome.text);
    assert_eq!(outcome.count("attempted") + KNOCKS, server.tally().accepted.get());
    assert_eq!(outcome.count("sent"), server.tally().received.get());
    assert_eq!(outcome.count("received"), server.tally().sent.get());
    assert!(outcome.endings().keys().all(|ending| *ending == "clean"), "{}", outcome.text);
    outcome
}

#[test]
fn churn_loses_no_message_and_no_connection() {
    let traffic = "[conduct]\nlifetime = \"200ms\"";
    let outcome = run(Profile { traffic, hold: "2s", ..Profile::default() });
    // Ten lives of each seat, fewer on a slow machine.
    assert!(outcome.count("attempted") > 9, "{}", outcome.text);
}

#[test]
fn a_storm_brings_everybody_back() {
    let traffic = "[conduct]\nstorm = { every = \"600ms\", jitter = \"100ms\" }";
    let outcome = run(Profile { traffic, hold: "2s", ..Profile::default() });
    // Three storms, and whoever is on the way back at the end need not arrive.
    assert!((9..=12).contains(&outcome.count("attempted")), "{}", outcome.text);
}

#[test]
fn stages_open_and_close_what_they_say() {
    // The next stage stands behind the first one.
    let hold = "500ms\"\n[[stage]]\nname = \"more\"\nconnections = 8\nramp = \"300ms\"\nhold = \"500ms\"\n\
                [[stage]]\nname = \"fewer\"\nconnections = 2\nramp = \"300ms\"\nhold = \"500ms";
    let outcome = run(Profile { hold, ..Profile::default() });
    assert_eq!(outcome.count("attempted"), 8);
    let stages = outcome.report()["stages"].as_array().expect("a list");
    let names: Vec<_> = stages.iter().map(|stage| &stage["name"]).collect();
    assert_eq!(names, ["stage 1", "more", "fewer"]);
    let attempted: Vec<_> = stages.iter().map(|stage| &stage["counts"]["attempted"]).collect();
    assert_eq!(attempted, [3, 5, 0]);
    let open = |stage: usize| {
        let mut intervals = outcome.report()["intervals"].as_array().expect("a list").iter();
        let last = intervals.rfind(|at| at["stage"] == stage && at["phase"] == "hold");
        last.and_then(|last| last["open"].as_u64())
    };
    assert_eq!([0, 1, 2].map(open), [Some(3), Some(8), Some(2)]);
}
