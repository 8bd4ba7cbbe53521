//! The generator records how late it was itself, whatever it sends.

use std::time::Duration;

use load_engine::testing::{Peer, in_virtual_time};
use load_plan::metrics::Timing;
use load_plan::model::{Phase, Run};
use tokio::time::{advance, sleep};

use crate::support::{LARGE, Profile, counts, deaf_for, is_hold, times};

const MS: u64 = 1_000_000;

/// Runs `profile`; a second after its start, nothing in this process runs for `stall`.
fn run(profile: Profile<'_>, peer: &Peer, stall: Duration) -> Run {
    in_virtual_time(async {
        tokio::task::spawn_local(async move {
            sleep(Duration::from_secs(1)).await;
            advance(stall).await;
        });
        profile.load().run_beside(peer, &mut |_| {}).await.expect("the peer is there")
    })
}

/// Lags of at least 100 ms.
fn late(run: &Run) -> u64 {
    run.sum(is_hold).timing(Timing::ScheduleLag).above((99 * MS) as f64)
}

#[test]
fn a_generator_that_stops_records_its_lag_in_every_mode() {
    let subscribe = "mode = { subscribe = {} }";
    for (target, pace) in [
        ("", "{ closed = { depth = 4 } }"),
        ("", "{ open = { rate = 1 } }"),
        ("", "\"idle\""),
        (subscribe, "\"idle\""),
    ] {
        let profile = Profile { target, pace, hold: "2s", ..Profile::default() };
        let run = run(profile, &Peer::echo(), Duration::from_millis(300));
        let (beats, _, longest) = times(&run, Timing::ScheduleLag);
        assert!((395..=410).contains(&beats), "{target} {pace}: {beats}");
        assert!((290 * MS..=301 * MS).contains(&longest), "{target} {pace}: {longest}");
        // A beat every 5 ms was due in the 200 ms after whose end it was late by 100 ms.
        assert!((38..=44).contains(&late(&run)), "{target} {pace}: {}", late(&run));
    }
}

#[test]
fn a_generator_that_runs_is_not_late() {
    let profile = Profile { pace: "{ closed = { depth = 4 } }", hold: "2s", ..Profile::default() };
    let (_, _, longest) = times(&run(profile, &Peer::echo(), Duration::ZERO), Timing::ScheduleLag);
    assert!(longest < 2 * MS, "{longest}");
}

#[test]
fn a_stall_that_outlasts_its_hold_belongs_to_the_hold() {
    let profile = Profile {
        pace: "{ closed = { depth = 4 } }",
        stages: "[[stage]]\nconnections = 1\nhold = \"1s\"",
        ..Profile::default()
    };
    // The first hold ends about a second after the start.
    let run = run(profile, &Peer::echo(), Duration::from_millis(300));
    let first = run.sum(|at| at.stage == 0);
    assert!(first.timing(Timing::ScheduleLag).max_ns >= 200 * MS);
}

#[test]
fn a_stall_before_the_hold_is_recorded_too() {
    let stages = "ramp = \"2s\"";
    let profile = Profile { stages, ..Profile::default() };
    let run = run(profile, &Peer::echo(), Duration::from_millis(300));
    let ramp = run.sum(|at| at.phase == Phase::Ramp);
    assert!(ramp.timing(Timing::ScheduleLag).max_ns >= 290 * MS);
    assert_eq!(late(&run), 0);
}

#[test]
fn a_socket_that_was_full_does_not_hide_that_the_generator_was_late() {
    // The peer reads nothing for a second, so that the connection is full. When the peer begins, the process stops.
    let peer = deaf_for(Duration::from_secs(1));
    let profile = Profile {
        traffic: LARGE,
        pace: "{ open = { rate = 50 } }",
        connections: 1,
        hold: "2s",
        ..Profile::default()
    };
    let run = run(profile, &peer, Duration::from_millis(300));
    assert!(counts(&run).backpressure_events > 0);
    assert!(late(&run) >= 38, "{}", late(&run));
    // The messages that the peer held up say nothing about the generator.
    let (lags, ..) = times(&run, Timing::ScheduleLag);
    assert!((400..450).contains(&lags), "{lags}");
}
