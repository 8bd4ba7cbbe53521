use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::named::named;

/// Peers that do not behave.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Conduct {
    /// Every connection is closed after this time and opened again: churn.
    #[serde(with = "crate::units::optional_duration")]
    pub lifetime: Option<Duration>,
    /// All connections are cut at once, again and again.
    pub storm: Option<Storm>,
    /// So many connections more that send and do not read.
    pub slow_readers: Option<SlowReaders>,
    /// Provocations.
    pub hostile: Option<Hostile>,
}

/// All connections are cut at once and come back.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Storm {
    /// Time between two storms.
    #[serde(with = "crate::units::duration")]
    pub every: Duration,
    /// Each comes back at a random moment within this time (RFC 6455 §7.2.3).
    #[serde(with = "crate::units::duration")]
    pub jitter: Duration,
}

/// Connections that send and do not read.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SlowReaders {
    /// How many.
    pub connections: u32,
    /// What each reads, in bytes a second; 0 reads nothing at all.
    #[serde(with = "crate::units::bytes")]
    pub bytes_per_s: usize,
}

/// Provocations, each on a connection of its own.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hostile {
    /// Provocations a second.
    pub rate: f64,
    /// Which, in turn; all if there is none.
    #[serde(default)]
    pub kinds: Vec<Provocation>,
}

named! {
    /// Something that a target must survive.
    Provocation {
        /// Connects and resets at once.
        ConnectReset = "connect_reset",
        /// Connects and says nothing.
        HalfOpen = "half_open",
        /// Bytes that are not HTTP.
        NotHttp = "not_http",
        /// A WebSocket version that nobody speaks: 426 is due.
        BadVersion = "bad_version",
        /// Upgrades, then resets in the middle of a frame.
        ResetMidFrame = "reset_mid_frame",
        /// A frame without a mask: 1002 is due.
        Unmasked = "unmasked",
        /// A reserved bit: 1002 is due.
        ReservedBits = "reserved_bits",
        /// A reserved opcode: 1002 is due.
        ReservedOpcode = "reserved_opcode",
        /// A ping longer than 125 bytes: 1002 is due.
        LongPing = "long_ping",
        /// Text that is not UTF-8: 1007 is due.
        BadUtf8 = "bad_utf8",
        /// A header that declares a message of 1 TiB: 1009 is due.
        Huge = "huge",
    }
}
