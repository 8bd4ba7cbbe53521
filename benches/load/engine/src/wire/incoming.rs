//! What has been received: whole messages in one frame, and everything else for tungstenite. Pure.

#[cfg(test)]
mod tests;

use std::ops::Range;

use load_plan::profile::Kind;

/// Bytes read at once, allocated for each connection.
const READ: usize = 4 * 1024;

/// Longest message taken here, in bytes; tungstenite has its say on longer ones.
const LONGEST: u64 = 16 * 1024 * 1024;

/// What ends the answer to an upgrade.
const END: &[u8; 4] = b"\r\n\r\n";

/// Received bytes, and where among them frames begin.
#[derive(Debug)]
pub(super) struct Incoming {
    bytes: Vec<u8>,
    start: usize,
    end: usize,
    /// Bytes of the frame that has begun, where it is not whole yet.
    wanted: usize,
    whose: Whose,
    /// A message has begun that is not in one frame.
    is_fragmented: bool,
}

/// Who takes the next bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Whose {
    /// Tungstenite, up to the end of the answer to the upgrade, of whose [`END`] so many bytes were the last.
    Upgrade(usize),
    /// Whoever the next frame is for.
    Open,
    /// Tungstenite, so many.
    Passing(u64),
    /// Tungstenite, all from here on.
    Passed,
}

/// What comes next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Next {
    /// A message, its payload here in what [`Incoming::lend`] gives, until more is received.
    Message(Kind, Range<usize>),
    /// Something that is tungstenite's to read.
    Other,
    /// Nothing that is whole.
    More,
}

impl Incoming {
    /// Before the answer to the upgrade.
    pub(super) const fn new() -> Self {
        Self {
            bytes: Vec::new(),
            start: 0,
            end: 0,
            wanted: 0,
            whose: Whose::Upgrade(0),
            is_fragmented: false,
        }
    }

    pub(super) fn next(&mut self) -> Next {
        if self.whose != Whose::Open {
            return Next::Other;
        }
        let Some(frame) = Frame::read(&self.bytes[self.start..self.end]) else {
            self.wanted = Frame::LONGEST_HEADER;
            return Next::More;
        };
        let length = frame.header as u64 + frame.payload;
        if let Some(kind) = frame.whole()
            && !self.is_fragmented
            && frame.payload <= LONGEST
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
        self.whose = if frame.is_close() { Whose::Passed } else { Whose::Passing(length) };
        Next::Other
    }

    /// Whether tungstenite may have what comes.
    pub(super) fn is_passing(&self) -> bool {
        self.whose != Whose::Open
    }

    /// From here on everything is for tungstenite.
    pub(super) fn pass_all(&mut self) {
        self.whose = Whose::Passed;
    }

    /// At most `most` bytes for tungstenite; none where they must be received first.
    pub(super) fn pass(&mut self, most: usize) -> &[u8] {
        let have = &self.bytes[self.start..self.end];
        let have = &have[..have.len().min(most)];
        let count = match &mut self.whose {
            Whose::Open => 0,
            Whose::Passed => have.len(),
            Whose::Passing(left) => {
                let count = have.len().min(usize::try_from(*left).unwrap_or(usize::MAX));
                *left -= count as u64;
                if *left == 0 {
                    self.whose = Whose::Open;
                }
                count
            }
            Whose::Upgrade(seen) => {
                let ends = have.iter().position(|byte| {
                    *seen = match *byte {
                        byte if byte == END[*seen] => *seen + 1,
                        b'\r' => 1,
                        _ => 0,
                    };
                    *seen == END.len()
                });
                if ends.is_some() {
                    self.whose = Whose::Open;
                }
                ends.map_or(have.len(), |last| last + 1)
            }
        };
        self.start += count;
        &self.bytes[self.start - count..self.start]
    }

    /// Where to receive into; [`Incoming::received`] says how much it was.
    pub(super) fn room(&mut self) -> &mut [u8] {
        if self.start > 0 {
            self.bytes.copy_within(self.start..self.end, 0);
            (self.start, self.end) = (0, self.end - self.start);
        }
        if self.end == self.bytes.len() {
            // Twice as much, up to what is missing: who only announces a long message gets no memory for it.
            let length = (2 * self.end).min(self.wanted).max(READ).max(self.end + 1);
            self.bytes.resize(length, 0);
        }
        &mut self.bytes[self.end..]
    }

    pub(super) fn received(&mut self, count: usize) {
        self.end += count;
    }

    /// The bytes, to be given back before anything else is done here.
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

    /// `None` where the header is not whole.
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

    /// What it is a whole message of; `None` of anything that needs a second look.
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
