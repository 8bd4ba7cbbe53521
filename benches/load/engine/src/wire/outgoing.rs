//! What is to be written: whole frames. Pure.

use tokio_tungstenite::tungstenite::protocol::frame::coding::OpCode;

/// Longest header of a frame, in bytes.
const HEADER: usize = 14;

/// Bytes that are not written yet.
#[derive(Debug, Default)]
pub(super) struct Outgoing {
    bytes: Vec<u8>,
    /// How many of them are written.
    written: usize,
}

impl Outgoing {
    /// Appends one frame, masked with `key`; its bytes (RFC 6455 §5.2, §5.3).
    pub(super) fn put(
        &mut self,
        opcode: OpCode,
        is_final: bool,
        payload: &[u8],
        key: [u8; 4],
    ) -> u64 {
        let first = u8::from(opcode) | if is_final { 0x80 } else { 0 };
        let (header, length) = header(first, payload.len(), key);
        self.bytes.reserve(length + payload.len());
        self.bytes.extend_from_slice(&header[..length]);
        let start = self.bytes.len();
        self.bytes.extend_from_slice(payload);
        mask(&mut self.bytes[start..], key);
        (length + payload.len()) as u64
    }

    /// Appends frames that somebody else has made.
    pub(super) fn append(&mut self, frames: &[u8]) {
        self.bytes.extend_from_slice(frames);
    }

    /// What is to be written next.
    pub(super) fn rest(&self) -> &[u8] {
        &self.bytes[self.written..]
    }

    /// So many bytes of it are written.
    pub(super) fn written(&mut self, count: usize) {
        self.written += count;
        // Moved only once that is less than what has gone.
        if 2 * self.written >= self.bytes.len() {
            self.bytes.drain(..self.written);
            self.written = 0;
        }
    }
}

/// The header of a masked frame, and its length.
fn header(first: u8, payload: usize, key: [u8; 4]) -> ([u8; HEADER], usize) {
    const IS_MASKED: u8 = 0x80;
    let mut header = [0; HEADER];
    header[0] = first;
    let at = match payload {
        0..126 => {
            header[1] = IS_MASKED | payload as u8;
            2
        }
        126..=0xffff => {
            header[1] = IS_MASKED | 126;
            header[2..4].copy_from_slice(&(payload as u16).to_be_bytes());
            4
        }
        _ => {
            header[1] = IS_MASKED | 127;
            header[2..10].copy_from_slice(&(payload as u64).to_be_bytes());
            10
        }
    };
    header[at..at + key.len()].copy_from_slice(&key);
    (header, at + key.len())
}

/// Eight bytes at a time.
fn mask(bytes: &mut [u8], key: [u8; 4]) {
    let [a, b, c, d] = key;
    let twice = u64::from_ne_bytes([a, b, c, d, a, b, c, d]);
    let (words, rest) = bytes.as_chunks_mut::<8>();
    for word in words {
        *word = (u64::from_ne_bytes(*word) ^ twice).to_ne_bytes();
    }
    for (byte, key) in rest.iter_mut().zip(key.into_iter().cycle()) {
        *byte ^= key;
    }
}
