//! What never ends ranks above everything that does: a percentile that reaches it is not told, and its limit is not met.

use std::time::Duration;

use futures::{SinkExt, StreamExt};
use load::validator::{Assessment, RunVerdict, validate};
use load_engine::testing::{Answer, Load, Peer, UNIX_START};
use load_plan::metrics::{Distribution, Timing};
use load_plan::model::{Phase, Run};
use load_plan::outcome::{Ending, Fault};
use tokio::time::{Instant, sleep, sleep_until};
use tokio_tungstenite::tungstenite::Message;

use crate::profile::Profile;

fn run(profile: Profile<'_>, peer: &Peer) -> (Run, Assessment) {
    let run = Load::new(&profile.to_string()).run(peer).expect("the peer is there");
    let assessment = validate(&run);
    (run, assessment)
}

/// The times of all holds.
fn times(run: &Run, timing: Timing) -> Distribution {
    run.sum(|at| at.phase == Phase::Hold).timing(timing).clone()
}

/// Resets each connection at its 24th message, and answers two messages before only after 600 ms.
fn resetting() -> Peer {
    Peer::upgrading(|mut socket, _| async move {
        let mut held: Option<(Instant, Message)> = None;
        let mut n = 0;
        loop {
            let due = held.as_ref().map_or_else(Instant::now, |(due, _)| *due);
            tokio::select! {
                biased;
                () = sleep_until(due), if held.is_some() => {
                    let late = held.take().map(|(_, message)| message);
                    socket.send(late.expect("it is held")).await?;
                }
                message = socket.next() => {
                    let Some(message) = message.transpose()? else { return Ok(()) };
                    n += 1;
                    if n == 24 {
                        socket.get_ref().set_zero_linger();
                        return Ok(());
                    }
                    if n == 5 || n == 12 {
                        held = Some((Instant::now() + Duration::from_millis(600), message));
                    } else if message.is_text() {
                        socket.send(message).await?;
                    }
                }
            }
        }
    })
}

#[test]
fn a_message_that_a_reset_cuts_off_is_no_fast_answer() {
    let thresholds =
        "latency_p90 = \"< 400ms\"\nerrors = \"<= 60%\"\nconnections_missing = \"<= 3\"";
    let pace = "{ open = { rate = 10 } }";
    let profile = Profile { thresholds, pace, timeout: "2s", hold: "20s", ..Profile::default() };
    let (run, assessment) = run(profile, &resetting());
    let lost = run.sum(|_| true).counts.faulty(Fault::Lost);
    let times = times(&run, Timing::RttIntended);
    assert_eq!(times.lost, lost);
    let slow = times.above(4e8) - lost;
    let tenth = times.count / 10;
    // Neither would violate the limit alone.
    assert!(
        lost < tenth && slow <= tenth && slow + lost > tenth,
        "{lost} lost and {slow} slow of {}",
        times.count
    );
    assert_eq!(assessment.verdict, RunVerdict::Fail, "{:?}", assessment.checks[0]);
    assert!(!assessment.checks[0].met);
}

#[test]
fn a_limit_that_falls_among_lost_messages_says_how_many_there_are() {
    let peer = Peer::answering(|n, message, _| match n % 10 {
        3 => Answer::Wrong(vec![]),
        _ => Answer::Right(message),
    });
    let thresholds = "latency_p95 = \"< 10s\"";
    let profile = Profile { thresholds, timeout: "1s", hold: "2s", ..Profile::default() };
    let (_, assessment) = run(profile, &peer);
    assert_eq!(assessment.verdict, RunVerdict::Fail);
    let words = "latency_p95 is not known, because 60 of 599 samples are lost, and must be < 10s; first in second 1";
    assert_eq!(assessment.reasons, [words]);
}

#[test]
fn a_corrupted_answer_is_no_fast_answer() {
    let peer = Peer::answering(|n, message, _| match n % 10 {
        3 => Answer::Wrong(vec![Message::binary(message.into_data())]),
        _ => Answer::Right(message),
    });
    let thresholds = "latency_p95 = \"< 10s\"";
    let (run, assessment) = run(Profile { thresholds, hold: "2s", ..Profile::default() }, &peer);
    assert_eq!(
        times(&run, Timing::RttIntended).lost,
        run.sum(|_| true).counts.faulty(Fault::Corrupted)
    );
    assert!(!assessment.checks[0].met, "{:?}", assessment.checks[0]);
}

#[test]
fn a_subscription_that_goes_silent_violates_its_limits_on_gaps_and_ages() {
    // A message every 200 ms, eight times; then nothing for six seconds.
    let peer = Peer::upgrading(|mut socket, _| async move {
        for _ in 0..8 {
            let text = format!("{{\"at\":{}}}", UNIX_START.as_millis());
            socket.send(Message::text(text)).await?;
            sleep(Duration::from_millis(200)).await;
        }
        while socket.next().await.is_some() {}
        Ok(())
    });
    let target = "mode = { subscribe = { time_ms = \"/at\" } }";
    let thresholds = "gap_max = \"< 5s\"\nstaleness_max = \"< 5s\"\nerrors = \"<= 0%\"";
    let profile =
        Profile { target, pace: "\"idle\"", thresholds, hold: "8s", ..Profile::default() };
    let (_, assessment) = run(profile, &peer);
    let met: Vec<_> = assessment.checks.iter().map(|check| check.met).collect();
    assert_eq!(met, [false, false, true], "{assessment:?}");
}

#[test]
fn an_upgrade_that_never_comes_is_no_fast_upgrade() {
    // Every fourth connection is not answered.
    let minutes = |nth: u64| if nth.is_multiple_of(4) { 1 } else { 0 };
    let peer = Peer::echo().waiting(move |nth| Duration::from_mins(minutes(nth)));
    let traffic = "[conduct]\nlifetime = \"1s\"";
    let thresholds = "connect_p90 = \"< 1s\"";
    let profile =
        Profile { pace: "\"idle\"", traffic, thresholds, hold: "30s", ..Profile::default() };
    let (run, assessment) = run(profile, &peer);
    let all = run.sum(|_| true);
    let connect = all.timing(Timing::Connect);
    assert_eq!(connect.lost, all.counts.ended(Ending::HandshakeTimeout));
    assert!(connect.lost > 0 && connect.ended() >= all.counts.opened, "{connect:?}");
    assert_eq!(assessment.verdict, RunVerdict::Fail, "{:?}", assessment.checks[0]);
}

#[test]
fn an_upgrade_that_the_end_of_the_run_cuts_off_counts_for_as_long_as_it_took() {
    // Connections after the first ones are not answered.
    let peer = Peer::echo().waiting(|nth| Duration::from_mins(if nth > 5 { 1 } else { 0 }));
    let traffic = "[conduct]\nlifetime = \"1s\"";
    let thresholds = "connect_max = \"< 2s\"";
    let profile =
        Profile { pace: "\"idle\"", traffic, thresholds, hold: "5500ms", ..Profile::default() };
    let (_, assessment) = run(profile, &peer);
    let measured = assessment.checks[0].measured;
    assert!(measured.is_some_and(|ns| (4.4e9..4.6e9).contains(&ns)), "{assessment:?}");
    assert_eq!(assessment.verdict, RunVerdict::Fail);
}

#[test]
fn a_ping_without_a_pong_is_no_fast_pong() {
    // Connections are deaf from the third second on.
    let peer = Peer::upgrading(|mut socket, _| async move {
        let deaf = Instant::now() + Duration::from_secs(3);
        while let Ok(message) = tokio::time::timeout_at(deaf, socket.next()).await {
            if message.transpose()?.is_none() {
                return Ok(());
            }
        }
        let _held = socket;
        std::future::pending().await
    });
    let traffic = "ping = \"500ms\"";
    let thresholds = "ping_p90 = \"< 1s\"";
    let profile = Profile {
        pace: "\"idle\"",
        timeout: "1s",
        traffic,
        thresholds,
        hold: "20s",
        ..Profile::default()
    };
    let (run, assessment) = run(profile, &peer);
    let ping = times(&run, Timing::Ping);
    assert!(ping.lost * 10 > ping.count, "{ping:?}");
    assert!(!assessment.checks[0].met, "{:?}", assessment.checks[0]);
}
