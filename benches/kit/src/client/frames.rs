//! The header of a server's frame (RFC 6455 §5.2).

use anyhow::{Result, bail, ensure};

/// The frame at the beginning of some bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) is_final: bool,
    pub(super) opcode: Opcode,
    /// Bytes of the header.
    pub(super) len: usize,
    /// Bytes of the payload.
    pub(super) payload: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Opcode {
    Continuation,
    Text,
    Binary,
    Close,
    Ping,
    Pong,
}

impl Header {
    /// `None` until enough of the frame has arrived.
    ///
    /// # Errors
    ///
    /// If no server may send such a frame.
    pub(super) fn read(bytes: &[u8]) -> Result<Option<Self>> {
        let [first, second, rest @ ..] = bytes else { return Ok(None) };
        ensure!(second & 0x80 == 0, "the server masked a frame, which only a client may do");
        let (len, payload) = match (second, rest) {
            (0..126, _) => (2, u64::from(*second)),
            (126, [high, low, ..]) => (4, u64::from(u16::from_be_bytes([*high, *low]))),
            (127, [length @ .., _]) if length.len() >= 7 => {
                (10, rest[..8].iter().fold(0, |length, byte| length << 8 | u64::from(*byte)))
            }
            _ => return Ok(None),
        };
        let opcode = match first & 0x7f {
            0 => Opcode::Continuation,
            1 => Opcode::Text,
            2 => Opcode::Binary,
            8 => Opcode::Close,
            9 => Opcode::Ping,
            10 => Opcode::Pong,
            _ => bail!("not a frame without extensions: it begins with {first:#04x}"),
        };
        let is_final = first & 0x80 != 0;
        let is_control = matches!(opcode, Opcode::Close | Opcode::Ping | Opcode::Pong);
        ensure!(
            !is_control || is_final && payload < 126,
            "a control frame is whole and has up to 125 bytes; this one has {payload}"
        );
        let payload = usize::try_from(payload).unwrap_or(usize::MAX);
        Ok(Some(Self { is_final, opcode, len, payload }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(bytes: &[u8], len: usize, payload: usize) {
        for missing in 1..=len {
            assert_eq!(Header::read(&bytes[..len - missing]).expect("it is right"), None);
        }
        let header = Header::read(bytes).expect("it is right").expect("it is whole");
        assert_eq!((header.len, header.payload), (len, payload));
    }

    #[test]
    fn a_header_is_read_once_it_is_whole() {
        check(&[0x81, 5], 2, 5);
        check(&[0x82, 126, 1, 2], 4, 0x102);
        check(&[0x01, 127, 0, 0, 0, 0, 0, 1, 0, 2], 10, 0x1_0002);
    }

    #[test]
    fn a_frame_that_no_server_may_send_is_an_error() {
        for bytes in [[0x81, 0x85], [0xc1, 5], [0x83, 5], [0x09, 5], [0x89, 126]] {
            let bytes = [&bytes[..], &[1, 1]].concat();
            assert!(Header::read(&bytes).is_err(), "{bytes:x?}");
        }
    }
}
