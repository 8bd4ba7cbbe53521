//! A peer that stops for a while delays every message of an open loop, and one message of a closed loop.

use std::time::Duration;

use futures::{SinkExt, StreamExt};
use load_engine::testing::{Answer, Peer};
use load_plan::metrics::Timing;
use load_plan::model::Run;
use load_plan::outcome::Fault;
use tokio::time::{Instant, sleep, sleep_until};

use crate::support::{LARGE, Profile, counts, deaf_for, is_hold, times, times_in};

const MS: u64 = 1_000_000;

/// Time between the beginnings of two stalls.
const EVERY: Duration = Duration::from_secs(1);

/// Length of a stall.
const STALL: Duration = Duration::from_millis(300);

/// An echo that answers after 1 ms, but does nothing in the last part of every second of a connection.
fn stalling() -> Peer {
    Peer::upgrading(|mut socket, _| async move {
        let start = Instant::now();
        while let Some(message) = socket.next().await {
            let message = message?;
            sleep(Duration::from_millis(1)).await;
            let second = start.elapsed().as_secs() as u32 + 1;
            let end = start + EVERY * second;
            if end - Instant::now() < STALL {
                sleep_until(end).await;
            }
            if message.is_text() {
                socket.send(message).await?;
            }
        }
        Ok(())
    })
}

fn run(pace: &str) -> Run {
    let profile = Profile { pace, connections: 1, hold: "4s", ..Profile::default() };
    let run = profile.load().run(&stalling()).expect("the peer is there");
    assert_eq!(counts(&run).errors(), 0);
    run
}

/// Times of at least `ns` nanoseconds in all holds.
fn waited(run: &Run, timing: Timing, ns: u64) -> u64 {
    times_in(run, timing).iter().filter(|(bucket, _)| *bucket >= ns).map(|(_, count)| count).sum()
}

#[test]
fn an_open_loop_measures_every_stalled_message_from_its_intended_time() {
    let run = run("{ open = { rate = 100 } }");
    // Thirty messages are due in each of four stalls; twenty of them have to wait for 100 ms or more.
    let (count, shortest, longest) = times(&run, Timing::RttIntended);
    assert!((399..=400).contains(&count), "{count}");
    assert!((MS..2 * MS).contains(&shortest), "{shortest}");
    assert!((290 * MS..=330 * MS).contains(&longest), "{longest}");
    let late = waited(&run, Timing::RttIntended, 100 * MS);
    assert!((80..=95).contains(&late), "{late}");
}

#[test]
fn a_closed_loop_measures_one_message_of_each_stall_from_its_sending() {
    let run = run("{ closed = { depth = 1 } }");
    assert_eq!(waited(&run, Timing::RttService, 100 * MS), 4);
    assert_eq!(times(&run, Timing::RttIntended).0, 0, "a closed loop has no intended times");
    let (count, shortest, longest) = times(&run, Timing::RttService);
    assert!(count > 2_000, "{count}");
    assert_eq!(shortest, MS);
    assert!((299 * MS..=301 * MS).contains(&longest), "{longest}");
}

#[test]
fn a_stall_at_the_end_of_a_hold_is_measured_in_full() {
    // The peer answers nothing from its 50th message on, until all are there and the hold is over.
    let peer = Peer::upgrading(|mut socket, _| async move {
        let mut n = 0;
        while let Some(message) = socket.next().await {
            let message = message?;
            n += 1;
            if n == 50 {
                sleep(EVERY).await;
            }
            if message.is_text() {
                socket.send(message).await?;
            }
        }
        Ok(())
    });
    let run = Profile { connections: 1, ..Profile::default() }.load().run(&peer);
    let run = run.expect("the peer is there");
    assert_eq!(counts(&run).errors(), 0);
    let (count, _, longest) = times(&run, Timing::RttIntended);
    assert!((99..=100).contains(&count), "{count}");
    assert!((1_000 * MS..=1_002 * MS).contains(&longest), "{longest}");
    // The hold ends half a second into the stall, so that each of its messages waits for at least half a second.
    let late = waited(&run, Timing::RttIntended, 490 * MS);
    assert!((49..=52).contains(&late), "{late}");
}

#[test]
fn messages_that_are_due_while_the_socket_is_full_are_counted_as_due() {
    // The peer reads nothing: the connection is soon full.
    let peer = Peer::upgrading(|socket, _| async move {
        let _held = socket;
        std::future::pending().await
    });
    let profile = Profile {
        timeout: "1s",
        traffic: "sizes = [{ bytes = \"512 KiB\" }]",
        connections: 1,
        ..Profile::default()
    };
    let run = profile.load().run(&peer).expect("the peer is there");
    let all = counts(&run);
    assert_eq!(all.backpressure_events, 1);
    assert!((99..=101).contains(&all.due), "{}", all.due);
    assert_eq!((all.sent, all.faulty(Fault::Lost)), (1, 1));
    // At the end of the hold, all others were held up.
    let held = run.sum(is_hold).counts;
    assert_eq!(held.held_up.cast_unsigned(), held.due - held.sent);
}

#[test]
fn back_pressure_delays_messages_by_intention_more_than_by_service() {
    let peer = deaf_for(EVERY);
    let profile = Profile {
        traffic: LARGE,
        pace: "{ open = { rate = 50 } }",
        connections: 1,
        hold: "1500ms",
        ..Profile::default()
    };
    let run = profile.load().run(&peer).expect("the peer is there");
    let all = counts(&run);
    assert_eq!((all.errors(), all.sent), (0, all.received));
    assert!(all.backpressure_events > 0);
    // What was held up in the first second is sent in the second.
    let second = |second| run.sum(|at| at.second == second && is_hold(at)).counts;
    assert!(second(0).held_up > 40, "{}", second(0).held_up);
    assert_eq!(run.sum(is_hold).counts.held_up, 0);
    let late = |timing| waited(&run, timing, 500 * MS);
    assert!(late(Timing::RttIntended) > 20, "{}", late(Timing::RttIntended));
    // Only the first message is on the wire before the peer reads; all others wait to be sent.
    assert!(late(Timing::RttService) <= 1, "{}", late(Timing::RttService));
}

#[test]
fn only_messages_due_in_a_hold_are_timed() {
    let profile = Profile {
        traffic: "warm_up = \"2s\"",
        stages: "ramp = \"1s\"",
        connections: 1,
        ..Profile::default()
    };
    let run = profile.load().run(&Peer::echo()).expect("the peer is there");
    let (all, (timed, ..)) = (counts(&run), times(&run, Timing::RttIntended));
    assert!((399..=401).contains(&all.sent), "{}", all.sent);
    assert!((99..=101).contains(&timed), "{timed}");
}

#[test]
fn every_answer_is_timed_and_slow_answers_take_as_long_as_they_do() {
    // Every tenth answer waits for the next message, a tenth of a second later.
    let peer = Peer::answering(|n, message, held| {
        held.push(message);
        if n % 10 == 4 { Answer::Wrong(vec![]) } else { Answer::Many(std::mem::take(held)) }
    });
    let pace = "{ open = { rate = 10 } }";
    let run = Profile { pace, connections: 5, hold: "2s", ..Profile::default() }.load().run(&peer);
    let run = run.expect("the peer is there");
    assert_eq!((counts(&run).errors(), peer.counts().faults.get()), (0, 10));
    assert_eq!(waited(&run, Timing::RttIntended, 99 * MS), 10);
    let sent = run.sum(is_hold).counts.sent;
    assert_eq!(
        (times(&run, Timing::RttIntended).0, times(&run, Timing::RttService).0),
        (sent, sent)
    );
}
