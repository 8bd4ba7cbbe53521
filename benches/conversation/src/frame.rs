//! Messages as bytes on the wire (RFC 6455 §5.2), encoded beforehand.

use super::pattern::{DIGITS, Pattern};

/// The mask of every client frame; not zero, because a codec may skip a mask of zero.
pub const MASK: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];

/// The least number of [`DIGITS`] digits.
const LEAST: u64 = 1_000_000_000;

/// The number of a connection's first operation. Multiples of the golden ratio spread evenly for any number of
/// connections, so that an answer to another connection's message is noticed. Below 2³¹, and a thousand million below
/// ten digits' end: a server may read the number as an `i32`.
#[must_use]
pub fn first_number(connection: u32) -> u64 {
    LEAST + u64::from(connection.wrapping_mul(0x9e37_79b1) >> 2)
}

/// One whole message as a client sends it.
#[must_use]
pub fn client(binary: bool, payload: &[u8]) -> Vec<u8> {
    masked(whole(binary), payload)
}

/// One whole message as a server sends it.
#[must_use]
pub fn server(binary: bool, payload: &[u8]) -> Vec<u8> {
    frame(whole(binary), payload, None)
}

/// A client's frame that begins with `first`: the final bit, the reserved bits and the opcode.
#[must_use]
pub fn masked(first: u8, payload: &[u8]) -> Vec<u8> {
    frame(first, payload, Some(MASK))
}

/// The first byte of a message in one frame.
fn whole(binary: bool) -> u8 {
    if binary { 0x82 } else { 0x81 }
}

fn frame(first: u8, payload: &[u8], mask: Option<[u8; 4]>) -> Vec<u8> {
    let is_masked = if mask.is_some() { 0x80 } else { 0 };
    let mut frame = vec![first];
    match payload.len() {
        len @ 0..126 => frame.push(is_masked | len as u8),
        len @ 126..0x1_0000 => {
            frame.push(is_masked | 126);
            frame.extend((len as u16).to_be_bytes());
        }
        len => {
            frame.push(is_masked | 127);
            frame.extend((len as u64).to_be_bytes());
        }
    }
    frame.extend(mask.iter().flatten());
    let start = frame.len();
    frame.extend_from_slice(payload);
    if let Some(mask) = mask {
        // By index: the compiler makes few instructions of it, of which a fuzzer traces every one.
        for (index, byte) in frame[start..].iter_mut().enumerate() {
            *byte ^= mask[index & 3];
        }
    }
    frame
}

/// A client's message whose numbers are replaced in place.
#[derive(Clone, Debug)]
pub struct Frame {
    text: Pattern,
    binary: bool,
    bytes: Vec<u8>,
    payload: usize,
    /// Where each number begins in the payload.
    numbers: Box<[usize]>,
}

impl Frame {
    /// The message with the first number of connection 0.
    #[must_use]
    pub fn new(binary: bool, text: Pattern) -> Self {
        let mut payload = Vec::new();
        text.write(first_number(0), &mut payload);
        let bytes = client(binary, &payload);
        let numbers = text.numbers().collect();
        Self { text, binary, payload: bytes.len() - payload.len(), bytes, numbers }
    }

    /// Writes `number`, of [`DIGITS`] digits, wherever `{seq}` stands.
    pub fn set_number(&mut self, number: u64) {
        for start in &self.numbers {
            let mut rest = number;
            for at in (*start..start + DIGITS).rev() {
                self.bytes[self.payload + at] = (b'0' + (rest % 10) as u8) ^ MASK[at % 4];
                rest /= 10;
            }
        }
    }

    /// What it says, for a driver that encodes it itself.
    #[must_use]
    pub fn text(&self) -> &Pattern {
        &self.text
    }

    /// Whether it is binary.
    #[must_use]
    pub fn is_binary(&self) -> bool {
        self.binary
    }

    /// The message on the wire.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}
