//! However a stream of frames is cut into pieces, and in whatever pieces the answers are written, the answers are the same.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};

use anyhow::Result;
use fuzz_targets::frames::{
    BINARY, CLOSE, CONTINUATION, FINAL, Frame, PING, PONG, TEXT, frame, upgrade, written,
};
use fuzz_targets::served::Served;
use fuzz_targets::verify::{Faults, verify};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;
use server::{Config, Embedded};

/// One message of a client, or a control frame.
#[derive(Clone, Debug)]
enum Said {
    Text(String),
    Bytes(Vec<u8>),
    /// A text in fragments, cut anywhere, with a ping in each gap if the payload is there.
    Fragments(String, Vec<Index>, Option<Vec<u8>>),
    Ping(Vec<u8>),
    Pong(Vec<u8>),
}

fn said() -> impl Strategy<Value = Said> {
    let short = || vec(any::<u8>(), 0..=125);
    // Around 126, and around the buffers of a session.
    let bytes = prop_oneof![
        4 => vec(any::<u8>(), 0..300),
        1 => vec(any::<u8>(), 8_000..9_000),
    ];
    prop_oneof![
        "\\PC{0,80}".prop_map(Said::Text),
        bytes.prop_map(Said::Bytes),
        ("\\PC{0,60}", vec(any::<Index>(), 1..5), proptest::option::of(short()))
            .prop_map(|(text, cuts, ping)| Said::Fragments(text, cuts, ping)),
        short().prop_map(Said::Ping),
        short().prop_map(Said::Pong),
    ]
}

impl Said {
    fn frames(&self) -> Vec<u8> {
        match self {
            Self::Text(text) => frame(FINAL | TEXT, text.as_bytes()),
            Self::Bytes(bytes) => frame(FINAL | BINARY, bytes),
            Self::Ping(payload) => frame(FINAL | PING, payload),
            Self::Pong(payload) => frame(FINAL | PONG, payload),
            Self::Fragments(text, cuts, ping) => {
                let text = text.as_bytes();
                let mut cuts: Vec<usize> =
                    cuts.iter().map(|cut| cut.index(text.len() + 1)).collect();
                cuts.sort_unstable();
                let mut sent = Vec::new();
                let mut begin = 0;
                for (number, cut) in cuts.iter().enumerate() {
                    let opcode = if number == 0 { TEXT } else { CONTINUATION };
                    sent.extend(frame(opcode, &text[begin..*cut]));
                    sent.extend(ping.iter().flat_map(|ping| frame(FINAL | PING, ping)));
                    begin = *cut;
                }
                sent.extend(frame(FINAL | CONTINUATION, &text[begin..]));
                sent
            }
        }
    }

    fn echo(&self) -> Option<Frame> {
        let (opcode, payload) = match self {
            Self::Text(text) | Self::Fragments(text, ..) => (TEXT, text.as_bytes()),
            Self::Bytes(bytes) => (BINARY, &bytes[..]),
            Self::Ping(_) | Self::Pong(_) => return None,
        };
        Some(Frame { first: FINAL | opcode, payload: payload.to_vec() })
    }
}

/// All frames, and a close frame.
fn stream(said: &[Said]) -> Vec<u8> {
    let frames = said.iter().flat_map(Said::frames);
    frames.chain(frame(FINAL | CLOSE, &1000_u16.to_be_bytes())).collect()
}

/// The answers are the messages, byte for byte, and every rule holds for the rest.
fn check(said: &[Said], answers: &[u8]) {
    verify(&stream(said), answers, Config::default().max_message, Faults::default());
    let head = answers.windows(4).position(|four| four == b"\r\n\r\n").expect("a head") + 4;
    let (frames, _) = written(&answers[head..]);
    let echoes = frames.into_iter().filter(|frame| frame.first & !FINAL < CLOSE);
    assert!(echoes.eq(said.iter().filter_map(Said::echo)), "other messages come back");
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(150) })]

    #[test]
    fn any_split_of_a_stream_gives_the_same_echoes(
        said in vec(said(), 0..12),
        arrivals in vec(1..600_usize, 1..8),
        read_at_most in prop_oneof![1..8_usize, Just(usize::MAX)],
        write_at_most in prop_oneof![1..8_usize, 8..2_000_usize, Just(usize::MAX)],
        room in vec(1..3_000_usize, 1..8),
        hesitates: bool,
    ) {
        let mut served = Served::new(Config::default());
        served.change(|state| {
            state.sent = [upgrade("/ws/echo").into_bytes(), stream(&said)].concat();
            (state.read_at_most, state.write_at_most) = (read_at_most, write_at_most);
            state.hesitates = hesitates;
            state.room = 0;
        });
        let mut pieces = arrivals.iter().zip(room.iter().cycle()).cycle();
        while served.is_open() {
            let (arrives, room) = pieces.next().expect("they repeat");
            served.change(|state| state.arrived += arrives);
            served.change(|state| state.room += room);
        }
        served.end();
        check(&said, &served.network.state().written);
    }
}

#[test]
fn a_socket_gives_the_same_echoes_however_a_stream_is_split() -> Result<()> {
    let server = Embedded::start(Config::default())?;
    let addr = server.addr();
    let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::with_cases(25)
    });
    let cases = (vec(said(), 0..12), vec(1..600_usize, 1..8));
    runner.run(&cases, |(said, pieces)| {
        let mut socket = TcpStream::connect(addr).expect("the server listens");
        socket.set_nodelay(true).expect("a connected socket takes options");
        let mut reader = socket.try_clone().expect("a descriptor is free");
        let reading = std::thread::spawn(move || {
            let mut answers = Vec::new();
            reader.read_to_end(&mut answers).map(|_| answers)
        });
        let sent = [upgrade("/ws/echo").into_bytes(), stream(&said)].concat();
        let mut rest = &sent[..];
        for piece in pieces.iter().cycle() {
            let (first, others) = rest.split_at((*piece).min(rest.len()));
            socket.write_all(first).expect("the server takes it");
            rest = others;
            if rest.is_empty() {
                break;
            }
        }
        socket.shutdown(Shutdown::Write).expect("the connection is open");
        let answers =
            reading.join().expect("the reader does not panic").expect("the server answers");
        check(&said, &answers);
        Ok(())
    })?;
    server.stop()?;
    Ok(())
}
