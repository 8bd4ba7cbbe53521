//! A server that stops for a while is seen by whoever keeps sending, and hidden from whoever waits.

use std::time::Duration;

use futures::{SinkExt, StreamExt};
use tokio::time::{Instant, sleep_until};
use tokio_tungstenite::tungstenite::Message;

use crate::histograms::{percentile, read};
use crate::profile::Profile;
use crate::run::{Load, Outcome};
use crate::server::{Answer, Server};

/// Between the beginnings of two stalls.
const EVERY: Duration = Duration::from_secs(1);
const STALL: Duration = Duration::from_millis(300);

const MS: u64 = 1_000_000;

/// An echo that does nothing for the last part of every second since it was connected to. Its faults are stalls that
/// a message met.
fn stalling() -> Server {
    Server::upgrading(|mut socket, tally| async move {
        let start = Instant::now();
        let mut stalled = 0;
        while let Some(message) = socket.next().await {
            let message = message?;
            let second = start.elapsed().as_nanos() / EVERY.as_nanos() + 1;
            let end = start + EVERY * u32::try_from(second).expect("a short test");
            if end - Instant::now() < STALL {
                sleep_until(end).await;
                if second > stalled {
                    tally.faults.add(1);
                    stalled = second;
                }
            }
            if message.is_text() {
                tally.received.add(1);
                socket.send(message).await?;
                tally.sent.add(1);
            }
        }
        Ok(())
    })
}

/// The run, the stalls it met, and its round trips from when they were due, or sent, in ascending order.
fn run(pace: &str, timing: &str) -> (Outcome, u64, Vec<u64>) {
    let server = stalling();
    let profile = Profile { pace, connections: 1, hold: "4 s", ..Profile::default() };
    let outcome = Load::new(profile, &server.url()).run();
    outcome.adds_up();
    assert!(outcome.faults().is_empty(), "{}", outcome.text);
    let values = read(&outcome.out()).remove(timing).expect("it was timed");
    assert_eq!(values.len() as u64, outcome.held("sent"));
    (outcome, server.tally().faults.get(), values)
}

#[test]
fn an_open_loop_counts_every_message_that_a_stall_kept_waiting() {
    let (outcome, stalls, values) = run("{ open = { rate = 100 } }", "rtt_intended");
    assert!(stalls >= 3, "{stalls}");
    assert_eq!(outcome.report()["overall"]["judged"], "rtt_intended");
    // A third of the time: 30 messages of each stall wait, 20 of them for 100 ms and more.
    let waited = values.iter().filter(|ns| **ns >= 100 * MS).count() as u64;
    assert!(waited >= 15 * stalls, "{waited} in {stalls} stalls");
    assert!(percentile(&values, 90.0) >= 100 * MS);
    assert!(outcome.number("timings/rtt_intended/p90_ns") >= 100 * MS);
}

#[test]
fn a_closed_loop_sees_one_message_of_each_stall_and_says_what_it_is_judged_by() {
    let (outcome, stalls, values) = run("{ closed = { depth = 1 } }", "rtt_service");
    assert!(stalls >= 3, "{stalls}");
    assert_eq!(outcome.report()["overall"]["judged"], "rtt_service");
    assert!(outcome.number("timings/rtt_intended/count") == 0, "it has no intentions");
    // The wait is there, and the median knows nothing of it.
    assert!(values.iter().filter(|ns| **ns >= 100 * MS).count() as u64 >= stalls);
    assert!(percentile(&values, 50.0) < 5 * MS);
}

#[test]
fn a_stall_at_the_end_is_not_cut_off() {
    // From its 50th message on, the server answers nothing until it has them all and the hold is over.
    let server = Server::upgrading(|mut socket, tally| async move {
        let mut n = 0;
        while let Some(message) = socket.next().await {
            let message = message?;
            n += 1;
            if n == 50 {
                sleep_until(Instant::now() + EVERY).await;
                tally.faults.add(1);
            }
            if message.is_text() {
                tally.received.add(1);
                socket.send(message).await?;
            }
        }
        Ok(())
    });
    let profile = Profile { connections: 1, ..Profile::default() };
    let outcome = Load::new(profile, &server.url()).run();
    outcome.adds_up();
    assert_eq!(server.tally().faults.get(), 1);
    let values = read(&outcome.out()).remove("rtt_intended").expect("it was timed");
    assert_eq!(values.len() as u64, outcome.held("sent"));
    // The second half of the messages waited for half a second and more.
    let waited = values.iter().filter(|ns| **ns >= 400 * MS).count();
    assert!(waited >= 40, "{waited}");
}

#[test]
fn what_is_due_while_nothing_can_be_sent_is_not_forgotten() {
    // A server that reads nothing: after a few megabytes its connections take no more.
    let server = Server::upgrading(|socket, _| async move {
        let _held = socket;
        std::future::pending().await
    });
    let profile = Profile {
        timeout: "1s",
        traffic: "sizes = [{ bytes = \"512 KiB\" }]",
        connections: 1,
        ..Profile::default()
    };
    let outcome = Load::new(profile, &server.url()).run();
    let (due, sent) = (outcome.count("due"), outcome.count("sent"));
    assert!(outcome.count("backpressure_events") > 0, "{}", outcome.text);
    assert!((60..=110).contains(&due), "{due} were due");
    assert!(sent < due / 2, "{sent} of {due}");
    assert_eq!(outcome.fault("lost"), sent, "{}", outcome.text);
    // It did not measure what it was asked to.
    assert_ne!(outcome.code, Some(0), "{}", outcome.text);
}

#[test]
fn back_pressure_is_time_that_counts() {
    // A server that reads nothing for a while: what was due meanwhile is late by intention, and not by service alone.
    let server = Server::upgrading(|mut socket, tally| async move {
        sleep_until(Instant::now() + EVERY).await;
        tally.faults.add(1);
        while let Some(message) = socket.next().await {
            let message = message?;
            if message.is_binary() {
                tally.received.add(1);
                // The answer is as large; both sides of the connection may be full.
                socket.send(message).await?;
            }
        }
        Ok(())
    });
    let profile = Profile {
        traffic: "kind = \"binary\"\nsizes = [{ bytes = \"512 KiB\" }]",
        pace: "{ open = { rate = 50 } }",
        connections: 1,
        hold: "1500 ms",
        ..Profile::default()
    };
    let outcome = Load::new(profile, &server.url()).run();
    outcome.adds_up();
    assert!(outcome.count("backpressure_events") > 0, "{}", outcome.text);
    assert_eq!(outcome.count("sent"), server.tally().received.get());
    let log = read(&outcome.out());
    let half = |timing: &str| percentile(&log[timing], 50.0);
    assert!(half("rtt_intended") > half("rtt_service"), "{}", outcome.text);
    assert!(outcome.number("timings/rtt_intended/max_ns") >= 900 * MS);
}

#[test]
fn answers_that_are_known_to_be_slow_are_measured_as_slow() {
    let server = Server::answering(|n, message, held: &mut Vec<Message>| {
        // Every tenth waits for the next one, a tenth of a second later.
        held.push(message);
        if n % 10 == 4 { Answer::Wrong(vec![]) } else { Answer::Many(std::mem::take(held)) }
    });
    let profile = Profile {
        pace: "{ open = { rate = 10 } }",
        connections: 5,
        hold: "2 s",
        ..Profile::default()
    };
    let outcome = Load::new(profile, &server.url()).run();
    outcome.adds_up();
    let slow = server.tally().faults.get();
    assert_eq!(slow, 10, "{}", outcome.text);
    let values = &read(&outcome.out())["rtt_intended"];
    // The next one may itself be sent a little late, never early.
    let measured = values.iter().filter(|ns| **ns >= 99 * MS).count() as u64;
    assert!(measured >= slow, "{measured} of {slow}");
}

#[test]
fn a_limit_that_is_violated_says_by_how_much_of_how_many_and_since_when() {
    // A second and a half of good answers, and then two seconds of none.
    let server = Server::upgrading(|mut socket, _| async move {
        let mut n = 0;
        while let Some(message) = socket.next().await {
            let message = message?;
            n += 1;
            if n == 150 {
                sleep_until(Instant::now() + 2 * EVERY).await;
            }
            if message.is_text() {
                socket.send(message).await?;
            }
        }
        Ok(())
    });
    let thresholds = "latency_p90 = \"< 1s\"";
    let profile = Profile { connections: 1, hold: "3s", thresholds, ..Profile::default() };
    let outcome = Load::new(profile, &server.url()).run();
    outcome.check(3, &["latency_p90"]);
    let limit = &outcome.report()["thresholds"][0];
    let samples = outcome.held("sent");
    assert_eq!(
        (&limit["metric"], &limit["limit"], &limit["met"], &limit["samples"]),
        (&"latency_p90".into(), &1e9.into(), &false.into(), &samples.into())
    );
    let measured = outcome.number("timings/rtt_intended/p90_ns");
    assert_eq!(limit["measured"].as_f64(), Some(measured as f64));
    let margin = limit["margin"].as_f64().expect("a number");
    assert!((margin - (1e9 - measured as f64) / 1e9).abs() < 1e-9, "{margin}");
    let since = limit["first_violated_ns"].as_u64().expect("a time");
    assert!((1000 * MS..3500 * MS).contains(&since), "{since}");
}
