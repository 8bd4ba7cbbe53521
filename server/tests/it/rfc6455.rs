//! The public cases of RFC 6455 as tables: what a client sends, and what must come back. The Autobahn suite's groups 1 to 7
//! and 10 ask the same; this needs no Python.
//!
//! A row sends its bytes at once and then ends its side: what the server must answer, it answers without another word.

use std::net::Shutdown;

use server::stats::ErrorKind;

use crate::support::{Peer, Server, closes, errors, frame};

pub(crate) const TEXT: u8 = 0x81;
pub(crate) const BINARY: u8 = 0x82;
pub(crate) const CLOSE: u8 = 0x88;
pub(crate) const PING: u8 = 0x89;
pub(crate) const PONG: u8 = 0x8a;
/// The first fragment of a text, one in the middle, and the last one.
pub(crate) const FIRST: u8 = 0x01;
pub(crate) const MIDDLE: u8 = 0x00;
pub(crate) const LAST: u8 = 0x80;

/// A case: its section of RFC 6455 and its rule, the bytes of the client, and the answer.
pub(crate) struct Row {
    name: String,
    sent: Vec<u8>,
    back: Vec<u8>,
    end: End,
}

/// How the session ends.
enum End {
    /// By a close frame of the client with 1000, which the row sends and the server answers.
    Client,
    /// By the close frame in the row: the server answers with this payload, and counts this code.
    Answered(Vec<u8>, u16),
    /// By the server's close frame with this code, counted as this kind of error.
    Refused(u16, ErrorKind),
}

/// The frames of one client, one behind the other.
pub(crate) fn frames<const N: usize>(frames: [(u8, &[u8]); N]) -> Vec<u8> {
    frames.map(|(first, payload)| frame(first, payload)).concat()
}

/// A frame of the server.
fn answer(first: u8, payload: &[u8]) -> Vec<u8> {
    let mut bytes = frame(first, payload);
    let mask = bytes.len() - payload.len() - 4;
    bytes.truncate(mask);
    bytes[1] &= 0x7f;
    bytes.extend(payload);
    bytes
}

pub(crate) fn row(name: impl Into<String>, sent: Vec<u8>) -> Row {
    Row { name: name.into(), sent, back: Vec::new(), end: End::Client }
}

impl Row {
    /// The frames that come back, before the session ends.
    pub(crate) fn back<const N: usize>(mut self, frames: [(u8, &[u8]); N]) -> Self {
        self.back = frames.map(|(first, payload)| answer(first, payload)).concat();
        self
    }

    pub(crate) fn answered(self, payload: &[u8], counted: u16) -> Self {
        Self { end: End::Answered(payload.to_vec(), counted), ..self }
    }

    pub(crate) fn violates(self) -> Self {
        Self { end: End::Refused(1002, ErrorKind::Protocol), ..self }
    }

    pub(crate) fn breaks_utf8(self) -> Self {
        Self { end: End::Refused(1007, ErrorKind::Utf8), ..self }
    }

    pub(crate) fn exceeds(self) -> Self {
        Self { end: End::Refused(1009, ErrorKind::TooBig), ..self }
    }

    fn check(&self) {
        let server = Server::start();
        let mut peer = Peer::upgraded(server.addr(), "/ws/echo");
        peer.send(&self.sent);
        if let End::Client = self.end {
            peer.send(&frame(CLOSE, &1000_u16.to_be_bytes()));
        }
        peer.socket().shutdown(Shutdown::Write).expect("the server has not reset the connection");
        let came = peer.rest();
        let name = &self.name;
        let counters = server.until(|counters| counters.connections_open == 0);
        let close = came.strip_prefix(&self.back[..]);
        let close = close.unwrap_or_else(|| panic!("{name}: other frames come back: {came:x?}"));
        let (code, failed) = match &self.end {
            End::Client => {
                assert_eq!(close, answer(CLOSE, &1000_u16.to_be_bytes()), "{name}");
                (1000, None)
            }
            End::Answered(payload, counted) => {
                assert_eq!(close, answer(CLOSE, payload), "{name}");
                (*counted, None)
            }
            End::Refused(code, kind) => {
                let [CLOSE, length, high, low, ..] = close else {
                    panic!("{name}: no close frame with a code: {close:x?}");
                };
                assert_eq!(u16::from_be_bytes([*high, *low]), *code, "{name}");
                assert_eq!(close.len(), 2 + usize::from(*length), "{name}: behind the close frame");
                (*code, Some(*kind))
            }
        };
        assert_eq!(closes(&counters, code), 1, "{name}: {counters:?}");
        assert_eq!(counters.closes.iter().sum::<u64>(), 1, "{name}: {counters:?}");
        let counted = failed.map_or(0, |kind| errors(&counters, kind));
        assert_eq!(counted, u64::from(failed.is_some()), "{name}: {counters:?}");
        assert_eq!(counters.errors.iter().sum::<u64>(), counted, "{name}: {counters:?}");
    }
}

#[track_caller]
pub(crate) fn check(rows: impl IntoIterator<Item = Row>) {
    let mut names = std::collections::BTreeSet::new();
    for row in rows {
        row.check();
        assert!(row.name.starts_with('§'), "{} names no section", row.name);
        assert!(names.insert(row.name.clone()), "{} is there twice", row.name);
    }
    assert!(!names.is_empty(), "a table without rows holds nothing");
}
