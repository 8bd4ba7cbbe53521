//! The closing handshake that a client begins (Autobahn 7).

use crate::rfc6455::{CLOSE, FIRST, LAST, PING, TEXT, check, frames, row};
use crate::support::frame;

fn payload(code: u16, reason: &[u8]) -> Vec<u8> {
    [&code.to_be_bytes(), reason].concat()
}

#[test]
fn a_close_code_that_may_be_sent_is_echoed() {
    // The second number is the code that is counted, 0 for one that is not counted by itself.
    let codes = [
        (1000, 1000),
        (1001, 1001),
        (1002, 1002),
        (1003, 1003),
        (1007, 1007),
        (1008, 1008),
        (1009, 1009),
        (1010, 0),
        (1011, 1011),
        (1012, 0),
        (1013, 1013),
        (3000, 0),
        (3999, 0),
        (4000, 0),
        (4999, 0),
    ];
    check(codes.into_iter().flat_map(|(code, counted)| {
        let (bare, reason) = (payload(code, b""), payload(code, "done €".as_bytes()));
        [
            row(format!("§7.4.1 {code}"), frame(CLOSE, &bare)).answered(&bare, counted),
            row(format!("§7.4.1 {code} with a reason"), frame(CLOSE, &reason))
                .answered(&reason, counted),
        ]
    }));
}

#[test]
fn a_close_code_that_must_not_be_sent_is_answered_with_1002() {
    let codes = [0, 1, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65_535];
    check(codes.into_iter().map(|code| {
        row(format!("§7.4.2 {code}"), frame(CLOSE, &payload(code, b"")))
            .answered(&payload(1002, b"Protocol violation"), 1002)
    }));
}

#[test]
fn a_close_frame_of_any_length_is_answered() {
    let longest = payload(1000, &[b'*'; 123]);
    check([
        row("§5.5.1 a close frame without a code", frame(CLOSE, b"")).answered(b"", 1005),
        row("§5.5.1 a close frame with the longest reason", frame(CLOSE, &longest))
            .answered(&longest, 1000),
        row("§5.5.1 a close frame of one byte", frame(CLOSE, &[3])).violates(),
        row("§5.5 a close frame of 126 bytes", frame(CLOSE, &payload(1000, &[b'*'; 124])))
            .violates(),
        row("§5.5.1 a reason that is not UTF-8", frame(CLOSE, &payload(1000, b"\xce\xba\xed\xa0")))
            .breaks_utf8(),
    ]);
}

#[test]
fn what_comes_behind_a_close_frame_is_ignored() {
    let ok = payload(1000, b"");
    check([
        row("§5.5.1 a text before", frames([(TEXT, b"last words"), (CLOSE, &ok)]))
            .back([(TEXT, b"last words")])
            .answered(&ok, 1000),
        row("§5.5.1 a second close frame", frames([(CLOSE, &ok), (CLOSE, &payload(1001, b""))]))
            .answered(&ok, 1000),
        row("§5.5.1 a ping behind", frames([(CLOSE, &ok), (PING, b"?")])).answered(&ok, 1000),
        row("§5.5.1 a text behind", frames([(CLOSE, &ok), (TEXT, b"late")])).answered(&ok, 1000),
        row("§5.5.1 the last fragment behind", {
            frames([(FIRST, b"one"), (CLOSE, &ok), (LAST, b"two")])
        })
        .answered(&ok, 1000),
    ]);
}
