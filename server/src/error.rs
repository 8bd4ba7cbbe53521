use std::io;
use std::net::SocketAddr;

/// A reason for which a server cannot start or go on.
// Without `source()`: the messages contain the cause.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The server cannot listen on the address.
    #[error("cannot listen on {addr}: {cause}; choose another address, or port 0 for a free one")]
    Bind {
        /// The requested address.
        addr: SocketAddr,
        /// The system's reason.
        cause: io::Error,
    },
    /// The address can be reached from other machines, and [`crate::Access`] does not say who may use it.
    #[error(
        "{addr} can be reached from other machines, so the server needs {missing}; \
         or give it --insecure to serve everyone who reaches it"
    )]
    Exposed {
        /// The address.
        addr: SocketAddr,
        /// The flags of `ws-server` that are missing.
        missing: &'static str,
    },
    /// A setting is out of range.
    #[error("{0}")]
    Config(&'static str),
    /// The runtime or the listener failed; the caller's settings are not the cause.
    #[error("the server failed: {0}")]
    Io(io::Error),
    /// The server's own thread panicked.
    #[error("the server's thread panicked; its message is on stderr")]
    Panicked,
}

impl From<io::Error> for Error {
    fn from(cause: io::Error) -> Self {
        Self::Io(cause)
    }
}
