//! A generator that stands still for a while does not blame the target, and a target that does is not excused.

use std::time::Duration;

use futures::{SinkExt, StreamExt};
use load::validator::{RunVerdict, validate};
use load_engine::testing::{Load, Peer, in_virtual_time};
use tokio::time::{advance, sleep};

use crate::profile::Profile;

/// Judges `profile` against `peer`. A second after the start, this process stands still for `stall`.
#[track_caller]
fn check(profile: Profile<'_>, peer: &Peer, stall: Duration, verdict: RunVerdict, words: &str) {
    let run = in_virtual_time(async {
        tokio::task::spawn_local(async move {
            sleep(Duration::from_secs(1)).await;
            advance(stall).await;
        });
        Load::new(&profile.to_string()).run_beside(peer, &mut |_| {}).await
    });
    let assessment = validate(&run.expect("the peer is there"));
    let reasons = assessment.reasons.join("\n");
    assert_eq!(assessment.verdict, verdict, "{reasons}");
    assert!(reasons.contains(words), "{reasons}");
}

/// An echo that stands still for `stall` a second after a connection is open.
fn stalling(stall: Duration) -> Peer {
    Peer::upgrading(move |mut socket, _| async move {
        let begin = tokio::time::Instant::now();
        let mut is_over = false;
        while let Some(message) = socket.next().await {
            let message = message?;
            sleep(Duration::from_millis(1)).await;
            if begin.elapsed() > Duration::from_secs(1) && !std::mem::replace(&mut is_over, true) {
                sleep(stall).await;
            }
            if message.is_text() {
                socket.send(message).await?;
            }
        }
        Ok(())
    })
}

fn closed() -> Profile<'static> {
    let thresholds = "latency_max = '< 1s'";
    Profile { pace: "{ closed = { depth = 1 } }", hold: "3s", thresholds, ..Profile::default() }
}

/// A thousand messages a second.
fn open() -> Profile<'static> {
    let thresholds = "latency_p999 = '< 20ms'";
    Profile { connections: 10, hold: "8s", thresholds, ..Profile::default() }
}

#[test]
fn a_stopped_generator_is_not_blamed_on_the_target() {
    let stall = Duration::from_millis(1_500);
    check(
        closed(),
        &Peer::echo(),
        stall,
        RunVerdict::Invalid,
        "latency_max is 1.50 s, and must be",
    );
    let stall = Duration::from_millis(50);
    check(open(), &Peer::echo(), stall, RunVerdict::Invalid, "the generator may be the cause");
}

#[test]
fn a_stopped_target_is_not_blamed_on_the_generator() {
    let peer = stalling(Duration::from_millis(1_500));
    check(closed(), &peer, Duration::ZERO, RunVerdict::Fail, "latency_max is 1.50 s");
    check(closed(), &peer, Duration::from_millis(20), RunVerdict::Fail, "latency_max is 1.5");
    let peer = stalling(Duration::from_millis(500));
    check(open(), &peer, Duration::from_millis(50), RunVerdict::Fail, "latency_p999 is 5");
}
