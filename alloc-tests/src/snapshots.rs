//! A subscriber's check of its snapshots, over a socket and in memory.

use std::io::Write;
use std::time::Duration;

use plimsoll::ws::Client;
use server::clock::ManualClock;

/// Start of a snapshot's text before which none was skipped, up to its sequence number.
const NONE_SKIPPED: &str = r#"{"skipped":0,"seq":"#;

/// Reads snapshot `seq`, before which none was skipped. Another message is an error.
pub fn expect_snapshot(client: &mut Client, seq: u64) -> anyhow::Result<()> {
    let mut prefix = std::io::Cursor::new([0; 64]);
    write!(prefix, "{NONE_SKIPPED}{seq},")?;
    let length = usize::try_from(prefix.position())?;
    client.expect_text(&prefix.get_ref()[..length])
}

/// A subscriber's check of its snapshots; it advances the clock by a tick after each.
#[derive(Debug)]
pub(crate) struct Snapshots {
    next: u64,
    clock: ManualClock,
    tick: Duration,
}

impl Snapshots {
    pub(crate) fn new(clock: ManualClock, tick: Duration) -> Self {
        Self { next: 1, clock, tick }
    }

    /// Whether `write` is one whole frame with the next snapshot.
    pub(crate) fn take(&mut self, write: &[u8], more: bool) -> bool {
        let [0x81, 126, high, low, json @ ..] = write else { return false };
        let Some(rest) = json.strip_prefix(NONE_SKIPPED.as_bytes()) else { return false };
        let digits = rest.iter().take_while(|byte| byte.is_ascii_digit());
        let seq = digits.fold(0, |seq, digit| seq * 10 + u64::from(digit - b'0'));
        let expected =
            seq == self.next && json.len() == usize::from(u16::from_be_bytes([*high, *low]));
        self.next += 1;
        if expected && more {
            self.clock.advance(self.tick);
        }
        expected
    }
}
