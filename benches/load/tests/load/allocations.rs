//! The target's allocations, from a target in memory that shows them on `/metrics`, or stops to.

use std::cell::Cell;
use std::io::Cursor;
use std::rc::Rc;
use std::time::Duration;

use futures::{SinkExt, StreamExt};
use load::validator::{Assessment, RunVerdict, validate};
use load_engine::testing::{Load, Peer, Pipe};
use load_plan::model::Run;
use tokio::io::{AsyncReadExt, AsyncWriteExt, join, split};
use tokio::time::Instant;
use tokio_tungstenite::accept_async;
use tokio_tungstenite::tungstenite::Error;

use crate::profile::Profile;

/// WebSockets before the load: one that checks the address, and those of the probe.
const BEFORE: u64 = 1 + CONNECTIONS;

const CONNECTIONS: u64 = 3;

/// Longer than the slack of a comparison of two uptimes.
const HOLD: &str = "10s";

/// What `/metrics` shows.
#[derive(Clone, Copy)]
struct Shown {
    status: &'static str,
    uptime: Duration,
    total: u64,
    live: u64,
}

impl Shown {
    fn answer(self) -> String {
        let Self { status, uptime, total, live } = self;
        format!(
            "HTTP/1.1 {status}\r\nConnection: close\r\n\r\nuptime_seconds {}\n\
             ws_sessions_open{{route=\"echo\"}} 0\nallocated_blocks_total {total}\n\
             allocated_bytes_total {total}\nlive_blocks {live}\nlive_bytes {live}\n",
            uptime.as_secs_f64()
        )
    }
}

/// A target that keeps a block of every message. `change` changes what it shows, given how often it was asked after the
/// first connection of the load.
fn leaking(change: impl Fn(&mut Shown, u64) + 'static) -> Peer {
    leaking_for("", change)
}

/// [`leaking`] for requests that contain `credentials`, in lower case; others get 401.
fn leaking_for(credentials: &'static str, change: impl Fn(&mut Shown, u64) + 'static) -> Peer {
    let (sockets, messages, asked) = <(Rc<Cell<u64>>, Rc<Cell<u64>>, Rc<Cell<u64>>)>::default();
    let (change, started) = (Rc::new(change), Rc::new(Cell::new(None)));
    Peer::raw(move |pipe, _| {
        let (sockets, messages, asked) = (sockets.clone(), messages.clone(), asked.clone());
        let (change, started) = (Rc::clone(&change), Rc::clone(&started));
        async move {
            let since = started.get().unwrap_or_else(Instant::now);
            started.set(Some(since));
            let (head, mut pipe) = head(pipe).await?;
            if !head.to_lowercase().contains(credentials) {
                pipe.write_all(b"HTTP/1.1 401 Unauthorized\r\nConnection: close\r\n\r\n").await?;
                return Ok(());
            }
            if head.starts_with("GET /metrics") {
                asked.set(asked.get() + u64::from(sockets.get() > BEFORE));
                let kept = messages.get();
                let (total, uptime) = (2 * kept, since.elapsed());
                let mut shown = Shown { status: "200 OK", uptime, total, live: kept };
                change(&mut shown, asked.get());
                pipe.write_all(shown.answer().as_bytes()).await?;
                return Ok(());
            }
            sockets.set(sockets.get() + 1);
            let (read, write) = split(pipe);
            let mut socket = accept_async(join(Cursor::new(head).chain(read), write)).await?;
            while let Some(message) = socket.next().await {
                let message = message?;
                if message.is_text() {
                    messages.set(messages.get() + 1);
                    socket.send(message).await?;
                }
            }
            Ok(())
        }
    })
}

/// The head of a request, and the stream behind it.
async fn head(mut pipe: Pipe) -> Result<(String, Pipe), Error> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(pipe.read_u8().await?);
    }
    Ok((String::from_utf8(head).expect("a request is ASCII"), pipe))
}

fn judge(peer: &Peer, thresholds: &str) -> (Run, Assessment) {
    judge_with("", peer, thresholds)
}

/// [`judge`] with more lines of the profile's `[target]`.
fn judge_with(target: &str, peer: &Peer, thresholds: &str) -> (Run, Assessment) {
    let connections = CONNECTIONS as u32;
    let profile = Profile { target, connections, hold: HOLD, thresholds, ..Profile::default() };
    let run = Load::new(&profile.to_string()).run(peer).expect("the peer is there");
    let assessment = validate(&run);
    (run, assessment)
}

const PRESET: &str = "preset = \"enterprise\"";

#[track_caller]
fn check_unknown(change: impl Fn(&mut Shown, u64) + Copy + 'static, why: &str) {
    for thresholds in [PRESET, "remaining_allocations = \"== 0\""] {
        let (_, assessment) = judge(&leaking(change), thresholds);
        assert_eq!(assessment.verdict, RunVerdict::Invalid, "{:?}", assessment.notices);
        assert!(assessment.reasons[0].contains(why), "{:?}", assessment.reasons);
    }
    // Another limit that is violated is still a failure.
    let both = "remaining_allocations = \"== 0\"\nlatency_p50 = \"< 1us\"";
    let (_, assessment) = judge(&leaking(change), both);
    assert_eq!(assessment.verdict, RunVerdict::Fail, "{:?}", assessment.reasons);
    assert!(assessment.notices.iter().any(|notice| notice.contains(why)));
}

#[test]
fn a_leak_that_is_shown_after_the_load_is_a_failure() {
    let (run, assessment) = judge(&leaking(|_, _| {}), PRESET);
    assert_eq!(assessment.verdict, RunVerdict::Fail);
    let sent = run.sum(|_| true).counts.sent as i64;
    assert_eq!(run.allocations.map(|heap| heap.remaining_blocks), Some(sent));
}

#[test]
fn the_allocations_of_a_target_that_wants_a_token_are_judged() {
    let peer = leaking_for("authorization: bearer ws-load\r\n", |_, _| {});
    // cargo sets it for every test.
    let (run, assessment) = judge_with("bearer_env = \"CARGO_PKG_NAME\"", &peer, PRESET);
    assert_eq!(assessment.verdict, RunVerdict::Fail, "{:?}", assessment.reasons);
    assert!(run.allocations.is_some_and(|heap| heap.remaining_blocks > 0));
}

#[test]
fn a_target_that_shows_its_allocations_before_the_load_only_never_passes() {
    let gone = |shown: &mut Shown, asked| {
        if asked > 0 {
            shown.status = "503 Service Unavailable";
        }
    };
    check_unknown(gone, "503 Service Unavailable");
}

#[test]
fn a_look_at_the_metrics_that_fails_is_repeated() {
    let flaky = |shown: &mut Shown, asked| {
        if asked == 1 {
            shown.status = "500 Internal Server Error";
        }
    };
    let (run, assessment) = judge(&leaking(flaky), PRESET);
    assert_eq!(assessment.verdict, RunVerdict::Fail);
    assert!(run.allocations.is_some_and(|heap| heap.remaining_blocks > 0));
}

#[test]
fn a_target_that_is_started_again_during_the_load_does_not_hide_its_leak() {
    let restarted = |shown: &mut Shown, asked| {
        if asked > 0 {
            *shown = Shown { uptime: Duration::from_millis(1), total: 1 << 30, live: 0, ..*shown };
        }
    };
    check_unknown(restarted, "started again");
}
