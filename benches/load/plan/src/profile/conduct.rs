use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::named::named;

/// Connections that do not behave as well-mannered clients do.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Conduct {
    /// Churn: every connection is closed after this time and opened again.
    #[serde(with = "crate::units::optional_duration")]
    pub lifetime: Option<Duration>,
    /// All connections are cut at once, repeatedly.
    pub storm: Option<Storm>,
    /// Additional connections that send and do not read.
    pub slow_readers: Option<SlowReaders>,
    /// Additional connections that break the protocol.
    pub hostile: Option<Hostile>,
}

/// All connections are cut at once and opened again.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Storm {
    /// Time between two storms.
    #[serde(with = "crate::units::duration")]
    pub every: Duration,
    /// Each connection is opened again at a random moment within this time (RFC 6455 §7.2.3).
    #[serde(with = "crate::units::duration")]
    pub jitter: Duration,
}

/// Connections that send and do not read.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SlowReaders {
    /// Number of connections.
    pub connections: u32,
    /// Bytes that each connection reads per second; 0 reads nothing.
    #[serde(with = "crate::units::bytes")]
    pub bytes_per_s: usize,
}

/// Violations of a protocol, each on a new connection.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hostile {
    /// Provocations per second.
    pub rate: f64,
    /// The kinds to try in turn; all kinds if empty.
    #[serde(default)]
    pub kinds: Vec<Provocation>,
}

named! {
    /// Something that a target must survive.
    Provocation {
        /// Connects and resets at once.
        ConnectReset = "connect_reset",
        /// Connects and sends nothing.
        HalfOpen = "half_open",
        /// Sends bytes that are not HTTP.
        NotHttp = "not_http",
        /// Asks for a WebSocket version that does not exist: the right answer is 426.
        BadVersion = "bad_version",
        /// Upgrades, and resets in the middle of a frame.
        ResetMidFrame = "reset_mid_frame",
        /// Sends a frame without a mask: the right answer is 1002.
        Unmasked = "unmasked",
        /// Sets a reserved bit: the right answer is 1002.
        ReservedBits = "reserved_bits",
        /// Sends a reserved opcode: the right answer is 1002.
        ReservedOpcode = "reserved_opcode",
        /// Sends a ping longer than 125 bytes: the right answer is 1002.
        LongPing = "long_ping",
        /// Sends text that is not UTF-8: the right answer is 1007.
        BadUtf8 = "bad_utf8",
        /// Declares a message of 1 TiB: the right answer is 1009.
        Huge = "huge",
    }
}
