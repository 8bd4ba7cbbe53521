//! Frames that are to be written. Pure.

use tokio_tungstenite::tungstenite::protocol::frame::FrameHeader;
use tokio_tungstenite::tungstenite::protocol::frame::coding::OpCode;

/// Shortest header of a masked frame, in bytes.
const SHORTEST_HEADER: usize = 6;

/// Bytes that are not written yet.
#[derive(Debug, Default)]
pub(super) struct Outgoing {
    bytes: Vec<u8>,
    /// Bytes at the beginning that are written.
    written: usize,
}

impl Outgoing {
    /// Appends one frame, masked with `key`, whose payload `write` appends; returns the bytes of the payload and of the
    /// frame (RFC 6455 §5.2, §5.3).
    pub(super) fn put(
        &mut self,
        opcode: OpCode,
        is_final: bool,
        key: [u8; 4],
        write: impl FnOnce(&mut Vec<u8>),
    ) -> (u64, u64) {
        let begin = self.bytes.len();
        self.bytes.extend_from_slice(&[0; SHORTEST_HEADER]);
        write(&mut self.bytes);
        let length = (self.bytes.len() - begin - SHORTEST_HEADER) as u64;
        mask(&mut self.bytes[begin + SHORTEST_HEADER..], key);
        let frame = FrameHeader { is_final, opcode, mask: Some(key), ..FrameHeader::default() };
        let more = frame.len(length) - SHORTEST_HEADER;
        if more > 0 {
            self.bytes.splice(begin..begin, std::iter::repeat_n(0, more));
        }
        let mut header = &mut self.bytes[begin..];
        frame.format(length, &mut header).expect("there is room for it");
        (length, (self.bytes.len() - begin) as u64)
    }

    /// Appends frames that tungstenite has made.
    pub(super) fn append(&mut self, frames: &[u8]) {
        self.bytes.extend_from_slice(frames);
    }

    /// The bytes that are to be written next.
    pub(super) fn rest(&self) -> &[u8] {
        &self.bytes[self.written..]
    }

    /// Drops the first `count` bytes, which are written.
    pub(super) fn written(&mut self, count: usize) {
        self.written += count;
        // Move the rest only once it is shorter than what was written, so that every byte moves once on average.
        if 2 * self.written >= self.bytes.len() {
            self.bytes.drain(..self.written);
            self.written = 0;
        }
    }
}

/// Masks eight bytes at a time.
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
