//! Frames: lengths, reserved bits, opcodes, masks, pings and pongs (Autobahn 1 to 4).

use crate::rfc6455::{BINARY, CLOSE, PING, PONG, TEXT, check, frames, row};
use crate::support::frame;

/// Longest message with the default configuration.
const LONGEST: usize = 64 * 1024;

/// Around 126 and 65 536, from which on the length takes two and eight bytes more.
const LENGTHS: [usize; 8] = [0, 1, 125, 126, 127, 128, 65_535, LONGEST];

#[test]
fn a_message_of_any_length_comes_back_as_it_was() {
    check(LENGTHS.into_iter().flat_map(|length| {
        let (text, binary) = (vec![b'*'; length], vec![0xfe; length]);
        [
            row(format!("§5.6 a text of {length} bytes"), frame(TEXT, &text)).back([(TEXT, &text)]),
            row(format!("§5.6 {length} bytes of any kind"), frame(BINARY, &binary))
                .back([(BINARY, &binary)]),
        ]
    }));
}

#[test]
fn a_message_over_the_limit_is_refused_with_1009() {
    let header = |length: u64| [&[BINARY, 0xff][..], &length.to_be_bytes(), &[0; 4]].concat();
    check([
        row("§7.4.1 one byte over the limit", frame(BINARY, &vec![0; LONGEST + 1])).exceeds(),
        row("§7.4.1 a gigabyte is declared", header(1 << 30)).exceeds(),
        row("§7.4.1 2^62 bytes are declared", header(1 << 62)).exceeds(),
        row("§7.4.1 two fragments of 40 KiB", {
            let half = vec![0; 40 * 1024];
            frames([(0x02, &half), (0x80, &half)])
        })
        .exceeds(),
    ]);
}

#[test]
fn a_ping_is_answered_with_its_payload() {
    let ping = |name: &str, payload: &[u8]| {
        row(format!("§5.5.2 a ping with {name}"), frame(PING, payload)).back([(PONG, payload)])
    };
    let ten: Vec<Vec<u8>> = (0..10).map(|i| format!("payload-{i}").into_bytes()).collect();
    let pings: Vec<u8> = ten.iter().flat_map(|payload| frame(PING, payload)).collect();
    let pongs: [(u8, &[u8]); 10] = std::array::from_fn(|i| (PONG, &ten[i][..]));
    check([
        ping("no payload", b""),
        ping("text", b"Hello, world!"),
        ping("bytes that are not UTF-8", b"\x00\xff\xfe\xfd\xfc\xfb\x00\xff"),
        ping("124 bytes", &[0xfe; 124]),
        ping("125 bytes", &[0xfe; 125]),
        row("§5.5.3 ten pings", pings).back(pongs),
    ]);
}

#[test]
fn a_pong_that_nothing_asked_for_is_ignored() {
    check([
        row("§5.5.3 a pong without a payload", frame(PONG, b"")),
        row("§5.5.3 a pong with a payload", frame(PONG, b"unasked")),
        row("§5.5.3 a pong before a ping", frames([(PONG, b"unasked"), (PING, b"asked")]))
            .back([(PONG, b"asked")]),
        row("§5.5.3 a pong before a text", frames([(PONG, b"unasked"), (TEXT, b"next")]))
            .back([(TEXT, b"next")]),
    ]);
}

#[test]
fn a_long_or_fragmented_control_frame_is_refused_with_1002() {
    check((0x8..=0xa).flat_map(|opcode| {
        [
            row(format!("§5.5 {opcode:#x} of 126 bytes"), frame(0x80 | opcode, &[b'x'; 126])),
            row(format!("§5.5 {opcode:#x} of 65 536 bytes"), frame(0x80 | opcode, &[0; 65_536])),
            row(format!("§5.4 {opcode:#x} is not final"), frame(opcode, b"")),
        ]
        .map(|row| row.violates())
    }));
}

#[test]
fn a_reserved_bit_is_refused_with_1002() {
    let text = frame(TEXT, b"before");
    check((1..8_u8).flat_map(|bits| {
        let bits = bits << 4;
        let bad = [TEXT, BINARY, CLOSE, PING, PONG, 0x01, 0x02].map(|first| {
            let name = format!("§5.2 reserved bits {bits:#x} in {first:#x}");
            row(name, frame(first | bits, b"")).violates()
        });
        let name = format!("§5.2 reserved bits {bits:#x} behind a text");
        let behind = [&text[..], &frame(TEXT | bits, b"no"), &frame(PING, b"")].concat();
        bad.into_iter().chain([row(name, behind).back([(TEXT, b"before")]).violates()])
    }));
}

#[test]
fn a_reserved_opcode_is_refused_with_1002() {
    check((0x3..=0x7).chain(0xb..=0xf).flat_map(|opcode| {
        let name = |case| format!("§5.2 opcode {opcode:#x} {case}");
        let behind = [frame(TEXT, b"one"), frame(0x80 | opcode, b"no"), frame(PING, b"")].concat();
        [
            row(name("without a payload"), frame(0x80 | opcode, b"")).violates(),
            row(name("with a payload"), frame(0x80 | opcode, b"no")).violates(),
            row(name("behind a text"), behind).back([(TEXT, b"one")]).violates(),
        ]
    }));
}

#[test]
fn a_frame_without_a_mask_is_refused_with_1002() {
    check([
        row("§5.1 a text without a mask", vec![TEXT, 2, b'n', b'o']).violates(),
        row("§5.1 an empty text without a mask", vec![TEXT, 0]).violates(),
        row("§5.1 a ping without a mask", vec![PING, 0]).violates(),
        row("§5.1 a close frame without a mask", vec![CLOSE, 2, 3, 0xe8]).violates(),
    ]);
}
