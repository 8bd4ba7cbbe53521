//! How a connection and a message can end. Every attempt ends in exactly one [`Ending`], so that they add up.

use crate::named::named;

named! {
    /// What became of an attempt to connect.
    Ending {
        /// Opened, used, and closed with a closing handshake that we began.
        Clean = "clean",
        /// The peer closed with 1000 or 1001 while we still wanted it.
        ClosedByPeer = "closed_by_peer",
        /// The peer closed with a code that says something went wrong: 1002 and up.
        ClosedWithError = "closed_with_error",
        /// The host has no address.
        Dns = "dns",
        /// Nobody listens there.
        Refused = "refused",
        /// The network says that there is no way.
        Unreachable = "unreachable",
        /// No TCP connection in time.
        ConnectTimeout = "connect_timeout",
        /// The TLS handshake failed: name, chain, or version.
        Tls = "tls",
        /// TCP, but no answer to the upgrade in time.
        HandshakeTimeout = "handshake_timeout",
        /// An HTTP answer other than 101.
        HttpStatus = "http_status",
        /// An answer that is not HTTP, or a 101 that RFC 6455 §4.1 does not allow.
        BadHandshake = "bad_handshake",
        /// The peer chose none of our subprotocols, or another one.
        Subprotocol = "subprotocol",
        /// Reset, or ended without a close frame.
        Reset = "reset",
        /// A frame that RFC 6455 forbids.
        Protocol = "protocol",
        /// Text that is not UTF-8.
        Utf8 = "utf8",
        /// A message over our limit.
        TooBig = "too_big",
        /// A ping that nobody answered in time.
        PingTimeout = "ping_timeout",
        /// We began the closing handshake, and the peer did not end it in time.
        CloseTimeout = "close_timeout",
        /// This process may not open more files.
        Descriptors = "descriptors",
        /// This machine has no port left towards the peer.
        Ports = "ports",
        /// The run ended before the connection did.
        Interrupted = "interrupted",
    }
}

impl Ending {
    /// Whether the attempt ended as it should.
    #[must_use]
    pub const fn is_good(self) -> bool {
        matches!(self, Self::Clean | Self::Interrupted)
    }

    /// Whether this machine, and not the peer, is what gave out.
    #[must_use]
    pub const fn is_ours(self) -> bool {
        matches!(self, Self::Descriptors | Self::Ports)
    }
}

impl Fault {
    /// Whether an answer came and was not the right one: no network and no load explains that.
    #[must_use]
    pub const fn is_wrong_answer(self) -> bool {
        !matches!(self, Self::Lost | Self::Late)
    }
}

named! {
    /// What can be wrong with a message.
    Fault {
        /// Never answered.
        Lost = "lost",
        /// Answered after the timeout.
        Late = "late",
        /// Answered more than once.
        Duplicated = "duplicated",
        /// Answered after a message that was sent later.
        Reordered = "reordered",
        /// Answered with other bytes.
        Corrupted = "corrupted",
        /// A message that answers nothing we sent.
        Unexpected = "unexpected",
    }
}
