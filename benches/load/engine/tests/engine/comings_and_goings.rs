//! Connections that come and go as the profile asks: no message is lost, and all connections are accounted for.

use load_engine::testing::Peer;
use load_plan::model::{Phase, Run};

use crate::support::{Profile, check_sums, counts, endings, faults};

#[track_caller]
fn run(profile: Profile<'_>) -> Run {
    let peer = Peer::echo();
    let run = profile.load().run(&peer).expect("the peer is there");
    check_sums(&run);
    assert!(faults(&run).is_empty(), "{:?}", faults(&run));
    let all = counts(&run);
    assert_eq!(all.attempted + run.before.attempted + 1, peer.counts().accepted.get());
    assert_eq!(all.sent, peer.counts().received.get());
    assert_eq!(all.received, peer.counts().sent.get());
    assert_eq!(endings(&run), [("clean", all.attempted)]);
    run
}

#[test]
fn churn_loses_no_message_and_no_connection() {
    let traffic = "[conduct]\nlifetime = \"200ms\"";
    let attempted = counts(&run(Profile { traffic, hold: "2s", ..Profile::default() })).attempted;
    // Ten lives of each of three connections.
    assert!((27..=33).contains(&attempted), "{attempted}");
}

#[test]
fn every_connection_is_opened_again_after_a_storm() {
    let traffic = "[conduct]\nstorm = { every = \"600ms\", jitter = \"100ms\" }";
    let attempted = counts(&run(Profile { traffic, hold: "2s", ..Profile::default() })).attempted;
    // Three connections and three storms.
    assert_eq!(attempted, 12);
}

#[test]
fn stages_open_and_close_the_connections_that_they_ask_for() {
    let stages = "[[stage]]\nconnections = 8\nramp = \"300ms\"\nhold = \"500ms\"\n\
                  [[stage]]\nconnections = 2\nramp = \"300ms\"\nhold = \"500ms\"";
    let run = run(Profile { hold: "500ms", stages, ..Profile::default() });
    let attempted = |stage: usize| run.sum(|at| at.stage == stage).counts.attempted;
    assert_eq!([0, 1, 2].map(attempted), [3, 5, 0]);
    let open = |stage: usize| {
        let mut holds = run.intervals.iter().filter(|at| at.phase == Phase::Hold);
        holds.rfind(|at| at.stage == stage).map(|last| last.open)
    };
    assert_eq!([0, 1, 2].map(open), [Some(3), Some(8), Some(2)]);
}
