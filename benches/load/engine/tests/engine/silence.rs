//! A subscription that is silent has a gap, whether or not a message ends it.

use std::rc::Rc;
use std::time::Duration;

use futures::SinkExt;
use load_engine::testing::{Peer, PeerCounts, Socket, UNIX_START};
use load_plan::metrics::{Distribution, Timing};
use load_plan::model::Run;
use tokio::time::{Instant, interval, timeout};
use tokio_tungstenite::accept_async;
use tokio_tungstenite::tungstenite::{Error, Message};

use crate::support::{BEFORE, Profile, is_hold, run, ticked};

const MS: u64 = 1_000_000;

/// Pushes a message every 10 ms while `speaks`, given the milliseconds since `start`, with the current time in it.
async fn push(
    mut socket: Socket,
    start: Instant,
    speaks: impl Fn(u64) -> bool,
) -> Result<(), Error> {
    let mut tick = interval(Duration::from_millis(10));
    while ticked(&mut socket, &mut tick).await? {
        let now = start.elapsed();
        if speaks(now.as_millis() as u64) {
            let text = format!(r#"{{"at":{}}}"#, (UNIX_START + now).as_millis());
            // Nothing can be sent after a close frame has come.
            let _ = socket.send(Message::text(text)).await;
        }
    }
    Ok(())
}

/// A peer that pushes while `speaks`, given the number of a user's connection from 0 and the milliseconds since the start.
fn pushing(speaks: impl Fn(u64, u64) -> bool + Clone + 'static) -> Peer {
    cutting(Duration::from_hours(1), speaks)
}

/// As [`pushing`], but the first connection of each of three users is reset after `life`.
fn cutting(life: Duration, speaks: impl Fn(u64, u64) -> bool + Clone + 'static) -> Peer {
    let start = Rc::new(std::cell::OnceCell::new());
    Peer::raw(move |pipe, counts: Rc<PeerCounts>| {
        // The first connection comes at the start of the run.
        let start = *start.get_or_init(Instant::now);
        let (nth, speaks) = (counts.accepted.get().saturating_sub(BEFORE + 1), speaks.clone());
        let life = if nth < 3 { life } else { Duration::from_hours(1) };
        async move {
            let socket = accept_async(pipe).await?;
            // Dropping it resets the connection.
            timeout(life, push(socket, start, |ms| speaks(nth, ms))).await.unwrap_or(Ok(()))
        }
    })
}

/// A subscription of three users for `hold`.
fn subscribe(hold: &str, traffic: &str, peer: &Peer) -> Run {
    let target = "mode = { subscribe = { time_ms = \"/at\" } }";
    run(Profile { target, pace: "\"idle\"", hold, traffic, ..Profile::default() }, peer)
}

fn times(run: &Run, timing: Timing) -> Distribution {
    run.sum(is_hold).timing(timing).clone()
}

/// Checks the longest gap and the greatest age in holds, in milliseconds, to within 30.
#[track_caller]
fn check(run: &Run, gap_ms: u64, age_ms: u64) {
    for (timing, expected) in [(Timing::Gap, gap_ms), (Timing::Staleness, age_ms)] {
        let times = times(run, timing);
        assert_eq!(times.lost, 0, "{timing:?}");
        let greatest = times.max_ns / MS;
        assert!(greatest.abs_diff(expected) <= 30, "{timing:?} up to {greatest} ms: {times:?}");
    }
}

/// Gaps longer than 100 ms in holds.
fn long(run: &Run) -> u64 {
    times(run, Timing::Gap).above((100 * MS) as f64)
}

#[test]
fn a_silence_until_the_end_of_a_hold_is_a_gap_and_an_age() {
    let run = subscribe("8s", "", &pushing(|_, ms| ms < 1_600));
    assert_eq!(long(&run), 3);
    check(&run, 6_430, 6_420);
}

#[test]
fn a_silence_that_ends_in_the_drain_or_in_the_next_stage_is_a_gap_of_its_hold() {
    let stages = "[[stage]]\nconnections = 3\nhold = \"2s\"";
    let target = "mode = { subscribe = { time_ms = \"/at\" } }";
    let profile = Profile { target, pace: "\"idle\"", hold: "2s", stages, ..Profile::default() };
    // The stages begin at 0 s and at 2 s.
    let run = run(profile, &pushing(|_, ms| ms < 1_500 || (2_500..3_700).contains(&ms)));
    let gaps = |stage| run.sum(|at| at.stage == stage && is_hold(at)).timing(Timing::Gap).max_ns;
    let gaps = [gaps(0), gaps(1)].map(|ns| ns / (50 * MS) * 50);
    assert_eq!(gaps, [500, 1_000]);
}

#[test]
fn a_regular_subscription_has_no_gap_at_the_end_of_its_hold() {
    for hold in ["1s", "1003ms", "1007ms"] {
        let run = subscribe(hold, "", &pushing(|_, _| true));
        check(&run, 10, 1);
        assert_eq!(times(&run, Timing::Gap).min_ns / MS, 10, "{hold}");
    }
}

#[test]
fn bursts_are_not_stale_between_them() {
    let run = subscribe("2750ms", "", &pushing(|_, ms| ms % 1_000 < 100));
    check(&run, 910, 1);
}

#[test]
fn a_silence_goes_on_across_a_reset() {
    // Each user's first connection ends after half a second, and the second one is silent until the third second.
    let peer = cutting(Duration::from_millis(500), |nth, ms| nth < 3 || ms > 3_000);
    let run = subscribe("5s", "", &peer);
    assert_eq!(long(&run), 3);
    check(&run, 2_510, 1);
}

#[test]
fn a_silence_without_a_connection_is_a_gap() {
    let peer = cutting(Duration::from_millis(500), |_, _| true);
    let run = subscribe("5s", "", &peer.refusing_after(BEFORE + 3));
    assert_eq!(long(&run), 3);
    check(&run, 4_520, 4_510);
}

#[test]
fn a_user_that_never_hears_a_message_has_a_gap_that_never_ends() {
    let run = subscribe("1s", "", &pushing(|nth, _| nth != 1));
    for timing in [Timing::Gap, Timing::Staleness] {
        assert_eq!(times(&run, timing).lost, 1, "{timing:?}");
    }
}

#[test]
fn a_silence_before_a_planned_end_of_a_connection_is_a_gap() {
    let churn = "[conduct]\nlifetime = \"900ms\"";
    let run = subscribe("3s", churn, &pushing(|_, ms| ms % 1_000 < 600));
    check(&run, 310, 300);
}

#[test]
fn users_that_are_away_on_purpose_have_no_gap() {
    let churn = "[conduct]\nlifetime = \"300ms\"";
    check(&subscribe("4s", churn, &pushing(|_, _| true)), 10, 1);
    let storm = "[conduct]\nstorm = { every = \"1500ms\", jitter = \"1s\" }";
    check(&subscribe("4s", storm, &pushing(|_, _| true)), 10, 1);
}
