//! RFC 6455 as a function: what a server must answer to the bytes of a client.

use crate::frames::{BINARY, CLOSE, CONTINUATION, FINAL, Frame, PING, PONG, TEXT};

/// Most fragments of a message that the server takes.
const MOST_FRAGMENTS: usize = 1024;

/// Most pongs and frames without a payload that the server takes within a second; a ping counts as several.
const MOST_IDLE: usize = 4096;
const PING_WEIGHT: usize = 16;

/// What must come back.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Expected {
    /// Every whole message, in order.
    pub echoes: Vec<Frame>,
    /// The payloads of pings. A server may answer only the last of several (§5.5.3).
    pub pings: Vec<Vec<u8>>,
    /// Whether there is more of something than the server takes, even behind a broken rule: it may have read further.
    pub excess: bool,
    /// How the session ends by what the client has sent.
    pub end: End,
}

/// How a session ends.
#[derive(Debug, PartialEq, Eq)]
pub enum End {
    /// Not at all; but a frame that is not whole may already be refused with one of these codes.
    Open(Vec<u16>),
    /// The client closes; the answer has this code, or none.
    Closed(Option<u16>),
    /// The client breaks a rule; the answer has one of these codes.
    Broken(Vec<u16>),
}

impl Default for End {
    fn default() -> Self {
        Self::Open(Vec::new())
    }
}

/// A message of which some fragments have come.
struct Begun {
    opcode: u8,
    payload: Vec<u8>,
    fragments: usize,
}

/// What a server whose longest message and frame have `limit` bytes must answer to `stream`.
#[must_use]
pub fn expected(mut stream: &[u8], limit: usize) -> Expected {
    let mut expected = Expected { excess: excess(stream), ..Expected::default() };
    let mut begun: Option<Begun> = None;
    while let Some(head) = Head::read(stream) {
        let mut broken = head.broken(begun.is_some());
        if head.length > limit as u64 {
            broken.push(1009);
        }
        let payload = usize::try_from(head.length)
            .ok()
            .and_then(|length| stream.get(head.bytes..head.bytes.checked_add(length)?));
        let Some(payload) = payload else {
            if broken.is_empty() && head.opcode() < CLOSE {
                // A text may be refused at its first wrong byte (§8.1 with §7.1.7).
                let first = Begun { opcode: head.opcode(), payload: Vec::new(), fragments: 0 };
                let mut message = begun.take().unwrap_or(first);
                message.payload.extend(unmasked(&stream[head.bytes..], head.mask));
                broken = message.broken(false, limit);
            }
            expected.end = End::Open(broken);
            return expected;
        };
        if !broken.is_empty() {
            expected.end = End::Broken(broken);
            return expected;
        }
        stream = &stream[head.bytes + payload.len()..];
        let payload = unmasked(payload, head.mask);
        match head.opcode() {
            CLOSE => {
                expected.end = close(&payload);
                return expected;
            }
            PING => expected.pings.push(payload),
            PONG => {}
            opcode => {
                let first = Begun { opcode, payload: Vec::new(), fragments: 0 };
                let mut message = begun.take().unwrap_or(first);
                message.payload.extend(payload);
                message.fragments += 1;
                let is_final = head.first & FINAL != 0;
                let broken = message.broken(is_final, limit);
                if !broken.is_empty() {
                    expected.end = End::Broken(broken);
                    return expected;
                }
                if is_final {
                    let Begun { opcode, payload, .. } = message;
                    expected.echoes.push(Frame { first: FINAL | opcode, payload });
                } else {
                    begun = Some(message);
                }
            }
        }
    }
    expected
}

fn unmasked(payload: &[u8], mask: [u8; 4]) -> Vec<u8> {
    let mut bytes = payload.to_vec();
    // By index, as `conversation` masks: a fuzzer traces every instruction.
    for (index, byte) in bytes.iter_mut().enumerate() {
        *byte ^= mask[index & 3];
    }
    bytes
}

/// Whether a message has too many fragments, or too many frames carry nothing. Time stands still.
fn excess(mut stream: &[u8]) -> bool {
    let (mut fragments, mut idle) = (0, 0);
    while let Some(head) = Head::read(stream) {
        fragments = match head.opcode() {
            CLOSE.. => fragments,
            CONTINUATION => fragments + 1,
            _ => 1,
        };
        idle += match head.opcode() {
            PING => PING_WEIGHT,
            opcode => usize::from(head.length == 0 || opcode == PONG),
        };
        if fragments > MOST_FRAGMENTS || idle > MOST_IDLE {
            return true;
        }
        let length = usize::try_from(head.length).unwrap_or(usize::MAX);
        stream = stream.get(head.bytes.saturating_add(length)..).unwrap_or_default();
    }
    false
}

impl Begun {
    fn broken(&self, is_final: bool, limit: usize) -> Vec<u16> {
        let mut broken = Vec::new();
        if self.payload.len() > limit {
            broken.push(1009);
        }
        if self.fragments > MOST_FRAGMENTS {
            broken.push(1008);
        }
        if self.opcode == TEXT
            && let Err(error) = std::str::from_utf8(&self.payload)
            && (is_final || error.error_len().is_some())
        {
            broken.push(1007);
        }
        broken
    }
}

/// The answer to a close frame (§5.5.1, §7.4).
fn close(payload: &[u8]) -> End {
    let [high, low, reason @ ..] = payload else {
        return if payload.is_empty() { End::Closed(None) } else { End::Broken(vec![1002]) };
    };
    let code = u16::from_be_bytes([*high, *low]);
    let may_be_sent = matches!(code, 1000..=1003 | 1007..=1013 | 3000..=4999);
    match (may_be_sent, std::str::from_utf8(reason)) {
        (true, Ok(_)) => End::Closed(Some(code)),
        (true, Err(_)) => End::Broken(vec![1002, 1007]),
        // Registered since 2015; both answers are fine.
        (false, _) if code == 1014 => End::Broken(vec![1002, 1007, 1014]),
        (false, _) => End::Broken(vec![1002, 1007]),
    }
}

/// The header of a client's frame.
struct Head {
    first: u8,
    masked: bool,
    length: u64,
    mask: [u8; 4],
    bytes: usize,
}

impl Head {
    /// `None` if it is not whole.
    fn read(stream: &[u8]) -> Option<Self> {
        let [first, second, rest @ ..] = stream else { return None };
        let (length, extended) = match second & 0x7f {
            126 => (u64::from(u16::from_be_bytes(*rest.first_chunk()?)), 2),
            127 => (u64::from_be_bytes(*rest.first_chunk()?), 8),
            length => (u64::from(length), 0),
        };
        let masked = second & 0x80 != 0;
        let mask = if masked { *rest[extended..].first_chunk()? } else { [0; 4] };
        let bytes = 2 + extended + if masked { 4 } else { 0 };
        Some(Self { first: *first, masked, length, mask, bytes })
    }

    fn opcode(&self) -> u8 {
        self.first & 0xf
    }

    /// The codes for a header that is wrong by itself, or in or outside a fragmented message (§5.1, §5.2, §5.4, §5.5).
    fn broken(&self, in_message: bool) -> Vec<u16> {
        let is_control = self.opcode() >= CLOSE;
        let wrong = !self.masked
            || self.first & 0x70 != 0
            || matches!(self.opcode(), 0x3..=0x7 | 0xb..=0xf)
            || is_control && (self.first & FINAL == 0 || self.length > 125)
            || self.opcode() == CONTINUATION && !in_message
            || matches!(self.opcode(), TEXT | BINARY) && in_message;
        if wrong { vec![1002] } else { Vec::new() }
    }
}
