//! Answers after the timeout: they belong to their hold, and are given up after a while.

use std::time::Duration;

use load_engine::testing::{Answer, Peer};
use load_plan::metrics::Timing;
use load_plan::model::Phase;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_tungstenite::accept_async;
use tokio_tungstenite::tungstenite::Message;

use crate::support::{Profile, counts, faults, is_hold, run};

#[test]
fn late_answers_belong_to_the_hold_in_which_their_messages_were_due() {
    let latency = Duration::from_millis(1_500);
    let peer = Peer::answering_after(latency, |_, message, _| Answer::Right(message));
    let stages = "[[stage]]\nconnections = 3\nhold = \"1s\"\npace = { closed = { depth = 1 } }";
    let run = run(Profile { stages, ..Profile::default() }, &peer);
    assert_eq!(counts(&run).errors(), 0);
    let timed = |stage, timing| {
        let sum = run.sum(|at| at.stage == stage && at.phase == Phase::Hold);
        sum.timing(timing).count
    };
    assert!((290..=300).contains(&timed(0, Timing::RttIntended)));
    assert_eq!(timed(0, Timing::RttService), timed(0, Timing::RttIntended));
    // The closed loop has no intended times and sends nothing before the answers of the first stage are there.
    assert_eq!(timed(1, Timing::RttIntended), 0);
    // Late answers do not stretch the hold.
    assert!(run.length(|at| at.stage == 0) < Duration::from_millis(1_100));
}

#[test]
fn a_message_unanswered_for_ten_timeouts_is_given_up_during_the_hold() {
    let peer = Peer::answering(
        |n, message, _| {
            if n == 0 { Answer::Wrong(vec![]) } else { Answer::Right(message) }
        },
    );
    let pace = "{ open = { rate = 10 } }";
    let run = run(Profile { pace, timeout: "100ms", hold: "3s", ..Profile::default() }, &peer);
    let second = |second| run.sum(|at| at.second == second).counts;
    assert_eq!(faults(&run), [("lost", 3)]);
    assert_eq!(second(0).errors() + second(1).errors(), 3);
}

/// Ten messages a second on each of three connections, which are given up after a second.
const PATIENT: Profile<'_> = Profile {
    target: "",
    pace: "{ open = { rate = 10 } }",
    timeout: "100ms",
    traffic: "",
    connections: 3,
    hold: "4s",
    stages: "",
};

#[test]
fn an_answer_after_ten_timeouts_is_lost_and_no_wrong_answer() {
    let peer =
        Peer::answering_after(Duration::from_millis(1_500), |_, message, _| Answer::Right(message));
    let run = run(PATIENT, &peer);
    assert_eq!(faults(&run), [("lost", counts(&run).sent)]);
}

#[test]
fn a_second_or_a_changed_answer_to_a_lost_message_is_a_wrong_answer() {
    let peer = Peer::answering(|n, message, held| match n {
        0 | 1 => {
            held.push(message);
            Answer::Wrong(vec![])
        }
        20 => {
            let first = held[0].clone();
            let changed = Message::binary(held[1].clone().into_data());
            Answer::Many(vec![first.clone(), first, changed, message])
        }
        _ => Answer::Right(message),
    });
    let faults = faults(&run(PATIENT, &peer));
    assert_eq!(faults, [("lost", 6), ("duplicated", 3), ("corrupted", 3)]);
}

#[test]
fn a_wrong_answer_during_the_close_counts_although_a_message_was_lost() {
    // Reads every frame, all shorter than 126 bytes, and answers the one that closes.
    let peer = Peer::raw(|pipe, _| async move {
        let mut socket = accept_async(pipe).await?;
        let mut head = [0; 2];
        while head[0] != 0x88 {
            socket.get_mut().read_exact(&mut head).await?;
            let mut rest = vec![0; usize::from(head[1] & 0x7f) + 4];
            socket.get_mut().read_exact(&mut rest).await?;
        }
        Ok(socket.get_mut().write_all(b"\x81\x04news\x88\x02\x03\xe8").await?)
    });
    let run = run(PATIENT, &peer);
    assert_eq!(faults(&run), [("lost", counts(&run).sent), ("unexpected", 3)]);
}

#[test]
fn the_drain_waits_for_answers_no_longer_than_the_timeout() {
    let peer = Peer::answering(|_, _, _| Answer::Wrong(vec![]));
    let run = run(Profile { timeout: "1s", ..Profile::default() }, &peer);
    assert_eq!(faults(&run), [("lost", counts(&run).sent)]);
    let drain = run.length(|at| at.phase == Phase::Drain);
    assert!((1_000..1_010).contains(&drain.as_millis()), "{drain:?}");
    // A lost message counts in the sum for as long as it was waited for: one to two seconds here.
    let times = run.sum(is_hold).timing(Timing::RttIntended).clone();
    assert_eq!(times.ended(), 0);
    let mean_ms = times.sum_ns / u128::from(times.count) / 1_000_000;
    assert!((1_450..=1_550).contains(&mean_ms), "{mean_ms}");
}
