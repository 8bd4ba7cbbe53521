//! Holds the answers of a session against RFC 6455.

use crate::frames::{CLOSE, FINAL, Frame, PING, PONG, written};
use crate::model::{End, Expected, expected};

/// What happened to a session beside what its client said.
#[derive(Clone, Copy, Debug, Default)]
pub struct Faults {
    /// The client ended its side early.
    pub ended: bool,
    /// The connection was reset.
    pub reset: bool,
    /// The connection was dropped while it was served.
    pub cancelled: bool,
    /// The server was asked to shut down.
    pub drained: bool,
    /// So much time passed that a limit may have been reached.
    pub late: bool,
}

impl Faults {
    /// Whether answers may be missing or cut.
    fn any(self) -> bool {
        self.ended || self.reset || self.cancelled || self.drained || self.late
    }
}

/// Checks what the server has `written` in a connection whose client upgraded it and then sent `stream`.
///
/// # Panics
///
/// If the answers are not those that RFC 6455 demands.
pub fn verify(stream: &[u8], written: &[u8], limit: usize, faults: Faults) {
    let Expected { echoes, pings, excess, end } = expected(stream, limit);
    let Some(head) = written.windows(4).position(|four| four == b"\r\n\r\n") else {
        assert!(faults.any(), "no answer to the upgrade");
        return;
    };
    let (head, body) = written.split_at(head + 4);
    if head.starts_with(b"HTTP/1.1 503 ") {
        assert!(faults.drained, "refused");
        return;
    }
    if head.starts_with(b"HTTP/1.1 408 ") {
        assert!(faults.late, "refused as late");
        return;
    }
    assert!(head.starts_with(b"HTTP/1.1 101 "), "{}", String::from_utf8_lossy(head));
    let (frames, rest) = self::written(body);
    assert!(rest.is_empty() || faults.any(), "the last frame is cut");
    let closed = frames.iter().position(|frame| frame.first == FINAL | CLOSE);
    let close = closed.map(|at| {
        assert_eq!(at + 1, frames.len(), "something follows the close frame");
        code(&frames[at])
    });
    let refused = excess && close == Some(Some(1008));
    let pong = check_pongs(&frames, &pings);
    // Pings before a close frame or a broken rule may go without a pong (§5.5.2).
    if !faults.any() && !excess && end == End::default() {
        assert_eq!(pong, pings.last().map(Vec::as_slice), "the last ping has no pong");
    }
    let of_client = |frame: &&Frame| frame.first & !FINAL < CLOSE;
    let answers: Vec<&Frame> = frames.iter().filter(of_client).collect();
    assert!(answers.len() <= echoes.len(), "{} answers to {}", answers.len(), echoes.len());
    for (number, (answer, echo)) in answers.iter().zip(&echoes).enumerate() {
        assert!(*answer == echo, "answer {number} is not message {number}");
    }
    if !faults.any() && !refused {
        assert_eq!(
            answers.len(),
            echoes.len(),
            "messages are lost; the session ended with {close:?}"
        );
    }
    check_close(close, &end, faults, excess);
}

/// The code of a close frame, if it has one.
fn code(frame: &Frame) -> Option<u16> {
    frame.payload.first_chunk().map(|code| u16::from_be_bytes(*code))
}

/// Every pong answers a ping, and they come in order. Returns the payload of the last one.
fn check_pongs<'a>(frames: &'a [Frame], pings: &[Vec<u8>]) -> Option<&'a [u8]> {
    let mut open = pings.iter();
    let mut last = None;
    for pong in frames.iter().filter(|frame| frame.first == FINAL | PONG) {
        assert!(open.any(|ping| *ping == pong.payload), "a pong that nothing asked for");
        last = Some(&pong.payload[..]);
    }
    let empty = |frame: &&Frame| frame.first == FINAL | PING && !frame.payload.is_empty();
    assert_eq!(frames.iter().find(empty), None, "a ping of the server has a payload");
    last
}

fn check_close(close: Option<Option<u16>>, end: &End, faults: Faults, excess: bool) {
    let is_due = match (close, end) {
        (Some(Some(1001)), _) if faults.drained => true,
        (Some(Some(1008)), _) if excess => true,
        (None, End::Open(_)) => true,
        (None, _) => faults.any(),
        (Some(code), End::Closed(due)) => code == *due,
        (Some(code), End::Open(due) | End::Broken(due)) => {
            code.is_some_and(|code| due.contains(&code))
        }
    };
    assert!(is_due, "closed with {close:?}, but due is {end:?} with {faults:?}");
}
