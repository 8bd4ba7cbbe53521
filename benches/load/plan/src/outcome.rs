//! How connections and messages end. Every attempt to connect ends in exactly one [`Ending`], so that they add up.

use crate::named::named;

named! {
    /// The end of a connection, or of an attempt to connect.
    Ending {
        /// Closed by a closing handshake of ours.
        Clean = "clean",
        /// The peer closed with code 1000 or 1001 before we did.
        ClosedByPeer = "closed_by_peer",
        /// The peer closed with an error: code 1002 or higher.
        ClosedWithError = "closed_with_error",
        /// The host name has no address.
        Dns = "dns",
        /// No program listens at the address.
        Refused = "refused",
        /// The network has no route to the address.
        Unreachable = "unreachable",
        /// TCP did not connect in time.
        ConnectTimeout = "connect_timeout",
        /// The TLS handshake failed: name, certificate chain or version.
        Tls = "tls",
        /// TCP connected, but the upgrade was not answered in time.
        HandshakeTimeout = "handshake_timeout",
        /// The upgrade was answered with an HTTP status other than 101.
        HttpStatus = "http_status",
        /// The answer was not HTTP, or a 101 that RFC 6455 §4.1 does not allow.
        BadHandshake = "bad_handshake",
        /// The peer chose no subprotocol, or one that was not offered.
        Subprotocol = "subprotocol",
        /// TCP was reset, or ended without a close frame.
        Reset = "reset",
        /// The peer sent a frame that RFC 6455 forbids.
        Protocol = "protocol",
        /// The peer sent text that is not UTF-8.
        Utf8 = "utf8",
        /// The peer sent a message over our limit.
        TooBig = "too_big",
        /// A ping was not answered in time.
        PingTimeout = "ping_timeout",
        /// The peer did not answer our closing handshake in time.
        CloseTimeout = "close_timeout",
        /// This process may not open any more files.
        Descriptors = "descriptors",
        /// This machine has no free port towards the peer.
        Ports = "ports",
        /// The run ended before the connection did.
        Interrupted = "interrupted",
    }
}

impl Ending {
    /// Whether the ending is not an error.
    #[must_use]
    pub const fn is_good(self) -> bool {
        matches!(self, Self::Clean | Self::Interrupted)
    }

    /// Whether this machine failed, and not the peer.
    #[must_use]
    pub const fn is_ours(self) -> bool {
        matches!(self, Self::Descriptors | Self::Ports)
    }
}

impl Fault {
    /// Whether an answer came and was wrong, which neither the network nor the load explains.
    #[must_use]
    pub const fn is_wrong_answer(self) -> bool {
        !matches!(self, Self::Lost | Self::Late)
    }
}

named! {
    /// An error of a message.
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
        /// A received message that does not answer any that was sent.
        Unexpected = "unexpected",
    }
}
