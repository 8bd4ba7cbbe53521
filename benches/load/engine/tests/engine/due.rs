//! Messages of an open loop are due to a virtual user, whether or not it has a connection that takes them.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use futures::{SinkExt, StreamExt};
use load_engine::testing::{Load, Peer, in_virtual_time};
use load_plan::metrics::{Distribution, Timing};
use load_plan::model::{Phase, Run};
use tokio::time::{Instant, advance, sleep};
use tokio_tungstenite::accept_async;

use crate::support::{
    BEFORE, LARGE, Profile, counts, deaf_for, echo, endings, faults, is_hold, run,
};

/// An echo whose upgrades take 2 s, but for the first of each of `users`.
fn slow_to_open(users: u64) -> Peer {
    Peer::echo().waiting(move |nth| Duration::from_secs(if nth > BEFORE + users { 2 } else { 0 }))
}

/// The intended times of stage `stage`.
fn intended(run: &Run, stage: usize) -> Distribution {
    let sum = run.sum(|at| at.stage == stage && at.phase == Phase::Hold);
    sum.timing(Timing::RttIntended).clone()
}

#[test]
fn messages_that_are_due_while_a_connection_opens_are_sent_late() {
    let traffic = "[conduct]\nlifetime = \"1s\"";
    let pace = "{ open = { rate = 10 } }";
    let profile = Profile { pace, traffic, connections: 10, hold: "8s", ..Profile::default() };
    let run = run(profile, &slow_to_open(10));
    assert!(faults(&run).is_empty(), "{:?}", faults(&run));
    let due = run.sum(is_hold).counts.due;
    assert!((799..=801).contains(&due), "{due}");
    let times = intended(&run, 0);
    assert_eq!((times.count, times.lost), (due, 0));
    // Of three seconds, two pass before the connection is open.
    let late = times.above(100_000_000.0);
    assert!((450..=550).contains(&late), "{late} of {due}");
}

#[test]
fn messages_that_are_due_while_no_connection_can_be_opened_are_timed() {
    let peer = Peer::upgrading(|socket, counts| async move {
        let nth = counts.accepted.get();
        let life = if nth > BEFORE { 1_000 } else { 60_000 };
        tokio::select! {
            ended = echo(socket) => ended,
            () = sleep(Duration::from_millis(life)) => Ok(()),
        }
    });
    // Each user has one connection, for a second; the others are refused.
    let peer = peer.refusing_after(BEFORE + 3);
    let run = run(Profile { hold: "10s", ..Profile::default() }, &peer);
    let times = intended(&run, 0);
    let due = run.sum(is_hold).counts.due;
    assert_eq!((due, times.count), (times.count, due));
    assert!((2_997..=3_000).contains(&due), "{due}");
    // What is due in the second second waits for eight at least, until the end.
    assert!((2_650..=2_750).contains(&times.above(10_000_000.0)), "{times:?}");
    assert!((8_900_000_000..=9_010_000_000).contains(&times.max_ns), "{}", times.max_ns);
}

#[test]
fn a_user_that_a_storm_keeps_away_has_nothing_due() {
    let traffic = "[conduct]\nstorm = { every = \"2s\", jitter = \"1500ms\" }";
    let profile = Profile { traffic, connections: 5, hold: "10s", ..Profile::default() };
    let run = run(profile, &Peer::echo());
    let times = intended(&run, 0);
    let due = run.sum(is_hold).counts.due;
    assert!((2_500..4_500).contains(&due), "{due}");
    assert!(times.count + 5 >= due && times.max_ns < 20_000_000, "{due}: {times:?}");
}

#[test]
fn a_storm_cuts_no_connection_that_opens_after_it() {
    // The storms of 1.5 s and 4.5 s cut connections; that of 3 s comes while they are opened.
    let traffic = "[conduct]\nstorm = { every = \"1500ms\", jitter = \"1ms\" }";
    let profile = Profile { traffic, hold: "5s", ..Profile::default() };
    let run = run(profile, &slow_to_open(3));
    assert_eq!(counts(&run).opened, 6);
    assert!(run.sum(|at| at.second == 4).counts.sent > 0);
    assert_eq!(endings(&run), [("clean", 6), ("interrupted", 3)]);
}

#[test]
fn a_new_pace_keeps_what_a_full_connection_still_had_due() {
    let stages = "[[stage]]\nconnections = 1\nhold = \"3s\"\npace = { open = { rate = 10 } }";
    let profile = Profile {
        traffic: LARGE,
        pace: "{ open = { rate = 50 } }",
        timeout: "10s",
        connections: 1,
        stages,
        ..Profile::default()
    };
    let run = run(profile, &deaf_for(Duration::from_millis(2_500)));
    assert_eq!(faults(&run), []);
    let due = |stage| run.sum(|at| at.stage == stage && is_hold(at)).counts.due;
    let [first, second] = [0, 1].map(|stage| intended(&run, stage));
    assert_eq!([first.count, second.count], [due(0), due(1)]);
    assert!((49..=50).contains(&due(0)) && (29..=31).contains(&due(1)), "{} {}", due(0), due(1));
    // All of the first stage waited from then until the peer read.
    assert_eq!(first.above(1_400_000_000.0), first.count, "{first:?}");
}

#[test]
fn what_a_full_connection_still_has_due_at_the_drain_is_sent_and_timed() {
    let profile = Profile {
        traffic: LARGE,
        pace: "{ open = { rate = 50 } }",
        connections: 1,
        ..Profile::default()
    };
    let run = run(profile, &deaf_for(Duration::from_millis(1_500)));
    assert_eq!(faults(&run), []);
    let times = intended(&run, 0);
    assert_eq!(run.sum(is_hold).counts.due, times.count);
    assert!((49..=50).contains(&times.count), "{times:?}");
    assert_eq!(times.above(490_000_000.0), times.count, "{times:?}");
    assert!(counts(&run).sent >= times.count);
}

#[test]
fn a_message_that_is_sent_late_in_the_drain_has_the_timeout_to_be_answered() {
    // Until a moment before the end of the drain's first timeout it reads nothing; then it takes a second to answer.
    let peer = Peer::upgrading(|mut socket, counts| async move {
        if counts.accepted.get() > BEFORE {
            sleep(Duration::from_millis(2_900)).await;
            if let Some(message) = socket.next().await.transpose()? {
                sleep(Duration::from_secs(1)).await;
                socket.send(message).await?;
            }
        }
        echo(socket).await
    });
    let pace = "{ open = { rate = 50 } }";
    let run = run(Profile { traffic: LARGE, pace, connections: 1, ..Profile::default() }, &peer);
    // The first was sent in the hold, 2.9 s before.
    assert_eq!(faults(&run), [("late", 1)]);
    let times = intended(&run, 0);
    assert_eq!((run.sum(is_hold).counts.due, times.lost), (times.count, 0));
    assert!(counts(&run).sent < times.count, "the rest was not sent");
}

#[test]
fn what_a_late_generator_sends_at_the_end_of_a_hold_belongs_to_it() {
    let profile = Profile { hold: "200ms", ..Profile::default() };
    let peer = Peer::echo();
    let run = in_virtual_time(async {
        let run = async { Load::new(&profile.to_string()).run_beside(&peer, &mut |_| {}).await };
        let late = async {
            // Between 150 and 160 ms into the hold.
            while peer.counts().received.get() < 45 {
                sleep(Duration::from_millis(1)).await;
            }
            advance(Duration::from_millis(120)).await;
        };
        tokio::join!(run, late).0.expect("the peer is there")
    });
    let held = run.sum(is_hold);
    assert_eq!((held.counts.sent, intended(&run, 0).count), (held.counts.due, held.counts.due));
    let lag = held.timing(Timing::ScheduleLag);
    assert!(lag.max_ns >= 90_000_000, "{lag:?}");
}

#[test]
fn messages_that_are_never_sent_are_timed_until_the_end() {
    let profile = Profile { traffic: LARGE, connections: 1, timeout: "1s", ..Profile::default() };
    let run = run(profile, &deaf_for(Duration::from_mins(1)));
    let times = intended(&run, 0);
    assert_eq!(run.sum(is_hold).counts.due, times.count);
    assert!((99..=100).contains(&times.count), "{times:?}");
    // One message fits into the buffers: at the end it is lost.
    assert_eq!((counts(&run).sent, faults(&run)), (1, vec![("lost", 1)]));
    assert_eq!(times.above(990_000_000.0), times.count, "{times:?}");
}

#[test]
fn a_pace_that_follows_an_idle_stage_begins_with_its_stage() {
    let stages = "[[stage]]\nconnections = 3\nhold = \"1s\"\npace = { open = { rate = 10 } }\n\
                  [[stage]]\nconnections = 3\nhold = \"1s\"\npace = { closed = { depth = 2 } }";
    let run = run(Profile { pace: "\"idle\"", stages, ..Profile::default() }, &Peer::echo());
    let sent = |stage| run.sum(|at| at.stage == stage && is_hold(at)).counts.sent;
    assert_eq!([sent(0), sent(1)], [0, 30]);
    assert!(sent(2) > 1_000, "{}", sent(2));
}

/// When each message came, since the connection was open.
fn poisson(seed: u64, upgrade: Duration) -> Vec<Duration> {
    let times = Rc::new(RefCell::new(Vec::new()));
    let seen = Rc::clone(&times);
    let peer = Peer::raw(move |pipe, _| {
        let seen = Rc::clone(&seen);
        async move {
            sleep(upgrade).await;
            let mut socket = accept_async(pipe).await?;
            let open = Instant::now();
            while let Some(message) = socket.next().await.transpose()? {
                if message.is_text() {
                    seen.borrow_mut().push(open.elapsed());
                    socket.send(message).await?;
                }
            }
            Ok(())
        }
    });
    let profile = Profile {
        pace: "{ open = { rate = 20, arrival = \"poisson\" } }",
        traffic: &format!("seed = {seed}"),
        connections: 1,
        hold: "10s",
        ..Profile::default()
    };
    Load::new(&profile.to_string()).run(&peer).expect("the peer is there");
    times.take()
}

#[test]
fn poisson_arrivals_of_a_seed_are_the_same_in_every_run() {
    let [quick, slow] = [3, 47].map(|ms| poisson(1, Duration::from_millis(ms)));
    let both = quick.len().min(slow.len());
    assert!(both > 120, "{both}");
    for (quick, slow) in quick.iter().zip(&slow) {
        // Timers of the runtime have milliseconds.
        assert!(quick.abs_diff(*slow) <= Duration::from_millis(1), "{quick:?} and {slow:?}");
    }
    let other = poisson(2, Duration::from_millis(3));
    assert!(
        quick[..10].iter().zip(&other).any(|(one, other)| one.abs_diff(*other).as_millis() > 1)
    );
}
