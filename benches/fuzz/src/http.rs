//! A connection whose first bytes are arbitrary: requests, an upgrade, or neither.

use server::Config;

use crate::bytes::Bytes;
use crate::frames::written;
use crate::served::Served;

/// Statuses that the server has a reason to answer with.
const STATUSES: [u16; 12] = [101, 200, 400, 401, 403, 404, 405, 408, 426, 431, 503, 505];

/// The length of the pieces in which the bytes arrive, 0 for all at once, and then the bytes.
///
/// # Panics
///
/// If the server does, or if it answers, holds or keeps what it must not.
pub fn http(data: &[u8]) {
    let mut bytes = Bytes(data);
    let settings = bytes.byte();
    let piece = match usize::from(settings & 0x7f) {
        0 => usize::MAX,
        piece => piece,
    };
    let mut served = Served::new(Config::default());
    served.network.state().hesitates = settings & 0x80 != 0;
    while !bytes.is_empty() && served.is_open() {
        served.send(bytes.take(piece));
    }
    served.end();
    let state = served.network.state();
    check(&state.sent, &state.written);
}

/// The server answers with whole responses and, behind a 101, with frames.
fn check(sent: &[u8], mut answers: &[u8]) {
    while !answers.is_empty() {
        let end = answers.windows(4).position(|four| four == b"\r\n\r\n").expect("a whole head");
        let (head, rest) = answers.split_at(end + 4);
        let head = std::str::from_utf8(head).expect("a head of ASCII");
        // The answer to a client of HTTP/1.0 is one as well.
        let status = head.strip_prefix("HTTP/1.1 ").or_else(|| head.strip_prefix("HTTP/1.0 "));
        let status = status.and_then(|line| line.get(..3)?.parse().ok()).expect("a status line");
        assert!(STATUSES.contains(&status), "{head}");
        let field = |name: &str| {
            head.split("\r\n").find_map(|line| {
                let (found, value) = line.split_once(": ")?;
                found.eq_ignore_ascii_case(name).then_some(value)
            })
        };
        if status == 101 {
            assert!(upgrades(sent), "an upgrade that the client did not ask for");
            let (_, cut) = written(rest);
            assert!(cut.is_empty(), "the last frame is cut");
            return;
        }
        assert_eq!(field("transfer-encoding"), None, "{head}");
        let length = field("content-length").map_or(0, |length| length.parse().expect("a number"));
        // A response to HEAD declares a body and has none; no body of ours begins like a response.
        let follows = rest.starts_with(b"HTTP/1.") && rest.get(9).is_some_and(u8::is_ascii_digit);
        let body = if follows || rest.is_empty() { 0 } else { length };
        answers = rest.get(body..).expect("a whole body");
    }
}

fn upgrades(sent: &[u8]) -> bool {
    let sent = sent.to_ascii_lowercase();
    let has = |words: &[u8]| sent.windows(words.len()).any(|window| window == words);
    has(b"sec-websocket-key") && has(b"sec-websocket-version") && has(b"websocket") && has(b"/ws/")
}
