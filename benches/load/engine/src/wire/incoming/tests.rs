use proptest::prelude::*;

use super::*;

const UPGRADE: &[u8] = b"HTTP/1.1 101 Switching Protocols\r\nA: b\r\n\r\n";

/// Messages and passed bytes, in the order in which they came.
#[derive(Debug, PartialEq, Eq)]
enum Got {
    Message(Vec<u8>),
    Passed(Vec<u8>),
}

/// Receives `bytes` in pieces as long as `pieces` says, and takes everything each time.
fn receive(bytes: &[u8], pieces: &[usize]) -> Vec<Got> {
    let mut incoming = Incoming::new(16 << 20);
    let mut got = Vec::new();
    let mut pieces = pieces.iter().copied().cycle();
    let mut rest = bytes;
    loop {
        match incoming.next() {
            Next::Message(_, payload) => {
                let lent = incoming.lend();
                got.push(Got::Message(lent[payload].to_vec()));
                incoming.give_back(lent);
                continue;
            }
            Next::Other => {
                let passed = incoming.pass(usize::MAX).to_vec();
                if !passed.is_empty() {
                    match got.last_mut() {
                        Some(Got::Passed(before)) => before.extend(passed),
                        _ => got.push(Got::Passed(passed)),
                    }
                    continue;
                }
            }
            Next::More => {}
        }
        if rest.is_empty() {
            return got;
        }
        let room = incoming.room();
        let count = pieces.next().unwrap_or(1).max(1).min(room.len()).min(rest.len());
        room[..count].copy_from_slice(&rest[..count]);
        incoming.received(count);
        rest = &rest[count..];
    }
}

fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let mut frame = vec![first];
    match payload.len() {
        short @ 0..126 => frame.push(short as u8),
        long => {
            frame.push(127);
            frame.extend((long as u64).to_be_bytes());
        }
    }
    frame.extend(payload);
    frame
}

#[track_caller]
fn check(frames: &[Vec<u8>], expected: &[Got]) {
    let bytes = [UPGRADE, &frames.concat()].concat();
    for pieces in [&[usize::MAX][..], &[1], &[3, 7]] {
        let got = receive(&bytes, pieces);
        let [Got::Passed(upgrade), rest @ ..] = &got[..] else {
            panic!("the upgrade was not passed: {got:?}");
        };
        // Bytes that are passed one after another are one entry.
        assert_eq!(&upgrade[..UPGRADE.len()], UPGRADE);
        let more = &upgrade[UPGRADE.len()..];
        let first = (!more.is_empty()).then(|| Got::Passed(more.to_vec()));
        let got: Vec<&Got> = first.iter().chain(rest).collect();
        assert_eq!(got, expected.iter().collect::<Vec<_>>(), "in pieces of {pieces:?}");
    }
}

#[test]
fn messages_in_one_frame_are_taken_and_control_frames_are_passed() {
    let ping = frame(0x89, b"hello");
    check(
        &[frame(0x81, b"one"), ping.clone(), frame(0x82, &[7; 300]), frame(0x81, b"")],
        &[
            Got::Message(b"one".to_vec()),
            Got::Passed(ping),
            Got::Message(vec![7; 300]),
            Got::Message(Vec::new()),
        ],
    );
}

#[test]
fn a_message_in_fragments_is_passed_with_control_frames_between_them() {
    let message = [frame(0x01, b"a"), frame(0x89, b"ping"), frame(0x80, b"b")].concat();
    check(
        &[message.clone(), frame(0x82, b"next")],
        &[Got::Passed(message), Got::Message(b"next".to_vec())],
    );
}

#[test]
fn a_message_that_begins_inside_another_is_passed() {
    let wrong = [frame(0x01, b"a"), frame(0x81, b"not now")].concat();
    check(std::slice::from_ref(&wrong), &[Got::Passed(wrong.clone())]);
}

#[test]
fn after_a_close_frame_everything_is_passed() {
    let rest = [frame(0x88, &[3, 232]), frame(0x81, b"too late")].concat();
    check(
        &[frame(0x81, b"last"), rest.clone()],
        &[Got::Message(b"last".to_vec()), Got::Passed(rest)],
    );
}

#[test]
fn invalid_frames_are_passed_to_tungstenite() {
    let masked = [&[0x81, 0x82, 1, 2, 3, 4][..], b"hi"].concat();
    for odd in [masked, frame(0xc1, b"reserved bit"), frame(0x83, b"reserved opcode")] {
        check(&[odd.clone(), frame(0x81, b"x")], &[Got::Passed(odd), Got::Message(b"x".to_vec())]);
    }
}

#[test]
fn the_header_of_a_long_message_allocates_no_memory_for_it() {
    let mut incoming = Incoming::new(16 << 20);
    incoming.destination = Destination::Open;
    let announced = [&[0x82, 127][..], &(8_u64 << 20).to_be_bytes()].concat();
    incoming.room()[..announced.len()].copy_from_slice(&announced);
    incoming.received(announced.len());
    assert_eq!(incoming.next(), Next::More);
    assert!(incoming.room().len() < 2 * READ);
}

proptest! {
    #[test]
    fn messages_are_the_same_however_the_bytes_are_split(
        sizes in proptest::collection::vec((0_usize..9000, any::<bool>()), 1..6),
        pieces in proptest::collection::vec(1_usize..5000, 1..6)
    ) {
        let frames: Vec<_> = sizes
            .iter()
            .map(|(size, is_ping)| frame(if *is_ping { 0x89 } else { 0x82 }, &vec![*size as u8; *size]))
            .collect();
        let bytes = [UPGRADE, &frames.concat()].concat();
        prop_assert_eq!(receive(&bytes, &pieces), receive(&bytes, &[usize::MAX]));
    }
}
