//! Users, workers and seconds of a run; runs that start later or end early.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use futures::StreamExt;
use load_engine::testing::{Load, Peer};
use load_plan::model::Phase;
use tokio::time::Instant;

use crate::support::{Profile, counts, endings, is_hold, run};

#[test]
fn stages_open_and_close_connections_evenly() {
    let opened = Rc::new(RefCell::new(Vec::new()));
    let closed = Rc::new(RefCell::new(Vec::new()));
    let (begins, ends) = (Rc::clone(&opened), Rc::clone(&closed));
    let peer = Peer::upgrading(move |mut socket, counts| {
        let ends = Rc::clone(&ends);
        // The first connection is the probe.
        let is_user = counts.accepted.get() > 2;
        if is_user {
            begins.borrow_mut().push(Instant::now());
        }
        async move {
            while socket.next().await.is_some() {}
            if is_user {
                ends.borrow_mut().push(Instant::now());
            }
            Ok(())
        }
    });
    let stages = "name = \"first\"\n[[stage]]\nname = \"more\"\nconnections = 8\nramp = \"1s\"\nhold = \"500ms\"\n\
                  [[stage]]\nname = \"fewer\"\nconnections = 4\nramp = \"2s\"\nhold = \"500ms\"";
    let run = run(Profile { pace: "\"idle\"", stages, ..Profile::default() }, &peer);
    let gaps = |times: &RefCell<Vec<Instant>>| -> Vec<u128> {
        times.borrow().windows(2).map(|pair| (pair[1] - pair[0]).as_millis()).collect()
    };
    let rounded = |gaps: Vec<u128>| -> Vec<u128> { gaps.iter().map(|gap| gap / 20 * 20).collect() };
    // Three at once; 1 s of hold; then five in a ramp of 1 s.
    assert_eq!(rounded(gaps(&opened)), [0, 0, 1_000, 200, 200, 200, 200]);
    // Four in a ramp of 2 s; the rest of the ramp and half a second of hold; then all at once.
    assert_eq!(rounded(gaps(&closed)), [500, 500, 500, 1_000, 0, 0, 0]);
    let open = |stage| {
        let held = run.intervals.iter().rev().find(|at| at.stage == stage && is_hold(at));
        held.map(|at| (at.open, at.target))
    };
    assert_eq!([0, 1, 2].map(open), [Some((3, 3)), Some((8, 8)), Some((4, 4))]);
}

#[test]
fn intervals_cover_the_run_second_by_second() {
    let run = run(Profile { hold: "3500ms", ..Profile::default() }, &Peer::echo());
    let held: Vec<(u64, u64)> =
        run.intervals.iter().filter(|at| is_hold(at)).map(|at| (at.second, at.length_ns)).collect();
    assert_eq!(held.iter().map(|(second, _)| *second).collect::<Vec<_>>(), [0, 1, 2, 3]);
    let length: u64 = held.iter().map(|(_, length_ns)| length_ns).sum();
    assert!((3_500_000_000..3_506_000_000).contains(&length), "{length}");
    assert_eq!(held[1].1, 1_000_000_000);
    let cpu: Vec<f64> = run.intervals.iter().map(|at| at.generator_cpu).collect();
    assert!(cpu.iter().all(|cpu| (cpu - 0.1).abs() < 1e-6), "{cpu:?}");
}

#[test]
fn several_workers_share_the_users_and_add_up() {
    let peer = Peer::echo();
    let profile = Profile { connections: 7, hold: "2s", ..Profile::default() }.to_string();
    let run = Load::new(&profile).workers(3).run(&peer).expect("the peer is there");
    let all = counts(&run);
    assert_eq!((all.errors(), all.attempted, run.workers), (0, 7, 3));
    assert_eq!(all.sent, peer.counts().received.get());
    assert!(run.intervals.iter().filter(|at| is_hold(at)).all(|at| at.open == 7));
    let length = run.length(is_hold);
    assert!(length < Duration::from_millis(2_010), "workers run side by side: {length:?}");
}

#[test]
fn an_interrupted_run_closes_its_connections_and_says_so() {
    let peer = Peer::echo();
    let profile = Profile { hold: "1h", ..Profile::default() }.to_string();
    let load = Load::new(&profile).interrupted_after(Duration::from_millis(2_500));
    let run = load.run(&peer).expect("the peer is there");
    assert!(run.interrupted);
    assert_eq!(endings(&run), [("clean", 3)]);
    let all = counts(&run);
    assert_eq!((all.errors(), all.sent), (0, peer.counts().received.get()));
    let held = run.length(is_hold);
    assert!((2_400..=2_500).contains(&held.as_millis()), "{held:?}");
    assert_eq!(run.intervals.last().map(|at| at.phase), Some(Phase::Drain));
}

#[test]
fn a_run_is_interrupted_while_it_waits_for_its_start_or_for_the_first_connection() {
    let profile = Profile::default().to_string();
    let load = Load::new(&profile).starts_in(Duration::from_hours(1));
    let error = load.interrupted_after(Duration::from_secs(1)).run(&Peer::echo());
    assert!(error.expect_err("it was interrupted").to_string().starts_with("interrupted before"));
    let silent = Peer::raw(|pipe, _| async move {
        let _held = pipe;
        std::future::pending().await
    });
    let load = Load::new(&profile).interrupted_after(Duration::from_secs(1));
    let error = load.run(&silent).expect_err("it was interrupted");
    assert!(error.to_string().starts_with("interrupted before"));
}

#[test]
fn a_run_starts_at_the_agreed_time() {
    let load = Load::new(&Profile::default().to_string());
    let run = load.clone().run(&Peer::echo()).expect("the peer is there");
    let agreed = load.starts_in(Duration::from_mins(5)).run(&Peer::echo()).expect("it is there");
    let ahead = agreed.started_unix_ns - run.started_unix_ns;
    assert!((299..=300).contains(&(ahead / 1_000_000_000)), "{ahead}");
    assert_eq!(counts(&run).sent, counts(&agreed).sent);
}
