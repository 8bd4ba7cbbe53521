//! The attacks, as data.

use std::time::Duration;

use bench_kit::payload::Kind;
use conversation::frame::{MASK, masked};

/// Peers that misbehave in one way.
#[derive(Clone)]
pub(super) struct Attack {
    pub(super) name: &'static str,
    pub(super) sockets: usize,
    /// The route that each upgrades first; none if the attack is on HTTP or TCP.
    pub(super) upgrade: Option<&'static str>,
    /// Bytes that each sends, all of them again and again unless the pace says otherwise.
    pub(super) bytes: Vec<u8>,
    pub(super) pace: Pace,
    /// Whether they read what the server sends.
    pub(super) reads: bool,
    pub(super) due: Due,
    /// Most bytes of the server's memory and of the kernel's send queues for each of them, if that is judged.
    pub(super) most_bytes: Option<u64>,
}

#[derive(Clone, Copy)]
pub(super) enum Pace {
    /// As fast as the server takes them.
    Endless,
    /// Once.
    Once,
    /// One byte a second.
    Drip,
    /// Once; a tenth of a second later the peer resets the connection and comes back.
    Reset,
}

impl Pace {
    /// Time between two acts of a peer that does not act as fast as it can.
    pub(super) const fn pause(self) -> Duration {
        match self {
            Self::Endless | Self::Once => Duration::ZERO,
            Self::Drip => Duration::from_secs(1),
            Self::Reset => Duration::from_millis(100),
        }
    }
}

/// How the server must end them.
#[derive(Clone)]
pub(super) enum Due {
    /// Each is dropped within this time and counted as an error of one of these kinds.
    Dropped { within: Duration, kinds: &'static [&'static str] },
    /// They break no rule, or leave on their own: the server may keep them.
    Kept,
}

impl Attack {
    fn new(name: &'static str, sockets: usize) -> Self {
        let due = Due::Kept;
        Self {
            name,
            sockets,
            upgrade: None,
            bytes: Vec::new(),
            pace: Pace::Endless,
            reads: true,
            due,
            most_bytes: None,
        }
    }

    /// Why a server was not under this attack in a time in which its peers sent `sent` bytes and came back `back` times.
    pub(super) fn absent(&self, sent: u64, back: u64) -> Option<String> {
        let Self { name, sockets, .. } = self;
        if sent == 0 && !self.bytes.is_empty() {
            return Some(format!("no attack: {name} sent nothing"));
        }
        let must_return =
            matches!(self.due, Due::Dropped { .. }) || matches!(self.pace, Pace::Reset);
        (must_return && back < *sockets as u64).then(|| {
            format!("no attack: {sockets} peers of {name} were dropped and {back} came back")
        })
    }

    /// The attack with `sockets` peers.
    pub(super) fn few(&self, sockets: usize) -> Self {
        Self { sockets, ..self.clone() }
    }

    fn on(self, route: &'static str) -> Self {
        Self { upgrade: Some(route), ..self }
    }

    fn sends(self, pace: Pace, bytes: Vec<u8>) -> Self {
        Self { bytes, pace, ..self }
    }

    fn never_reads(self) -> Self {
        Self { reads: false, ..self }
    }

    fn dropped(self, within_s: u64, kinds: &'static [&'static str]) -> Self {
        Self { due: Due::Dropped { within: Duration::from_secs(within_s), kinds }, ..self }
    }

    fn costs_at_most(self, bytes: u64) -> Self {
        Self { most_bytes: Some(bytes), ..self }
    }
}

/// Every attack. A peer that never reads costs what the first buffers of `server/src/socket.rs` allow it in the kernel, and
/// what the process holds of its messages. A flood is written in chunks of many frames, so that one of the sender's system calls
/// carries them all.
pub(super) fn all() -> Vec<Attack> {
    use Pace::{Drip, Endless, Once, Reset};
    let echo = "/ws/echo";
    let head = b"GET /ws/echo HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
    let page = b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n";
    vec![
        Attack::new("silent_tcp", 1000).sends(Once, Vec::new()).dropped(5, &["http"]),
        Attack::new("slow_head", 500).sends(Drip, head.to_vec()).dropped(5, &["http"]),
        Attack::new("http_never_read", 100)
            .sends(Endless, page.repeat(400))
            .never_reads()
            .dropped(6, &["stalled"]),
        Attack::new("resets_in_a_head", 200).sends(Reset, head.to_vec()),
        Attack::new("resets_in_a_frame", 200).on(echo).sends(Reset, declared(60_000)),
        Attack::new("dashboard_never_read", 300)
            .on("/ws/dashboard")
            .sends(Once, Vec::new())
            .never_reads()
            .dropped(36, &["silent", "stalled"]),
        Attack::new("echo_never_read_1kib", 300)
            .on(echo)
            .sends(Endless, binary(1024).repeat(32))
            .never_reads()
            .dropped(6, &["stalled"])
            .costs_at_most(192 * 1024),
        Attack::new("echo_never_read_64kib", 300)
            .on(echo)
            .sends(Endless, binary(64 * 1024))
            .never_reads()
            .dropped(6, &["stalled"])
            .costs_at_most(256 * 1024),
        Attack::new("declared_2_to_62", 1000)
            .on(echo)
            .sends(Once, declared(1 << 62))
            .dropped(3, &["too_big"]),
        Attack::new("declared_64kib", 1000)
            .on(echo)
            .sends(Once, declared(64 * 1024))
            .dropped(36, &["silent"])
            .costs_at_most(32 * 1024),
        Attack::new("pings", 4)
            .on(echo)
            .sends(Endless, masked(0x89, b"").repeat(4096))
            .dropped(3, &["policy"]),
        Attack::new("pings_never_read", 4)
            .on(echo)
            .sends(Endless, masked(0x89, b"").repeat(4096))
            .never_reads()
            .dropped(3, &["policy"]),
        Attack::new("pongs", 4)
            .on(echo)
            .sends(Endless, masked(0x8a, b"").repeat(4096))
            .dropped(3, &["policy"]),
        Attack::new("empty_texts", 4)
            .on(echo)
            .sends(Endless, masked(0x81, b"").repeat(4096))
            .dropped(3, &["policy"]),
        Attack::new("empty_continuations", 4)
            .on(echo)
            .sends(Endless, [masked(0x01, b""), masked(0x00, b"").repeat(4095)].concat())
            .dropped(3, &["policy"]),
        Attack::new("one_byte_fragments", 4)
            .on(echo)
            .sends(Endless, fragments())
            .dropped(3, &["policy"]),
        Attack::new("one_byte_messages", 4)
            .on(echo)
            .sends(Endless, masked(0x81, b"a").repeat(4096)),
        Attack::new("dashboard_messages", 4)
            .on("/ws/dashboard")
            .sends(Endless, masked(0x81, b"a").repeat(4096)),
    ]
}

/// The header of a binary frame of `bytes`, without its payload.
fn declared(bytes: u64) -> Vec<u8> {
    [0x82, 0xff].into_iter().chain(bytes.to_be_bytes()).chain(MASK).collect()
}

fn binary(bytes: usize) -> Vec<u8> {
    Kind::Binary.client_frame(&Kind::Binary.payload(bytes))
}

/// A text of 60 000 fragments of one byte.
fn fragments() -> Vec<u8> {
    [masked(0x01, b"a"), masked(0x00, b"a").repeat(59_998), masked(0x80, b"a")].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attackers_that_sent_nothing_or_stayed_away_are_no_attack() {
        let attacks = all();
        let named = |name| attacks.iter().find(|attack| attack.name == name).expect("it exists");
        let is_one = |name, sent, back| named(name).absent(sent, back).is_none();
        assert!(is_one("pings", 1, 4) && !is_one("pings", 0, 4) && !is_one("pings", 1, 3));
        assert!(is_one("silent_tcp", 0, 1000) && !is_one("silent_tcp", 0, 999));
        assert!(is_one("resets_in_a_head", 1, 200) && !is_one("resets_in_a_head", 1, 0));
        assert!(is_one("one_byte_messages", 1, 0) && !is_one("one_byte_messages", 0, 0));
    }
}
