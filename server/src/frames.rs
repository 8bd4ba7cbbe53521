//! Follows the frames of a peer as their bytes pass, and hands a large frame on in pieces. Does no I/O and knows no time.

use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;

/// Most fragments of a message, or one for each 64 bytes of the longest message if that is more.
const FRAGMENTS: u32 = 1024;

/// Longest payload of a control frame, in bytes.
const LONGEST_CONTROL: u64 = 125;

/// Bytes of the longest header: two, eight of length, four of mask.
pub(crate) const LONGEST_HEADER: usize = 14;

/// Bytes of [`Frames::piece`]'s headers: two, two of length, four of mask.
pub(crate) const PIECE_HEADER: usize = 8;

const FINAL: u8 = 0x80;
const MASKED: u8 = 0x80;
const CONTROL: u8 = 0x08;
const PING: u8 = 0x09;

/// Idle frames that a ping counts as: its answer is a write of its own, which costs about as much as reading so many.
const PING_WEIGHT: u32 = 16;
const CONTINUATION: u8 = 0x00;

/// What a peer may send on one route.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// Longest payload of a frame, in bytes. A longer frame passes unchanged: its header is refused.
    pub(crate) longest: u64,
    /// Payload, in bytes, up to which a frame passes unchanged whether it is there or not.
    pub(crate) small: u64,
    /// Most fragments of one message.
    pub(crate) fragments: u32,
}

impl Limits {
    /// As tungstenite's settings have them.
    pub(crate) fn of(config: &WebSocketConfig) -> Self {
        let longest = config.max_frame_size.map_or(u64::MAX, |size| size as u64);
        let fragments = u32::try_from(longest / 64).unwrap_or(u32::MAX);
        Self {
            longest,
            small: (config.read_buffer_size as u64).max(LONGEST_CONTROL),
            fragments: fragments.max(FRAGMENTS),
        }
    }
}

/// The frames of one peer.
#[derive(Debug)]
pub(crate) struct Frames {
    limits: Limits,
    /// Frames that began since this was last set to 0.
    pub(crate) begun: u32,
    /// Pongs and frames without a payload that began since this was last set to 0, and pings by their weight.
    pub(crate) idle: u32,
    /// Fragments of the message that has not ended.
    fragments: u32,
    /// Payload bytes of the current frame that are still to come.
    left: u64,
    /// The current frame, if it is handed on in pieces.
    pieces: Option<Pieces>,
}

#[derive(Clone, Copy, Debug)]
struct Pieces {
    /// The final bit of the peer's frame.
    last: u8,
    /// The mask of the next byte and of the three behind it.
    mask: [u8; 4],
}

/// The reason for which bytes do not pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stop {
    /// They begin a header that ends in bytes to come.
    Header,
    /// As many frames as may begin have begun.
    Turn,
    /// They begin a fragment too many.
    Fragments,
}

impl Frames {
    pub(crate) fn new(limits: Limits) -> Self {
        Self { limits, begun: 0, idle: 0, fragments: 0, left: 0, pieces: None }
    }

    /// Follows `bytes`, the next ones of the peer. Returns how many of them may pass, and why the others may not; those
    /// come again with the next call, but for a fragment too many.
    ///
    /// No frame begins once `most` have begun. With `more`, the rest of a large frame is taken to be on its way. Without,
    /// a large frame that is not all here becomes a fragment of what is here, in place, and [`Frames::piece`] follows:
    /// tungstenite reserves memory for what a header declares.
    pub(crate) fn follow(
        &mut self,
        bytes: &mut [u8],
        most: u32,
        more: bool,
    ) -> (usize, Option<Stop>) {
        let mut at = 0;
        loop {
            let here = bytes.len() - at;
            if self.left >= here as u64 {
                self.left -= here as u64;
                return (bytes.len(), None);
            }
            at += self.left as usize;
            self.left = 0;
            if self.begun >= most {
                return (at, Some(Stop::Turn));
            }
            let Some(header) = Header::parse(&bytes[at..]) else {
                return (at, Some(Stop::Header));
            };
            if !self.count(&header) {
                return (at, Some(Stop::Fragments));
            }
            self.left = header.length;
            let here = bytes.len() - at - header.size;
            let is_large =
                header.length > self.limits.small && header.length <= self.limits.longest;
            if is_large && !more && header.length > here as u64 {
                header.cut(&mut bytes[at..], here);
                let mut pieces = Pieces { last: header.first & FINAL, mask: header.mask };
                pieces.mask.rotate_left(here % 4);
                self.pieces = Some(pieces);
                self.left -= here as u64;
                return (bytes.len(), None);
            }
            at += header.size;
        }
    }

    /// Counts a frame; false if it is a fragment too many.
    fn count(&mut self, header: &Header) -> bool {
        let is_control = header.first & CONTROL != 0;
        if !is_control {
            let is_continuation = header.first & 0x0f == CONTINUATION;
            self.fragments = if is_continuation { self.fragments + 1 } else { 1 };
            if self.fragments > self.limits.fragments {
                return false;
            }
            if header.first & FINAL != 0 {
                self.fragments = 0;
            }
        }
        self.begun += 1;
        self.idle += match header.first & 0x0f {
            PING => PING_WEIGHT,
            _ => u32::from(is_control || header.length == 0),
        };
        true
    }

    /// Most payload bytes of the next piece; `None` unless a frame is being handed on in pieces.
    pub(crate) fn next_piece(&self) -> Option<usize> {
        self.pieces.map(|_| self.left.min(u16::MAX.into()) as usize)
    }

    /// The header that makes the next `length` payload bytes a frame of their own.
    ///
    /// # Panics
    ///
    /// Unless [`Frames::next_piece`] allows that many.
    pub(crate) fn piece(&mut self, length: usize) -> [u8; PIECE_HEADER] {
        let pieces = self.pieces.as_mut().expect("a frame is handed on in pieces");
        let [long, short] = u16::try_from(length).expect("no piece is longer").to_be_bytes();
        let [a, b, c, d] = pieces.mask;
        pieces.mask.rotate_left(length % 4);
        self.left -= length as u64;
        let last = if self.left == 0 { pieces.last } else { 0 };
        if self.left == 0 {
            self.pieces = None;
        }
        [last | CONTINUATION, MASKED | 126, long, short, a, b, c, d]
    }
}

/// The header of a frame.
struct Header {
    /// The final bit, the reserved bits and the opcode.
    first: u8,
    /// Bytes of the header.
    size: usize,
    /// Bytes of the payload, as declared.
    length: u64,
    /// Zeros if the frame is not masked.
    mask: [u8; 4],
}

impl Header {
    /// The header that `bytes` begin with; `None` if they end before it does.
    fn parse(bytes: &[u8]) -> Option<Self> {
        let [first, second, rest @ ..] = bytes else { return None };
        let (length, rest) = match second & !MASKED {
            126 => {
                let (length, rest) = rest.split_first_chunk()?;
                (u16::from_be_bytes(*length).into(), rest)
            }
            127 => {
                let (length, rest) = rest.split_first_chunk()?;
                (u64::from_be_bytes(*length), rest)
            }
            length => (length.into(), rest),
        };
        let (mask, rest) = match second & MASKED {
            0 => ([0; 4], rest),
            _ => rest.split_first_chunk().map(|(mask, rest)| (*mask, rest))?,
        };
        Some(Self { first: *first, size: bytes.len() - rest.len(), length, mask })
    }

    /// Makes it, in place, the header of a fragment of `length` bytes that is not the last one. Its length keeps its
    /// width, which is more than that of a control frame.
    fn cut(&self, bytes: &mut [u8], length: usize) {
        bytes[0] &= !FINAL;
        match bytes[1] & !MASKED {
            126 => bytes[2..4].copy_from_slice(&(length as u16).to_be_bytes()),
            _ => bytes[2..10].copy_from_slice(&(length as u64).to_be_bytes()),
        }
    }
}
