//! Fragments (Autobahn 5 and 10).

use crate::rfc6455::{
    BINARY, CLOSE, FIRST, LAST, MIDDLE, PING, PONG, Row, TEXT, check, frames, row,
};
use crate::support::frame;

#[test]
fn fragments_come_back_as_one_message() {
    let mebibyte_quarter = vec![b'*'; 64 * 1024];
    let pieces: Vec<&[u8]> = mebibyte_quarter.chunks(1300).collect();
    let last = pieces.len() - 1;
    let automatic = pieces.iter().enumerate().flat_map(|(i, piece)| {
        let opcode = if i == 0 { FIRST } else { MIDDLE };
        frame(if i == last { LAST | opcode } else { opcode }, piece)
    });
    check([
        row("§5.4 two fragments", frames([(FIRST, b"frag1"), (LAST, b"frag2")]))
            .back([(TEXT, b"frag1frag2")]),
        row("§5.4 two fragments of bytes", frames([(0x02, &[1; 300]), (LAST, &[2; 300])]))
            .back([(BINARY, &[[1; 300], [2; 300]].concat())]),
        row("§5.4 empty fragments alone", frames([(FIRST, b""), (MIDDLE, b""), (LAST, b"")]))
            .back([(TEXT, b"")]),
        row("§5.4 one fragment that is not empty", {
            frames([(FIRST, b""), (MIDDLE, b"middle"), (LAST, b"")])
        })
        .back([(TEXT, b"middle")]),
        row("§5.4 two fragmented messages", {
            frames([(FIRST, b"a"), (LAST, b"b"), (FIRST, b"c"), (LAST, b"d")])
        })
        .back([(TEXT, b"ab"), (TEXT, b"cd")]),
        row("§5.4 fragments of 1300 bytes", automatic.collect()).back([(TEXT, &mebibyte_quarter)]),
    ]);
}

#[test]
fn a_control_frame_between_fragments_is_answered_first() {
    check([
        row("§5.4 a ping between two fragments", {
            frames([(FIRST, b"be"), (PING, b"?"), (LAST, b"low")])
        })
        .back([(PONG, b"?"), (TEXT, b"below")]),
        row("§5.4 pings between five fragments", {
            frames([
                (FIRST, b"1"),
                (MIDDLE, b"2"),
                (PING, b"first"),
                (MIDDLE, b"3"),
                (MIDDLE, b"4"),
                (PING, b"second"),
                (LAST, b"5"),
            ])
        })
        .back([(PONG, b"first"), (PONG, b"second"), (TEXT, b"12345")]),
        row("§5.4 a pong between two fragments", {
            frames([(FIRST, b"be"), (PONG, b"!"), (LAST, b"low")])
        })
        .back([(TEXT, b"below")]),
        row("§5.5.1 a close frame between two fragments", {
            frames([(FIRST, b"be"), (CLOSE, b"\x03\xe8"), (LAST, b"low")])
        })
        .answered(b"\x03\xe8", 1000),
    ]);
}

#[test]
fn a_continuation_of_nothing_is_refused_with_1002() {
    let cases: [(&str, Vec<u8>); 4] = [
        ("the last fragment of nothing", frame(LAST, b"of what?")),
        ("a fragment of nothing", frame(MIDDLE, b"of what?")),
        ("an empty fragment of nothing", frame(MIDDLE, b"")),
        ("a fragment of nothing, then a text", frames([(MIDDLE, b"?"), (TEXT, b"text")])),
    ];
    let behind = |name: &str, sent: Vec<u8>, text: &[u8]| -> Row {
        row(name, sent).back([(TEXT, text)]).violates()
    };
    check(
        cases.into_iter().map(|(name, sent)| row(format!("§5.4 {name}"), sent).violates()).chain([
            behind(
                "§5.4 a fragment behind a text",
                frames([(TEXT, b"text"), (LAST, b"?")]),
                b"text",
            ),
            behind(
                "§5.4 a fragment behind the last one",
                frames([(FIRST, b"a"), (LAST, b"b"), (LAST, b"c"), (TEXT, b"d")]),
                b"ab",
            ),
        ]),
    );
}

#[test]
fn a_message_inside_another_is_refused_with_1002() {
    check([
        row("§5.4 a text inside a text", frames([(FIRST, b"one"), (TEXT, b"two")])).violates(),
        row("§5.4 bytes inside a text", frames([(FIRST, b"one"), (BINARY, b"two")])).violates(),
        row("§5.4 a text inside bytes", frames([(0x02, b"one"), (TEXT, b"two")])).violates(),
        row("§5.4 a first fragment inside a text", frames([(FIRST, b"one"), (FIRST, b"two")]))
            .violates(),
        row("§5.4 a first fragment of bytes inside a text, behind a ping", {
            frames([(FIRST, b"one"), (PING, b"?"), (0x02, b"two"), (LAST, b"three")])
        })
        .back([(PONG, b"?")])
        .violates(),
    ]);
}
