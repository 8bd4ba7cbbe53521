//! The cost of framing, masking and validation: tungstenite in memory, without a system call.
//!
//! An iteration moves 64 KiB of payload in frames of one size. The floor is a copy of the same bytes, also compared.

use std::hint::black_box;
use std::io::{self, Read, Write};

use anyhow::Result;
use bench_kit::payload::Kind;
use bench_show::units;
use criterion::Throughput;
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Bytes, Message, WebSocket};

mod run;

/// Payload bytes of an iteration.
const ITERATION: usize = 64 * 1024;

/// The server's buffer size; tungstenite's default is larger.
const BUFFER: usize = 8 * 1024;

fn main() -> Result<()> {
    run::run("codec", |group| {
        decode(group, 125);
        decode(group, 64 * 1024);
        encode(group, 1024);
        Ok(())
    })
}

/// Reads masked frames as messages.
fn decode(group: &mut run::Group<'_>, size: usize) {
    let frames = ITERATION / size;
    let payload = Kind::Binary.payload(size);
    let frame = Kind::Binary.client_frame(&payload);
    let mut ws = server(Endless::new(frame.clone()));
    let benchmark = || {
        for _ in 0..frames {
            let message = ws.read().expect("a valid frame is decoded");
            assert!(matches!(message, Message::Binary(bytes) if bytes == payload));
        }
    };
    group.measure(
        ["decode", &units::size(size)],
        throughput(size),
        benchmark,
        memcpy(size, &frame),
    );
}

/// Writes messages as unmasked frames.
fn encode(group: &mut run::Group<'_>, size: usize) {
    let frames = ITERATION / size;
    let payload = Bytes::from(Kind::Binary.payload(size));
    let frame = Kind::Binary.server_frame(&payload);
    let mut ws = server(Endless::new(frame.clone()));
    let benchmark = || {
        for _ in 0..frames {
            ws.write(Message::Binary(payload.clone())).expect("a valid frame is encoded");
        }
        ws.flush().expect("memory takes every byte");
        assert_eq!(ws.get_ref().at, 0, "an iteration ends with a frame");
    };
    group.measure(
        ["encode", &units::size(size)],
        throughput(size),
        benchmark,
        memcpy(size, &frame),
    );
}

/// The floor: a compared copy of every frame of an iteration.
fn memcpy(size: usize, frame: &[u8]) -> impl FnMut() {
    let frames = ITERATION / size;
    let mut copy = vec![0; frame.len()];
    move || {
        for _ in 0..frames {
            copy.copy_from_slice(black_box(frame));
            assert!(black_box(&copy) == frame);
        }
    }
}

/// Of an iteration in frames of `size` bytes.
fn throughput(size: usize) -> Throughput {
    let frames = ITERATION / size;
    Throughput::ElementsAndBytes { elements: frames as u64, bytes: (frames * size) as u64 }
}

fn server(io: Endless) -> WebSocket<Endless> {
    let config = WebSocketConfig::default()
        .read_buffer_size(BUFFER)
        .write_buffer_size(BUFFER)
        .max_write_buffer_size(2 * ITERATION);
    WebSocket::from_raw_socket(io, Role::Server, Some(config))
}

/// A frame that repeats without end: reads return its bytes, and writes must match them.
struct Endless {
    frame: Vec<u8>,
    at: usize,
}

impl Endless {
    fn new(frame: Vec<u8>) -> Self {
        Self { frame, at: 0 }
    }

    /// Takes the next bytes of the frame, at most `most`.
    fn pass(&mut self, most: usize) -> &[u8] {
        let start = self.at;
        let end = self.frame.len().min(start + most);
        self.at = end % self.frame.len();
        &self.frame[start..end]
    }
}

impl Read for Endless {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut filled = 0;
        while filled < buffer.len() {
            let bytes = self.pass(buffer.len() - filled);
            buffer[filled..filled + bytes.len()].copy_from_slice(bytes);
            filled += bytes.len();
        }
        Ok(filled)
    }
}

impl Write for Endless {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let due = self.pass(bytes.len());
        if &bytes[..due.len()] != due {
            return Err(io::Error::other("the encoder wrote other bytes"));
        }
        Ok(due.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
