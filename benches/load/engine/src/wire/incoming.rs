//! Received bytes: messages in one frame are taken here, everything else goes to tungstenite. Pure.

#[cfg(test)]
mod tests;

use std::ops::Range;

use load_plan::profile::Kind;

/// Bytes read at once, allocated for each connection.
const READ: usize = 4 * 1024;

/// The end of the answer to an upgrade.
const END: &[u8; 4] = b"\r\n\r\n";

/// Received bytes, and the positions of frames among them.
#[derive(Debug)]
pub(super) struct Incoming {
    bytes: Vec<u8>,
    start: usize,
    end: usize,
    /// Longest message taken here, in bytes; longer ones go to tungstenite.
    longest: u64,
    /// Length in bytes of the frame that is not complete yet.
    wanted: usize,
    destination: Destination,
    /// Whether a message in several frames has begun.
    is_fragmented: bool,
}

/// Where the next bytes go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Destination {
    /// To tungstenite, up to the end of the answer to the upgrade. So many bytes of [`END`] have come.
    Upgrade(usize),
    /// It depends on the next frame.
    Open,
    /// To tungstenite, so many bytes.
    Passing(u64),
    /// To tungstenite, from here on.
    Passed,
}

/// The next part of the received bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Next {
    /// A message. The range is its payload in the buffer of [`Incoming::lend`], until more is received.
    Message(Kind, Range<usize>),
    /// Bytes for tungstenite.
    Other,
    /// Nothing complete.
    More,
}

impl Incoming {
    /// Begins with the answer to the upgrade.
    pub(super) const fn new(longest: usize) -> Self {
        Self {
            bytes: Vec::new(),
            start: 0,
            end: 0,
            longest: longest as u64,
            wanted: 0,
            destination: Destination::Upgrade(0),
            is_fragmented: false,
        }
    }

    pub(super) fn next(&mut self) -> Next {
        if self.destination != Destination::Open {
            return Next::Other;
        }
        let Some(frame) = Frame::read(&self.bytes[self.start..self.end]) else {
            self.wanted = Frame::LONGEST_HEADER;
            return Next::More;
        };
        let length = frame.header as u64 + frame.payload;
        if let Some(kind) = frame.whole()
            && !self.is_fragmented
            && frame.payload <= self.longest
        {
            let length = length as usize;
            if self.end - self.start < length {
                self.wanted = length;
                return Next::More;
            }
            let payload = self.start + frame.header..self.start + length;
            self.start += length;
            return Next::Message(kind, payload);
        }
        if frame.is_data() {
            self.is_fragmented = !frame.is_final();
        }
        self.destination =
            if frame.is_close() { Destination::Passed } else { Destination::Passing(length) };
        Next::Other
    }

    /// Whether the next bytes go to tungstenite.
    pub(super) fn is_passing(&self) -> bool {
        self.destination != Destination::Open
    }

    /// Everything goes to tungstenite from here on.
    pub(super) fn pass_all(&mut self) {
        self.destination = Destination::Passed;
    }

    /// Hands at most `most` bytes to tungstenite; none if more must be received first.
    pub(super) fn pass(&mut self, most: usize) -> &[u8] {
        let have = &self.bytes[self.start..self.end];
        let have = &have[..have.len().min(most)];
        let count = match &mut self.destination {
            Destination::Open => 0,
            Destination::Passed => have.len(),
            Destination::Passing(left) => {
                let count = have.len().min(usize::try_from(*left).unwrap_or(usize::MAX));
                *left -= count as u64;
                if *left == 0 {
                    self.destination = Destination::Open;
                }
                count
            }
            Destination::Upgrade(seen) => {
                let ends = have.iter().position(|byte| {
                    *seen = match *byte {
                        byte if byte == END[*seen] => *seen + 1,
                        b'\r' => 1,
                        _ => 0,
                    };
                    *seen == END.len()
                });
                if ends.is_some() {
                    self.destination = Destination::Open;
                }
                ends.map_or(have.len(), |last| last + 1)
            }
        };
        self.start += count;
        &self.bytes[self.start - count..self.start]
    }

    /// The buffer to receive into; [`Incoming::received`] must follow.
    pub(super) fn room(&mut self) -> &mut [u8] {
        if self.start > 0 {
            self.bytes.copy_within(self.start..self.end, 0);
            (self.start, self.end) = (0, self.end - self.start);
        }
        if self.end == self.bytes.len() {
            // Double the buffer, up to what is missing: the header of a long message alone allocates nothing.
            let length = (2 * self.end).min(self.wanted).max(READ).max(self.end + 1);
            self.bytes.resize(length, 0);
        }
        &mut self.bytes[self.end..]
    }

    pub(super) fn received(&mut self, count: usize) {
        self.end += count;
    }

    /// Lends the buffer. Must be given back before any other call.
    pub(super) fn lend(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.bytes)
    }

    pub(super) fn give_back(&mut self, bytes: Vec<u8>) {
        self.bytes = bytes;
    }
}

/// The beginning of a frame (RFC 6455 §5.2).
#[derive(Clone, Copy, Debug)]
struct Frame {
    first: u8,
    is_masked: bool,
    /// Bytes of the header.
    header: usize,
    /// Bytes of the payload.
    payload: u64,
}

impl Frame {
    const LONGEST_HEADER: usize = 14;

    /// Parses a header; `None` if it is not complete.
    fn read(bytes: &[u8]) -> Option<Self> {
        let [first, second, rest @ ..] = bytes else { return None };
        let is_masked = second & 0x80 != 0;
        let (header, payload) = match second & 0x7f {
            126 => (4, u64::from(u16::from_be_bytes(*rest.first_chunk()?))),
            127 => (10, u64::from_be_bytes(*rest.first_chunk()?)),
            short => (2, u64::from(short)),
        };
        let header = header + if is_masked { 4 } else { 0 };
        Some(Self { first: *first, is_masked, header, payload })
    }

    /// The kind of message, if the frame is a whole and valid one.
    fn whole(self) -> Option<Kind> {
        match self.first {
            _ if self.is_masked => None,
            0x81 => Some(Kind::Text),
            0x82 => Some(Kind::Binary),
            _ => None,
        }
    }

    fn is_data(self) -> bool {
        self.first & 0x0f <= 2
    }

    fn is_close(self) -> bool {
        self.first & 0x0f == 8
    }

    fn is_final(self) -> bool {
        self.first & 0x80 != 0
    }
}
