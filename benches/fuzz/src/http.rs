//! A connection whose first bytes are arbitrary: requests, an upgrade, or neither.

use server::Config;

use crate::bytes::Bytes;
use crate::frames::written;
use crate::served::Served;

/// Statuses that the server has a reason to answer with: by default it wants no token, and time stands still.
const STATUSES: [u16; 9] = [101, 200, 400, 403, 404, 405, 426, 431, 505];

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
    let hesitates = settings & 0x80 != 0;
    served.network.state().hesitates = hesitates;
    while !bytes.is_empty() && served.is_open() {
        served.send(bytes.take(piece));
    }
    served.end();
    let state = served.network.state();
    if !(hesitates && state.written.is_empty() && is_dropped_by_hyper(&state.sent)) {
        check(&state.sent, &state.written);
    }
}

/// Whether hyper may drop an answer that waits for the peer: behind an upgrade with a body that is malformed, or not read,
/// it gives the connection back without a flush. An answer that need not wait is written.
fn is_dropped_by_hyper(sent: &[u8]) -> bool {
    let sent = sent.to_ascii_lowercase();
    let has_body = count(&sent, b"transfer-encoding:") + count(&sent, b"content-length:") > 0;
    count(&sent, b"upgrade:") > 0 && has_body
}

/// The server answers a whole head, and answers with whole responses and, behind a 101, with frames.
fn check(sent: &[u8], mut answers: &[u8]) {
    assert!(!answers.is_empty() || !has_head(sent), "no answer");
    let mut without_body = count(sent, b"HEAD ");
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
        let lacks_body = length > 0 && (follows || rest.is_empty());
        if lacks_body {
            assert!(without_body > 0, "a response lacks its body:\n{head}");
            without_body -= 1;
        }
        let body = if lacks_body { 0 } else { length };
        answers = rest.get(body..).expect("a whole body");
    }
}

/// Whether there is an empty line behind other lines, which ends every head, be it a valid one. hyper skips empty lines
/// before a request, and takes a line that ends without a carriage return.
fn has_head(mut sent: &[u8]) -> bool {
    while let Some(rest) = sent.strip_prefix(b"\r\n").or_else(|| sent.strip_prefix(b"\n")) {
        sent = rest;
    }
    count(sent, b"\n\r\n") + count(sent, b"\n\n") > 0
}

fn upgrades(sent: &[u8]) -> bool {
    let sent = sent.to_ascii_lowercase();
    let has = |words: &[u8]| count(&sent, words) > 0;
    has(b"sec-websocket-key") && has(b"sec-websocket-version") && has(b"websocket") && has(b"/ws/")
}

fn count(bytes: &[u8], words: &[u8]) -> usize {
    bytes.windows(words.len()).filter(|window| *window == words).count()
}

#[cfg(test)]
mod tests {
    use super::{check, has_head};

    const FOUND: &str = "HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\n";
    const GET: &str = "GET / HTTP/1.1\r\n\r\n";
    const HEAD: &str = "HEAD / HTTP/1.1\r\n\r\n";

    fn is_due(sent: &str, answers: &str) -> bool {
        std::panic::catch_unwind(|| check(sent.as_bytes(), answers.as_bytes())).is_ok()
    }

    #[test]
    fn a_whole_head_must_be_answered() {
        assert!(is_due(GET, &format!("{FOUND}ok\n")));
        assert!(!is_due(GET, ""));
        assert!(is_due(GET.trim_end(), ""));
        assert!(is_due("\r\n\r\n", ""));
    }

    #[test]
    fn a_head_ends_with_an_empty_line_behind_others() {
        for whole in [GET, "\r\n\n\r\n?\r\n\r\n", "GET / HTTP/1.1\n\n", "a\n\r\n"] {
            assert!(has_head(whole.as_bytes()), "{whole:?}");
        }
        for cut in ["", "\r\n\r\n", "\n\n\n", "GET / HTTP/1.1\r\nHost: a\r\n", "\r\n\r\na\r\n\r"] {
            assert!(!has_head(cut.as_bytes()), "{cut:?}");
        }
    }

    #[test]
    fn only_answers_to_head_lack_their_bodies() {
        assert!(!is_due(GET, FOUND));
        assert!(!is_due(&GET.repeat(2), &format!("{FOUND}{FOUND}ok\n")));
        assert!(is_due(HEAD, FOUND));
        assert!(is_due(&format!("{GET}{HEAD}"), &format!("{FOUND}ok\n{FOUND}")));
        assert!(!is_due(&format!("{GET}{HEAD}"), &FOUND.repeat(2)));
    }

    #[test]
    fn a_status_that_the_settings_rule_out_is_refused() {
        for status in [401, 500, 503] {
            let answer = format!("HTTP/1.1 {status} \r\ncontent-length: 0\r\n\r\n");
            assert!(!is_due(GET, &answer), "{status}");
        }
    }
}
