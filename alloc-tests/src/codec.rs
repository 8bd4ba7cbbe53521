//! Frames through tungstenite alone, with the server's buffer sizes.

use std::io::{self, Read, Write};

use anyhow::{Context, ensure};
use bytes::Bytes;
use plimsoll::Scenario;
use plimsoll::ws::Frame;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocket};

use crate::window::{ServerWindow, scenario};

/// Reads `frame` over and over, in reads as large as the codec asks for.
#[must_use]
pub fn decode(frame: Frame, ops: u64) -> Scenario {
    scenario("frame", ops, move |ops| {
        let (frame, payload) = (frame.clone(), payload(&frame));
        move |window| {
            let mut socket = socket(window, frame.request, Vec::new());
            for _ in 0..ops {
                let message = socket.read().context("the codec refuses the frame")?;
                ensure!(message == Message::Binary(payload.clone()), "decoded something else");
            }
            Ok(())
        }
    })
    .in_memory()
}

/// Writes the message of `frame` over and over, each with a flush.
#[must_use]
pub fn encode(frame: Frame, ops: u64) -> Scenario {
    scenario("frame", ops, move |ops| {
        let (frame, payload) = (frame.clone(), payload(&frame));
        move |window| {
            let mut socket = socket(window, Vec::new(), frame.reply);
            for _ in 0..ops {
                let message = Message::Binary(payload.clone());
                socket.write(message).context("the codec refuses the message")?;
                socket.flush().context("the codec does not flush")?;
            }
            let Stream { written, outgoing, .. } = socket.get_ref();
            ensure!(*written as u64 == ops * outgoing.len() as u64, "encoded {written} bytes");
            Ok(())
        }
    })
    .in_memory()
}

fn socket(window: &ServerWindow<'_>, incoming: Vec<u8>, outgoing: Vec<u8>) -> WebSocket<Stream> {
    let stream = Stream { incoming, at: 0, outgoing, written: 0 };
    WebSocket::from_raw_socket(stream, Role::Server, Some(window.config().echo()))
}

/// The payload of an unmasked frame, in a form that is cloned without an allocation.
fn payload(frame: &Frame) -> Bytes {
    let header = match frame.reply[1] {
        126 => 4,
        127 => 10,
        _ => 2,
    };
    Bytes::from_owner(frame.reply[header..].to_vec())
}

/// A stream that yields `incoming` over and over, and expects `outgoing` over and over.
#[derive(Debug)]
struct Stream {
    incoming: Vec<u8>,
    at: usize,
    outgoing: Vec<u8>,
    written: usize,
}

impl Read for Stream {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let mut filled = 0;
        while filled < buf.len() {
            let left = &self.incoming[self.at..];
            let length = left.len().min(buf.len() - filled);
            buf[filled..filled + length].copy_from_slice(&left[..length]);
            filled += length;
            self.at = (self.at + length) % self.incoming.len();
        }
        Ok(filled)
    }
}

impl Write for Stream {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        let at = self.written % self.outgoing.len();
        let length = buf.len().min(self.outgoing.len() - at);
        if buf[..length] != self.outgoing[at..at + length] {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "encoded something else"));
        }
        self.written += length;
        Ok(length)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
