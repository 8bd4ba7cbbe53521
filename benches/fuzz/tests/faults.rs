//! Faults of a network, in virtual time. The server's stream is the test's own, not a simulated host's: the server is
//! generic over its stream and takes its clock from the test, so that every byte, every full buffer and every limit is in
//! the test's hand. Reordering and loss are TCP's business, below the stream.

use std::time::Duration;

use fuzz_targets::frames::{
    BINARY, CLOSE, CONTINUATION, FINAL, PING, PONG, TEXT, frame, upgrade, written,
};
use fuzz_targets::served::Served;
use fuzz_targets::verify::{Faults, verify};
use server::Config;
use server::stats::ErrorKind;

const INSTANT: Duration = Duration::from_nanos(1);

/// Silence until a ping, and then until the end.
const SILENCE: Duration = Duration::from_secs(25 + 10);

/// The longest that a peer is waited for in a handshake or a write.
const STALL: Duration = Duration::from_secs(5);

/// Every kind of frame, and a close frame.
fn stream() -> Vec<u8> {
    [
        frame(FINAL | TEXT, "Tiefgang 4,5 m".as_bytes()),
        frame(TEXT, &"€".as_bytes()[..2]),
        frame(FINAL | PING, b"?"),
        frame(FINAL | CONTINUATION, &"€".as_bytes()[2..]),
        frame(FINAL | BINARY, &[0xfe; 130]),
        frame(FINAL | CLOSE, &1000_u16.to_be_bytes()),
    ]
    .concat()
}

fn upgraded() -> Served {
    let mut served = Served::new(Config::default());
    served.send(upgrade("/ws/echo").as_bytes());
    served
}

fn errors(served: &Served, kind: ErrorKind) -> u64 {
    served.context().stats().counters().errors[kind as usize]
}

/// The messages that came back whole.
fn echoes(served: &Served) -> usize {
    let state = served.network.state();
    let head = state.written.windows(4).position(|four| four == b"\r\n\r\n").expect("a head") + 4;
    let (frames, _) = written(&state.written[head..]);
    frames.iter().filter(|frame| frame.first & !FINAL < CLOSE).count()
}

/// Lets the first `cut` bytes of the stream arrive, then `fault` happen; the connection must end by `within`.
fn check_cut(cut: usize, within: Duration, fault: impl Fn(&mut Served)) {
    let mut served = upgraded();
    let stream = stream();
    served.send(&stream[..cut]);
    fault(&mut served);
    let mut waited = Duration::ZERO;
    while served.is_open() {
        assert!(waited < within, "cut at {cut}: still open after {waited:?}");
        waited += Duration::from_secs(1);
        served.advance(Duration::from_secs(1));
    }
    served.end();
    let faults = Faults { ended: true, ..Faults::default() };
    let state = served.network.state();
    verify(&stream[..cut], &state.written, Config::default().max_message, faults);
}

#[test]
fn a_partition_at_any_byte_ends_within_the_limit_of_silence() {
    for cut in 0..=stream().len() {
        // Nothing comes any more, and what the server writes stays in its own buffers.
        check_cut(cut, SILENCE, |_| {});
        // They are full.
        check_cut(cut, SILENCE, |served| served.change(|state| state.room = 0));
    }
}

#[test]
fn a_reset_or_an_end_at_any_byte_ends_the_connection_at_once() {
    for cut in 0..=stream().len() {
        check_cut(cut, Duration::ZERO, |served| served.change(|state| state.reset = true));
        check_cut(cut, Duration::ZERO, |served| served.change(|state| state.ended = true));
    }
}

#[test]
fn a_partition_that_heals_in_time_loses_nothing() {
    let stream = stream();
    for cut in 0..stream.len() {
        let mut served = upgraded();
        served.send(&stream[..cut]);
        served.advance(Duration::from_secs(20));
        served.send(&stream[cut..]);
        served.end();
        let state = served.network.state();
        verify(&stream, &state.written, Config::default().max_message, Faults::default());
    }
}

#[test]
fn a_stream_that_is_delayed_byte_by_byte_loses_nothing() {
    let mut served = upgraded();
    let stream = stream();
    for byte in &stream {
        served.send(&[*byte]);
        served.advance(Duration::from_millis(90));
    }
    served.end();
    let state = served.network.state();
    verify(&stream, &state.written, Config::default().max_message, Faults::default());
}

#[test]
fn a_half_open_peer_is_dropped_when_it_owes_a_pong_and_not_before() {
    let mut served = upgraded();
    served.send(&frame(FINAL | TEXT, b"the last that is heard"));
    served.advance(Duration::from_secs(25));
    served.advance(Duration::from_secs(10) - INSTANT);
    assert!(served.is_open());
    served.advance(INSTANT);
    assert!(!served.is_open(), "it owes the pong since 10 s");
    assert_eq!(errors(&served, ErrorKind::Silent), 1);
    assert_eq!(echoes(&served), 1);
    served.end();
}

#[test]
fn a_reset_in_the_middle_of_a_flush_counts_only_whole_answers_as_sent() {
    let message = frame(FINAL | BINARY, &[7; 1000]);
    for room in [0, 1, 500, 1004, 2500, 4016] {
        let mut served = upgraded();
        served.change(|state| state.room = room);
        (0..4).for_each(|_| served.send(&message));
        served.change(|state| state.reset = true);
        assert!(!served.is_open());
        let counters = served.context().stats().counters();
        assert!(counters.messages_out as usize <= echoes(&served), "{room}: {counters:?}");
        assert_eq!(errors(&served, ErrorKind::Reset), 1);
        served.end();
    }
}

#[test]
fn what_was_read_before_a_drain_is_answered_before_1001() {
    let mut served = upgraded();
    served.change(|state| state.room = 10);
    let messages: Vec<u8> = (0..20).flat_map(|i| frame(FINAL | BINARY, &[i; 100])).collect();
    served.send(&messages);
    served.drain();
    // The peer reads again, a little at a time, within its limit.
    for _ in 0..20 {
        served.change(|state| state.room += 150);
        served.advance(Duration::from_millis(50));
    }
    served.end();
    let counters = served.context().stats().counters();
    assert_eq!((counters.messages_in, counters.messages_out), (20, 20));
    let faults = Faults { drained: true, ..Faults::default() };
    let state = served.network.state();
    verify(&messages, &state.written, Config::default().max_message, faults);
    drop(state);
    assert_eq!(echoes(&served), 20);
}

/// Lets messages arrive together, and a drain while the peer takes only `room` bytes. Then it takes everything.
fn check_drain(messages: u8, length: usize, room: usize) {
    let mut served = upgraded();
    served.change(|state| state.room = room);
    let sent: Vec<u8> =
        (0..messages).flat_map(|i| frame(FINAL | BINARY, &vec![i; length])).collect();
    served.network.change(|state| {
        state.sent.extend_from_slice(&sent);
        state.arrived = state.sent.len();
    });
    served.drain();
    served.change(|state| state.room = usize::MAX);
    served.end();
    let counters = served.context().stats().counters();
    let messages = u64::from(messages);
    assert_eq!((counters.messages_in, counters.messages_out), (messages, messages));
    assert_eq!(echoes(&served) as u64, messages);
}

#[test]
fn what_was_read_is_answered_though_a_drain_comes_between_two_turns() {
    // One read takes all of them, and a turn has fewer.
    check_drain(100, 70, usize::MAX);
}

#[test]
fn what_was_read_is_answered_though_a_drain_comes_while_a_write_waits() {
    // Two reads take all of them, and the server holds answers for less.
    check_drain(16, 1000, 10);
}

#[test]
fn a_request_that_a_partition_cuts_is_dropped_after_5_s() {
    let request = upgrade("/ws/echo");
    for cut in [0, 1, 20, request.len() - 1] {
        let mut served = Served::new(Config::default());
        served.send(&request.as_bytes()[..cut]);
        served.advance(STALL - INSTANT);
        assert!(served.is_open(), "cut at {cut}");
        served.advance(INSTANT);
        assert!(!served.is_open(), "cut at {cut}");
        served.end();
    }
}

#[test]
fn an_answer_to_a_close_frame_that_stalls_is_finished_though_the_client_goes_on() {
    let close = frame(FINAL | CLOSE, b"\x03\xe8bye");
    for path in ["/ws/echo", "/ws/dashboard"] {
        let mut served = Served::new(Config::default());
        served.send(upgrade(path).as_bytes());
        let head = served.network.state().written.len();
        served.change(|state| state.room = 1);
        served.send(&close);
        served.send(&frame(FINAL | PING, b"behind the close frame"));
        served.change(|state| state.room = usize::MAX);
        let counters = served.context().stats().counters();
        assert_eq!(served.network.state().written[head..], *b"\x88\x05\x03\xe8bye", "{path}");
        assert_eq!(errors(&served, ErrorKind::Protocol), 0, "{path}: {counters:?}");
        served.end();
    }
}

/// Whether `verify` takes a session whose client sends two pings and ends, and whose server answers with `pongs`.
fn are_enough(pongs: &[&[u8]]) -> bool {
    let stream = [frame(FINAL | PING, b"first"), frame(FINAL | PING, b"last")].concat();
    let mut written = b"HTTP/1.1 101 Switching Protocols\r\n\r\n".to_vec();
    for pong in pongs {
        written.extend([FINAL | PONG, pong.len() as u8]);
        written.extend_from_slice(pong);
    }
    let limit = Config::default().max_message;
    std::panic::catch_unwind(|| verify(&stream, &written, limit, Faults::default())).is_ok()
}

#[test]
fn the_last_ping_must_be_answered_and_those_before_it_may_be() {
    assert!(are_enough(&[b"first", b"last"]));
    assert!(are_enough(&[b"last"]));
    assert!(!are_enough(&[]));
    assert!(!are_enough(&[b"first"]));
}
