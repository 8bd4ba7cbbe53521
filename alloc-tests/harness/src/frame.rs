//! WebSocket frames, encoded before the window.

use tokio_tungstenite::tungstenite::protocol::frame::FrameHeader;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Control, Data, OpCode};

/// Mask of every client frame (RFC 6455 §5.3). A constant keeps runs equal; the server's work does not depend on it.
const MASK: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];

/// A request, and the reply that an echo server must send for it.
#[derive(Clone, Debug, Default)]
pub struct Frame {
    /// Masked, as a client sends it.
    pub request: Vec<u8>,
    /// Unmasked, as the server must send it.
    pub reply: Vec<u8>,
}

impl Frame {
    /// One text message.
    #[must_use]
    pub fn text(payload: &str) -> Self {
        Self::whole(payload.as_bytes(), OpCode::Data(Data::Text), OpCode::Data(Data::Text))
    }

    /// One binary message of `length` bytes with varied values.
    #[must_use]
    pub fn binary(length: usize) -> Self {
        let payload: Vec<u8> = (0..length).map(|i| (i % 251) as u8).collect();
        Self::whole(&payload, OpCode::Data(Data::Binary), OpCode::Data(Data::Binary))
    }

    /// A ping, answered by a pong.
    #[must_use]
    pub fn ping(payload: &[u8]) -> Self {
        Self::whole(payload, OpCode::Control(Control::Ping), OpCode::Control(Control::Pong))
    }

    /// A close frame, answered by another with the same code.
    #[must_use]
    pub fn close(code: u16) -> Self {
        let opcode = OpCode::Control(Control::Close);
        Self::whole(&code.to_be_bytes(), opcode, opcode)
    }

    /// One text message in `fragments` frames, echoed in one frame.
    #[must_use]
    pub fn fragmented(payload: &str, fragments: usize) -> Self {
        let size = payload.len().div_ceil(fragments);
        let pieces: Vec<&[u8]> = payload.as_bytes().chunks(size).collect();
        let mut request = Vec::new();
        for (i, piece) in pieces.iter().enumerate() {
            let opcode = OpCode::Data(if i == 0 { Data::Text } else { Data::Continue });
            request.extend(masked(piece, opcode, i + 1 == pieces.len()));
        }
        Self { request, reply: plain(payload.as_bytes(), OpCode::Data(Data::Text)) }
    }

    /// This frame and `next`, in one write and one read.
    #[must_use]
    pub fn then(mut self, next: &Self) -> Self {
        self.request.extend_from_slice(&next.request);
        self.reply.extend_from_slice(&next.reply);
        self
    }

    /// This frame `times` over, in one write and one read.
    #[must_use]
    pub fn repeated(&self, times: usize) -> Self {
        Self { request: self.request.repeat(times), reply: self.reply.repeat(times) }
    }

    fn whole(payload: &[u8], asked: OpCode, answered: OpCode) -> Self {
        Self { request: masked(payload, asked, true), reply: plain(payload, answered) }
    }
}

fn masked(payload: &[u8], opcode: OpCode, is_final: bool) -> Vec<u8> {
    let mut bytes = header(payload.len(), opcode, is_final, Some(MASK));
    bytes.extend(payload.iter().zip(MASK.iter().cycle()).map(|(byte, mask)| byte ^ mask));
    bytes
}

fn plain(payload: &[u8], opcode: OpCode) -> Vec<u8> {
    let mut bytes = header(payload.len(), opcode, true, None);
    bytes.extend_from_slice(payload);
    bytes
}

fn header(length: usize, opcode: OpCode, is_final: bool, mask: Option<[u8; 4]>) -> Vec<u8> {
    let header = FrameHeader { is_final, opcode, mask, ..FrameHeader::default() };
    let mut bytes = Vec::new();
    header.format(length as u64, &mut bytes).expect("a vector takes everything");
    bytes
}

/// ASCII text of `length` characters.
#[must_use]
pub fn ascii(length: usize) -> String {
    (b'a'..=b'z').cycle().take(length).map(char::from).collect()
}
