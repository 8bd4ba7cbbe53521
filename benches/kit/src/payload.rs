//! What the driver sends, and the answer it insists on: encoded once, before anything is timed.

use tokio_tungstenite::tungstenite::protocol::frame::Frame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Data, OpCode};

/// The mask of every client frame; not zero, which a codec would be free to skip.
pub const MASK: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];

/// The two data frames of a WebSocket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// UTF-8, which a server has to validate. ASCII here.
    Text,
    /// Any bytes.
    Binary,
}

impl Kind {
    /// The word for it in a benchmark's id.
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
            // A period of 26 shifts against every power of two: blocks that change places are noticed.
            Self::Text => (b'a'..=b'z').cycle().take(size).collect(),
            Self::Binary => {
                let mut state = 1_u32;
                std::iter::repeat_with(|| {
                    // A linear congruential generator (Numerical Recipes); its high byte is the random one.
                    state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                    state.to_be_bytes()[0]
                })
                .take(size)
                .collect()
            }
        }
    }

    /// One whole message as a client sends it.
    #[must_use]
    pub fn client_frame(self, payload: &[u8]) -> Vec<u8> {
        self.frame(payload, Some(MASK))
    }

    /// One whole message as a server sends it.
    #[must_use]
    pub fn server_frame(self, payload: &[u8]) -> Vec<u8> {
        self.frame(payload, None)
    }

    fn frame(self, payload: &[u8], mask: Option<[u8; 4]>) -> Vec<u8> {
        let data = match self {
            Self::Text => Data::Text,
            Self::Binary => Data::Binary,
        };
        let mut frame = Frame::message(payload.to_vec(), OpCode::Data(data), true);
        frame.header_mut().mask = mask;
        let mut bytes = Vec::with_capacity(frame.len());
        frame.format(&mut bytes).expect("a vector takes every byte");
        bytes
    }
}

/// Bytes to send, and the bytes that must come back.
#[derive(Clone, Debug)]
pub struct Exchange {
    /// What the driver writes.
    pub out: Vec<u8>,
    /// What it insists on reading.
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

    /// `times` of it back to back, as one write.
    #[must_use]
    pub fn pipelined(&self, times: usize) -> Self {
        Self { out: self.out.repeat(times), answer: self.answer.repeat(times) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_frame_is_masked_and_a_server_frame_is_not() {
        let Exchange { out, answer } = Exchange::echo(Kind::Text, 16);
        assert_eq!(out[..2], [0x81, 0x90]);
        assert_eq!(out[2..6], MASK);
        let unmasked: Vec<u8> =
            out[6..].iter().zip(MASK.iter().cycle()).map(|(byte, mask)| byte ^ mask).collect();
        assert_eq!(unmasked, b"abcdefghijklmnop");
        assert_eq!(answer, [&[0x81, 0x10][..], b"abcdefghijklmnop"].concat());
    }

    #[test]
    fn binary_payloads_repeat_and_are_not_text() {
        let payload = Kind::Binary.payload(1024);
        assert_eq!(payload, Kind::Binary.payload(1024));
        assert!(str::from_utf8(&payload).is_err());
    }

    #[test]
    fn a_pipelined_exchange_is_the_exchange_over_and_over() {
        let one = Exchange::echo(Kind::Binary, 64);
        let three = one.pipelined(3);
        assert_eq!(three.out, [&one.out[..], &one.out, &one.out].concat());
        assert_eq!(three.answer.len(), 3 * one.answer.len());
    }
}
