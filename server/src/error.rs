use std::io;
use std::net::SocketAddr;

/// A reason for which a server cannot start or go on.
#[derive(Debug)]
pub enum Error {
    /// The server cannot listen on the address.
    Bind {
        /// The requested address.
        addr: SocketAddr,
        /// The system's reason.
        source: io::Error,
    },
    /// A setting is out of range.
    Config(String),
    /// The runtime or the listener failed; the caller's settings are not the cause.
    Io(io::Error),
    /// The server's own thread panicked.
    Panicked,
}

impl std::fmt::Display for Error {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Bind { addr, source } => write!(
                f,
                "cannot listen on {addr}: {source}; choose another address, or port 0 for a free one"
            ),
            Self::Config(reason) => f.write_str(reason),
            Self::Io(source) => write!(f, "the server failed: {source}"),
            Self::Panicked => f.write_str("the server's thread panicked; its message is on stderr"),
        }
    }
}

/// Without a source: the message contains it.
impl std::error::Error for Error {}

impl From<io::Error> for Error {
    fn from(source: io::Error) -> Self {
        Self::Io(source)
    }
}
