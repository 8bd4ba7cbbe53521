//! What the driver sends and the answer it expects, encoded once, before anything is timed.

use conversation::frame;

use crate::random::SplitMix64;

/// The kinds of message that a WebSocket carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// ASCII; a server has to validate it as UTF-8.
    Text,
    /// Any bytes.
    Binary,
}

impl Kind {
    /// `text` or `binary`, as in a benchmark's id.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Binary => "binary",
        }
    }

    /// A payload of `size` bytes, the same in every run.
    #[must_use]
    pub fn payload(self, size: usize) -> Vec<u8> {
        match self {
            // 26 does not divide a power of two, so no two blocks of a buffer's size are equal.
            Self::Text => (b'a'..=b'z').cycle().take(size).collect(),
            Self::Binary => {
                let mut random = SplitMix64::new(1);
                std::iter::repeat_with(|| random.draw() as u8).take(size).collect()
            }
        }
    }

    /// One whole message as a client sends it.
    #[must_use]
    pub fn client_frame(self, payload: &[u8]) -> Vec<u8> {
        frame::client(self == Self::Binary, payload)
    }

    /// One whole message as a server sends it.
    #[must_use]
    pub fn server_frame(self, payload: &[u8]) -> Vec<u8> {
        frame::server(self == Self::Binary, payload)
    }
}

/// Bytes to send, and the bytes that must come back.
#[derive(Clone, Debug)]
pub struct Exchange {
    /// What the driver writes.
    pub out: Vec<u8>,
    /// What it must read.
    pub answer: Vec<u8>,
}

impl Exchange {
    /// One message and its echo.
    #[must_use]
    pub fn echo(kind: Kind, size: usize) -> Self {
        let payload = kind.payload(size);
        Self { out: kind.client_frame(&payload), answer: kind.server_frame(&payload) }
    }

    /// The same payload over raw TCP, without frames.
    #[must_use]
    pub fn tcp(kind: Kind, size: usize) -> Self {
        let payload = kind.payload(size);
        Self { out: payload.clone(), answer: payload }
    }

    /// The exchange `times` times, as one write.
    #[must_use]
    pub fn pipelined(&self, times: usize) -> Self {
        Self { out: self.out.repeat(times), answer: self.answer.repeat(times) }
    }
}

#[cfg(test)]
mod tests {
    use conversation::frame::MASK;
    use tokio_tungstenite::tungstenite::protocol::frame::Frame;
    use tokio_tungstenite::tungstenite::protocol::frame::coding::{Data, OpCode};

    use super::*;

    #[test]
    fn frames_are_those_of_tungstenite() {
        for (kind, data) in [(Kind::Text, Data::Text), (Kind::Binary, Data::Binary)] {
            for size in [0, 16, 125, 126, 0xffff, 0x1_0000] {
                let Exchange { out, answer } = Exchange::echo(kind, size);
                for (bytes, mask) in [(out, Some(MASK)), (answer, None)] {
                    let payload = kind.payload(size);
                    let mut frame = Frame::message(payload, OpCode::Data(data), true);
                    frame.header_mut().mask = mask;
                    let mut expected = Vec::new();
                    frame.format(&mut expected).expect("a vector takes every byte");
                    assert!(bytes == expected, "{kind:?} of {size} bytes, mask {mask:?}");
                }
            }
        }
    }

    #[test]
    fn a_client_frame_is_masked_and_a_server_frame_is_not() {
        let Exchange { out, answer } = Exchange::echo(Kind::Text, 16);
        assert_eq!(out[..2], [0x81, 0x90]);
        assert_eq!(out[2..6], MASK);
        assert_eq!(answer, [&[0x81, 0x10][..], b"abcdefghijklmnop"].concat());
    }

    #[test]
    fn a_binary_payload_is_always_the_same_and_not_text() {
        let payload = Kind::Binary.payload(1024);
        assert_eq!(payload, Kind::Binary.payload(1024));
        assert!(str::from_utf8(&payload).is_err());
    }

    #[test]
    fn a_pipelined_exchange_repeats_both_directions() {
        let one = Exchange::echo(Kind::Binary, 64);
        let three = one.pipelined(3);
        assert_eq!(three.out, [&one.out[..], &one.out, &one.out].concat());
        assert_eq!(three.answer.len(), 3 * one.answer.len());
    }
}
