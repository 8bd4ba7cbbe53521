use std::io;
use std::net::SocketAddr;

/// What can stop a server from doing its work, by what the caller can do about it.
#[derive(Debug)]
pub enum Error {
    /// The address cannot be listened on: take another one, or port 0.
    Bind {
        /// The address that was asked for.
        addr: SocketAddr,
        /// The system's reason.
        source: io::Error,
    },
    /// A configuration value that no server can run with.
    Config(String),
    /// The runtime or the listener broke; nothing that the caller passed is at fault.
    Io(io::Error),
    /// The server's own thread panicked.
    Panicked,
}

impl std::fmt::Display for Error {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Bind { addr, source } => write!(
                f,
                "cannot listen on {addr}: {source}; stop what holds it, or choose another address (port 0 takes a free one)"
            ),
            Self::Config(reason) => f.write_str(reason),
            Self::Io(source) => write!(f, "the server broke: {source}"),
            Self::Panicked => f.write_str("the server's thread panicked; its message is on stderr"),
        }
    }
}

/// Without a source: the message holds it already.
impl std::error::Error for Error {}

impl From<io::Error> for Error {
    fn from(source: io::Error) -> Self {
        Self::Io(source)
    }
}
