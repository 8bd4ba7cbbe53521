//! Frames through tungstenite alone, with the buffers the server gives it.

use std::io::{self, Read, Write};

use anyhow::{Context, ensure};
use bytes::Bytes;
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocket};

use crate::{Frame, Scenario, Unit};
use tokio_tungstenite::tungstenite::Message;

/// Reads `frame` over and over, in reads as large as the codec asks for.
#[must_use]
pub fn decode(frame: Frame, ops: u64) -> Scenario {
    Scenario::new(Unit::Frame, ops, move |ops| {
        let (frame, payload) = (frame.clone(), payload(&frame));
        move |window| {
            let wire = Wire { incoming: frame.request, at: 0, outgoing: Vec::new(), written: 0 };
            let mut socket =
                WebSocket::from_raw_socket(wire, Role::Server, Some(window.config().echo()));
            for _ in 0..ops {
                let message = socket.read().context("the codec refuses the frame")?;
                ensure!(message == Message::Binary(payload.clone()), "decoded something else");
            }
            Ok(())
        }
    })
    .in_memory()
}

/// Writes `frame`'s message over and over, each with a flush.
#[must_use]
pub fn encode(frame: Frame, ops: u64) -> Scenario {
    Scenario::new(Unit::Frame, ops, move |ops| {
        let (frame, payload) = (frame.clone(), payload(&frame));
        move |window| {
            let wire = Wire { incoming: Vec::new(), at: 0, outgoing: frame.reply, written: 0 };
            let mut socket =
                WebSocket::from_raw_socket(wire, Role::Server, Some(window.config().echo()));
            for _ in 0..ops {
                socket
                    .write(Message::Binary(payload.clone()))
                    .context("the codec refuses the message")?;
                socket.flush().context("the codec does not flush")?;
            }
            let wire = socket.get_ref();
            ensure!(
                wire.written as u64 == ops * wire.outgoing.len() as u64,
                "encoded {} bytes",
                wire.written
            );
            Ok(())
        }
    })
    .in_memory()
}

/// What is in an unmasked frame, in a form that is cloned without an allocation.
fn payload(frame: &Frame) -> Bytes {
    let header = match frame.reply[1] {
        126 => 4,
        127 => 10,
        _ => 2,
    };
    Bytes::from_owner(frame.reply[header..].to_vec())
}

/// Gives the same bytes for ever; takes the same bytes for ever.
#[derive(Debug)]
struct Wire {
    incoming: Vec<u8>,
    at: usize,
    outgoing: Vec<u8>,
    written: usize,
}

impl Read for Wire {
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

impl Write for Wire {
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
