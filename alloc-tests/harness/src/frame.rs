//! WebSocket frames, encoded before the window.

/// Mask of every client frame (RFC 6455 §5.3). A constant keeps runs equal; the server's work does not depend on it.
const MASK: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];

/// Opcodes (RFC 6455 §5.2).
const CONTINUATION: u8 = 0;
const TEXT: u8 = 1;
const BINARY: u8 = 2;
const CLOSE: u8 = 8;
const PING: u8 = 9;
const PONG: u8 = 10;

/// A request, and the reply that an echo server must send for it: the bytes of whole frames.
///
/// ```
/// use plimsoll::ws::Frame;
///
/// let hello = Frame::text("hello");
/// assert_eq!(hello.reply, b"\x81\x05hello");
/// // A client masks its frames: the header is longer by the mask of four bytes.
/// assert_eq!(hello.request.len(), hello.reply.len() + 4);
/// ```
#[derive(Clone, Debug, Default)]
pub struct Frame {
    /// Masked, as a client sends it.
    pub request: Vec<u8>,
    /// Unmasked, as the server must send it.
    pub reply: Vec<u8>,
}

impl Frame {
    /// One text message, echoed as it is.
    ///
    /// ```
    /// # use plimsoll::ws::Frame;
    /// assert_eq!(Frame::text("hello").reply, b"\x81\x05hello");
    /// ```
    #[must_use]
    pub fn text(payload: &str) -> Self {
        Self::whole(payload.as_bytes(), TEXT, TEXT)
    }

    /// One binary message of `length` bytes with varied values, echoed as it is.
    ///
    /// ```
    /// # use plimsoll::ws::Frame;
    /// assert_eq!(Frame::binary(3).reply, [0x82, 3, 0, 1, 2]);
    /// ```
    #[must_use]
    pub fn binary(length: usize) -> Self {
        let payload: Vec<u8> = (0..length).map(|i| (i % 251) as u8).collect();
        Self::whole(&payload, BINARY, BINARY)
    }

    /// A ping, answered by a pong with the same payload of at most 125 bytes.
    ///
    /// ```
    /// # use plimsoll::ws::Frame;
    /// let probe = Frame::ping(b"ready?");
    /// assert_eq!((probe.request[0], probe.reply[0]), (0x89, 0x8a));
    /// ```
    #[must_use]
    pub fn ping(payload: &[u8]) -> Self {
        Self::whole(payload, PING, PONG)
    }

    /// A close frame without a reason, answered by another with the same code.
    ///
    /// ```
    /// # use plimsoll::ws::Frame;
    /// assert_eq!(Frame::close(1000).reply, [0x88, 2, 0x03, 0xe8]);
    /// ```
    #[must_use]
    pub fn close(code: u16) -> Self {
        Self::whole(&code.to_be_bytes(), CLOSE, CLOSE)
    }

    /// One text message in at most `fragments` frames of the same length, echoed in one frame.
    ///
    /// ```
    /// # use plimsoll::ws::Frame;
    /// let halves = Frame::fragmented("hello!", 2);
    /// assert_eq!(halves.request.len(), 2 * (2 + 4 + 3));
    /// assert_eq!(halves.reply, Frame::text("hello!").reply);
    /// ```
    ///
    /// # Panics
    ///
    /// If `fragments` is 0, or if `payload` is empty.
    #[must_use]
    pub fn fragmented(payload: &str, fragments: usize) -> Self {
        let size = payload.len().div_ceil(fragments);
        let pieces: Vec<&[u8]> = payload.as_bytes().chunks(size).collect();
        let mut request = Vec::new();
        for (i, piece) in pieces.iter().enumerate() {
            let opcode = if i == 0 { TEXT } else { CONTINUATION };
            request.extend(masked(piece, opcode, i + 1 == pieces.len()));
        }
        Self { request, reply: plain(payload.as_bytes(), TEXT) }
    }

    /// This frame and `next`, in one write; their replies in one read.
    ///
    /// ```
    /// # use plimsoll::ws::Frame;
    /// let both = Frame::ping(b"?").then(&Frame::text("hello"));
    /// assert_eq!(both.reply, b"\x8a\x01?\x81\x05hello");
    /// ```
    #[must_use]
    pub fn then(mut self, next: &Self) -> Self {
        self.request.extend_from_slice(&next.request);
        self.reply.extend_from_slice(&next.reply);
        self
    }

    /// This frame `times` over: a batch in one write, its replies in one read.
    ///
    /// ```
    /// # use plimsoll::ws::Frame;
    /// assert_eq!(Frame::text("a").repeated(2).reply, b"\x81\x01a\x81\x01a");
    /// ```
    #[must_use]
    pub fn repeated(&self, times: usize) -> Self {
        Self { request: self.request.repeat(times), reply: self.reply.repeat(times) }
    }

    fn whole(payload: &[u8], asked: u8, answered: u8) -> Self {
        Self { request: masked(payload, asked, true), reply: plain(payload, answered) }
    }
}

fn masked(payload: &[u8], opcode: u8, is_final: bool) -> Vec<u8> {
    let mut bytes = header(payload.len(), opcode, is_final);
    bytes[1] |= 0x80;
    bytes.extend(MASK);
    bytes.extend(payload.iter().zip(MASK.iter().cycle()).map(|(byte, mask)| byte ^ mask));
    bytes
}

fn plain(payload: &[u8], opcode: u8) -> Vec<u8> {
    let mut bytes = header(payload.len(), opcode, true);
    bytes.extend_from_slice(payload);
    bytes
}

/// The header of a frame without a mask: the shortest length that fits (RFC 6455 §5.2).
fn header(length: usize, opcode: u8, is_final: bool) -> Vec<u8> {
    let first = opcode | if is_final { 0x80 } else { 0 };
    match (u8::try_from(length), u16::try_from(length)) {
        (Ok(short @ 0..126), _) => vec![first, short],
        (_, Ok(middle)) => [vec![first, 126], middle.to_be_bytes().to_vec()].concat(),
        _ => [vec![first, 127], (length as u64).to_be_bytes().to_vec()].concat(),
    }
}

/// ASCII text of `length` characters, from `a` to `z` and again.
///
/// ```
/// assert_eq!(plimsoll::ws::ascii(28), "abcdefghijklmnopqrstuvwxyzab");
/// ```
#[must_use]
pub fn ascii(length: usize) -> String {
    (b'a'..=b'z').cycle().take(length).map(char::from).collect()
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use tokio_tungstenite::tungstenite::protocol::frame::FrameSocket;

    use super::*;

    #[test]
    fn a_frame_of_every_length_of_header_is_read_back_as_it_was() {
        for length in [0, 125, 126, 65_535, 65_536] {
            let Frame { request, reply } = Frame::binary(length);
            for (bytes, is_masked) in [(request, true), (reply, false)] {
                let frame = FrameSocket::new(Cursor::new(bytes)).read(None).expect("it is valid");
                let frame = frame.expect("it is there");
                assert_eq!(frame.header().mask.is_some(), is_masked);
                assert_eq!(frame.payload().len(), length);
            }
        }
    }
}
