//! Text is UTF-8 (RFC 3629), in whole messages and across fragments (Autobahn 6).

use crate::rfc6455::{BINARY, FIRST, LAST, MIDDLE, PING, PONG, TEXT, check, frames, row};
use crate::support::frame;

const GREEK: &[u8] = "Hello-µ@ßöäüàá-UTF-8!! κόσμε".as_bytes();

#[test]
fn text_that_is_utf8_comes_back() {
    let texts: [(&str, &[u8]); 22] = [
        ("an empty text", b""),
        ("words of several alphabets", GREEK),
        ("the first character of 1 byte", b"\x00"),
        ("the first character of 2 bytes", b"\xc2\x80"),
        ("the first character of 3 bytes", b"\xe0\xa0\x80"),
        ("the first character of 4 bytes", b"\xf0\x90\x80\x80"),
        ("the last character of 1 byte", b"\x7f"),
        ("the last character of 2 bytes", b"\xdf\xbf"),
        ("the last character of 3 bytes", b"\xef\xbf\xbf"),
        ("U+10FFFF", b"\xf4\x8f\xbf\xbf"),
        ("the character before the surrogates", b"\xed\x9f\xbf"),
        ("the character behind the surrogates", b"\xee\x80\x80"),
        ("the replacement character", b"\xef\xbf\xbd"),
        ("a byte order mark", b"\xef\xbb\xbf"),
        ("U+FFFE, no character", b"\xef\xbf\xbe"),
        ("U+FFFF, no character", b"\xef\xbf\xbf"),
        ("U+FDD0, no character", b"\xef\xb7\x90"),
        ("U+1FFFE, no character", b"\xf0\x9f\xbf\xbe"),
        ("U+1FFFF, no character", b"\xf0\x9f\xbf\xbf"),
        ("U+2FFFE, no character", b"\xf0\xaf\xbf\xbe"),
        ("U+10FFFE, no character", b"\xf4\x8f\xbf\xbe"),
        ("U+10FFFF behind a letter", b"a\xf4\x8f\xbf\xbf"),
    ];
    check(
        texts.into_iter().map(|(name, text)| {
            row(format!("§8.1 {name}"), frame(TEXT, text)).back([(TEXT, text)])
        }),
    );
}

#[test]
fn text_that_is_cut_within_a_character_comes_back_whole() {
    let bytewise = |text: &[u8]| {
        let (last, rest) = text.split_last().expect("a text");
        let rest = rest.iter().enumerate();
        let mut sent: Vec<u8> = rest
            .flat_map(|(i, byte)| frame(if i == 0 { FIRST } else { MIDDLE }, &[*byte]))
            .collect();
        sent.extend(frame(LAST, &[*last]));
        sent
    };
    let euro = "€".as_bytes();
    check([
        row("§8.1 a text of one-byte fragments", bytewise(GREEK)).back([(TEXT, GREEK)]),
        row("§8.1 a character in three fragments, and an empty one", {
            frames([(FIRST, &euro[..1]), (MIDDLE, b""), (MIDDLE, &euro[1..2]), (LAST, &euro[2..])])
        })
        .back([(TEXT, euro)]),
        row("§8.1 a ping within a character", {
            frames([(FIRST, &euro[..2]), (PING, b"?"), (LAST, &euro[2..])])
        })
        .back([(PONG, b"?"), (TEXT, euro)]),
    ]);
}

#[test]
fn text_that_is_not_utf8_is_refused_with_1007() {
    let texts: [(&str, &[u8]); 32] = [
        ("a continuation byte alone", b"\x80"),
        ("the last continuation byte alone", b"\xbf"),
        ("two continuation bytes", b"\x80\xbf"),
        ("six continuation bytes", b"\x80\xbf\x80\xbf\x80\xbf"),
        ("all continuation bytes", b"\x80\x81\x8f\x90\x9f\xa0\xaf\xb0\xbf"),
        ("a start of 2 bytes, then a space", b"\xc2\x20"),
        ("a start of 3 bytes, then a space", b"\xe1\x20"),
        ("a start of 4 bytes, then a space", b"\xf1\x20"),
        ("a start of 5 bytes, then a space", b"\xf8\x20"),
        ("a start of 6 bytes, then a space", b"\xfc\x20"),
        ("the last byte of 2 is missing", b"\xdf"),
        ("the last byte of 3 is missing", b"\xe2\x82"),
        ("the last byte of 4 is missing", b"\xf0\x90\x80"),
        ("unfinished characters in a row", b"\xc3\xe2\x82\xf0\x90\x80"),
        ("FE", b"\xfe"),
        ("FF", b"\xff"),
        ("FE FE FF FF", b"\xfe\xfe\xff\xff"),
        ("a slash in 2 bytes", b"\xc0\xaf"),
        ("a slash in 3 bytes", b"\xe0\x80\xaf"),
        ("a slash in 4 bytes", b"\xf0\x80\x80\xaf"),
        ("a slash in 5 bytes", b"\xf8\x80\x80\x80\xaf"),
        ("the longest of 1 byte in 2", b"\xc1\xbf"),
        ("the longest of 2 bytes in 3", b"\xe0\x9f\xbf"),
        ("the longest of 3 bytes in 4", b"\xf0\x8f\xbf\xbf"),
        ("NUL in 2 bytes", b"\xc0\x80"),
        ("NUL in 3 bytes", b"\xe0\x80\x80"),
        ("the first surrogate", b"\xed\xa0\x80"),
        ("the last surrogate", b"\xed\xbf\xbf"),
        ("a pair of surrogates", b"\xed\xa0\x80\xed\xb0\x80"),
        ("U+110000", b"\xf4\x90\x80\x80"),
        ("a character of 5 bytes", b"\xf8\x88\x80\x80\x80"),
        ("a surrogate between words", b"\xce\xba\xe1\xbd\xb9\xed\xa0\x80edited"),
    ];
    check(
        texts
            .into_iter()
            .map(|(name, text)| row(format!("§8.1 {name}"), frame(TEXT, text)).breaks_utf8()),
    );
}

#[test]
fn text_that_is_not_utf8_is_refused_at_the_first_fragment_that_shows_it() {
    check([
        row("§8.1 the first of two fragments", frames([(FIRST, b"\xff"), (LAST, b"")]))
            .breaks_utf8(),
        row("§8.1 the first fragment, and no other comes", frame(FIRST, b"\xce\xba\xed\xa0\x80ed"))
            .breaks_utf8(),
        row("§8.1 a fragment in the middle, and no other comes", {
            frames([(FIRST, GREEK), (MIDDLE, b"\xf4\x90\x80\x80")])
        })
        .breaks_utf8(),
        row("§8.1 a character that the next fragment breaks, and no other comes", {
            frames([(FIRST, b"\xe2\x82"), (MIDDLE, b"\x20")])
        })
        .breaks_utf8(),
        row("§8.1 a character that the last fragment does not end", {
            frames([(FIRST, b"\xe2"), (LAST, b"\x82")])
        })
        .breaks_utf8(),
        row("§8.1 a text that was whole comes back before", {
            frames([(TEXT, GREEK), (TEXT, b"\xff"), (TEXT, b"late")])
        })
        .back([(TEXT, GREEK)])
        .breaks_utf8(),
    ]);
}

#[test]
fn bytes_need_not_be_utf8() {
    check([
        row("§5.6 bytes that are not UTF-8", frame(BINARY, b"\xc3\x28"))
            .back([(BINARY, b"\xc3\x28")]),
        row("§5.6 fragments that are not UTF-8", frames([(0x02, b"\xff"), (LAST, b"\xfe")]))
            .back([(BINARY, b"\xff\xfe")]),
    ]);
}
