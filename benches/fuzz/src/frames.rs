//! WebSocket frames as bytes: those of a client, and those that the server wrote.

pub use conversation::frame::masked as frame;

/// The final bit of a frame's first byte.
pub const FINAL: u8 = 0x80;
/// Opcode of a continuation.
pub const CONTINUATION: u8 = 0x0;
/// Opcode of a text.
pub const TEXT: u8 = 0x1;
/// Opcode of a binary message.
pub const BINARY: u8 = 0x2;
/// Opcode of a close frame.
pub const CLOSE: u8 = 0x8;
/// Opcode of a ping.
pub const PING: u8 = 0x9;
/// Opcode of a pong.
pub const PONG: u8 = 0xa;

/// The request that upgrades a connection to `path`. Key of RFC 6455 §1.3.
#[must_use]
pub fn upgrade(path: &str) -> String {
    format!(
        "GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    )
}

/// A frame, unmasked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    /// The final bit, the reserved bits and the opcode.
    pub first: u8,
    /// Its payload.
    pub payload: Vec<u8>,
}

/// Splits what a server wrote behind its 101 into frames, and the beginning of another one.
///
/// # Panics
///
/// If a frame is masked, fragmented, reserved, or has a length in more bytes than it needs.
#[must_use]
pub fn written(mut bytes: &[u8]) -> (Vec<Frame>, &[u8]) {
    let mut frames = Vec::new();
    while let Some((first, length, head)) = header(bytes) {
        let opcode = first & !FINAL;
        assert!(first & FINAL != 0, "the server fragments: {first:#x}");
        assert!(matches!(opcode, TEXT | BINARY | CLOSE | PING | PONG), "{first:#x}");
        assert!(opcode < CLOSE || length <= 125, "a control frame of {length} bytes");
        let Some(payload) = bytes.get(head..head + length) else { break };
        frames.push(Frame { first, payload: payload.to_vec() });
        bytes = &bytes[head + length..];
    }
    (frames, bytes)
}

/// First byte, length of the payload, and length of the header, if it is whole.
fn header(bytes: &[u8]) -> Option<(u8, usize, usize)> {
    let (length, head, least) = match *bytes.get(1)? {
        126 => (usize::from(u16::from_be_bytes(bytes.get(2..4)?.try_into().ok()?)), 4, 126),
        127 => (u64::from_be_bytes(bytes.get(2..10)?.try_into().ok()?) as usize, 10, 0x10000),
        length @ ..=125 => (usize::from(length), 2, 0),
        masked => panic!("a frame of the server has a mask bit: {masked:#x}"),
    };
    assert!(length >= least, "a length of {length} in {} bytes", head - 2);
    Some((bytes[0], length, head))
}
