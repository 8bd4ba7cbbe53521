//! Connections that open slowly, break and come back; pings and closing handshakes.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use futures::{SinkExt, StreamExt};
use load_engine::problem::Problem;
use load_engine::testing::Peer;
use load_plan::metrics::Timing;
use load_plan::model::{Phase, Run};
use load_plan::outcome::Ending;
use tokio::io::AsyncWriteExt;
use tokio::time::{Instant, sleep};
use tokio_tungstenite::accept_async;

use crate::support::{Profile, counts, endings, error_text, is_hold, run};

/// An idle run of a second against `peer`.
fn idle(traffic: &str, peer: &Peer) -> Run {
    run(Profile { pace: "\"idle\"", traffic, ..Profile::default() }, peer)
}

/// A peer that upgrades and then does nothing.
fn silent() -> Peer {
    Peer::upgrading(|socket, _| async move {
        let _held = socket;
        std::future::pending().await
    })
}

#[test]
fn a_refused_probe_names_the_address() {
    let error = Profile::default().load().run(&Peer::echo().refusing_after(0));
    let problem = error.expect_err("no peer listens").downcast::<Problem>();
    let problem = problem.expect("the target is to blame");
    assert_eq!(problem.ending, Some(Ending::Refused));
    assert!(problem.words.starts_with("cannot connect to memory"), "{problem}");
}

#[test]
fn a_slow_upgrade_is_timed_from_the_first_packet_and_delays_the_hold() {
    let peer = Peer::raw(|pipe, _| async move {
        sleep(Duration::from_secs(3)).await;
        let _held = accept_async(pipe).await?;
        std::future::pending().await
    });
    let run = idle("", &peer);
    assert_eq!(counts(&run).opened, 3);
    let all = run.sum(|_| true);
    assert_eq!(all.timing(Timing::Connect).min_ns / 1_000_000, 3_000);
    let ramp = run.length(|at| at.phase == Phase::Ramp);
    assert!((3_000..3_010).contains(&ramp.as_millis()), "{ramp:?}");
}

#[test]
fn a_run_goes_on_without_connections_that_do_not_open_in_ten_seconds() {
    // Only the probe, the look for metrics and the first two users are served.
    let peer = Peer::raw(|pipe, counts| {
        let nth = counts.accepted.get();
        async move {
            if nth > 4 {
                sleep(Duration::from_secs(60)).await;
            }
            let _held = accept_async(pipe).await?;
            std::future::pending().await
        }
    });
    let run = idle("", &peer);
    let hold = run.intervals.iter().find(|at| is_hold(at));
    let hold = hold.expect("there is a hold");
    assert_eq!((hold.open, hold.target, hold.second), (2, 3, 10));
}

#[test]
fn an_end_in_the_middle_of_a_frame_is_a_reset() {
    let peer = Peer::upgrading(|mut socket, counts| {
        // The first connections are the probe and a user's.
        let is_bad = counts.accepted.get() == 3;
        async move {
            if is_bad {
                return Ok(socket.get_mut().write_all(&[0x81, 10, b'h', b'a', b'l', b'f']).await?);
            }
            while let Some(message) = socket.next().await.transpose()? {
                if message.is_text() {
                    socket.send(message).await?;
                }
            }
            Ok(())
        }
    });
    let run = run(Profile { connections: 1, ..Profile::default() }, &peer);
    assert_eq!(endings(&run), [("clean", 1), ("reset", 1)]);
    assert_eq!(error_text(&run, "reset"), "ended without a closing handshake");
}

#[test]
fn the_answer_to_a_close_frame_is_waited_for_two_seconds() {
    let run = idle("", &silent());
    assert_eq!(endings(&run), [("close_timeout", 3)]);
    let drain = run.length(|at| at.phase == Phase::Drain);
    assert!((2_000..2_010).contains(&drain.as_millis()), "{drain:?}");
}

#[test]
fn pings_are_sent_after_silence_and_answered() {
    let peer = Peer::echo();
    let run = idle("ping = \"100ms\"", &peer);
    let all = counts(&run);
    assert_eq!(all.pings, all.pongs);
    assert!((3 * 8..=3 * 11).contains(&all.pings), "{}", all.pings);
}

#[test]
fn a_ping_without_an_answer_ends_the_connection_after_the_timeout() {
    let traffic = "ping = \"100ms\"";
    let profile = Profile { pace: "\"idle\"", traffic, timeout: "500ms", ..Profile::default() };
    let run = run(profile, &silent());
    // The user comes back, and its next connection ends the same way.
    assert_eq!(endings(&run), [("ping_timeout", 6)]);
    assert_eq!(error_text(&run, "ping_timeout"), "a ping was not answered within 500 ms");
}

/// A peer that resets every connection at once, and the times at which they came.
fn resetting() -> (Peer, Rc<RefCell<Vec<Instant>>>) {
    let times = Rc::new(RefCell::new(Vec::new()));
    let seen = Rc::clone(&times);
    let peer = Peer::upgrading(move |socket, counts| {
        // The first connection is the probe.
        if counts.accepted.get() > 2 {
            seen.borrow_mut().push(Instant::now());
        }
        socket.get_ref().set_zero_linger();
        async { Ok(()) }
    });
    (peer, times)
}

#[test]
fn a_user_comes_back_after_a_reset_with_a_delay_of_at_most_a_quarter_of_a_second() {
    let (peer, times) = resetting();
    let run = run(Profile { connections: 1, hold: "10s", ..Profile::default() }, &peer);
    assert!(endings(&run).iter().all(|(ending, _)| ["reset", "interrupted"].contains(ending)));
    let times = times.borrow();
    let gaps: Vec<Duration> = times.windows(2).map(|pair| pair[1] - pair[0]).collect();
    // Open connections begin afresh: uniform delays of up to 250 ms, 125 ms on average.
    assert!((50..=200).contains(&gaps.len()), "{}", gaps.len());
    assert!(gaps.iter().max() <= Some(&Duration::from_millis(255)), "{gaps:?}");
}

#[test]
fn a_user_that_cannot_connect_backs_off_up_to_five_seconds() {
    let peer = Peer::echo().refusing_after(2);
    let run = run(Profile { connections: 1, hold: "2m", ..Profile::default() }, &peer);
    let attempts = counts(&run).attempted;
    // Delays with a ceiling of 0.25, 0.5, 1, 2, 4 and from then on 5 s; half of that on average.
    assert!((30..=90).contains(&attempts), "{attempts}");
    assert_eq!(endings(&run), [("refused", attempts)]);
    let gap = |from, to| run.sum(|at| (from..to).contains(&at.second)).counts.attempted;
    assert!(gap(0, 3) > gap(60, 63), "{} then {}", gap(0, 3), gap(60, 63));
}
