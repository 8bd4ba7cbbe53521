//! What went wrong with a connection: how it ended, and in words.

use std::fmt;
use std::io::{self, ErrorKind};

use rustix::io::Errno;
use tokio_tungstenite::tungstenite::Error;
use tokio_tungstenite::tungstenite::error::{ProtocolError, SubProtocolError};

use load_plan::outcome::Ending;

/// A connection that did not come about, or did not last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// How it ended; `None` is a mistake in what was asked for.
    pub ending: Option<Ending>,
    /// What a person reads.
    pub words: String,
}

impl Problem {
    /// The peer, the network or this machine.
    #[must_use]
    pub fn of(ending: Ending, words: String) -> Self {
        Self { ending: Some(ending), words }
    }

    /// The caller.
    #[must_use]
    pub fn usage(words: String) -> Self {
        Self { ending: None, words }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.words)
    }
}

impl std::error::Error for Problem {}

/// Of an attempt to connect to `addr`.
pub(super) fn of_connecting(error: &io::Error, addr: impl fmt::Display) -> Problem {
    let errno = error.raw_os_error().map(Errno::from_raw_os_error);
    let (ending, hint) = match errno {
        Some(Errno::MFILE | Errno::NFILE) => (Ending::Descriptors, "; raise it with ulimit -n"),
        Some(Errno::ADDRNOTAVAIL | Errno::ADDRINUSE) => {
            (Ending::Ports, "; give more addresses with --source-ip")
        }
        Some(Errno::CONNREFUSED) => {
            (Ending::Refused, "; nobody listens there: start it, or look at the port")
        }
        Some(Errno::TIMEDOUT) => (Ending::ConnectTimeout, "; look at the address"),
        Some(Errno::CONNRESET | Errno::CONNABORTED) => (Ending::Reset, ""),
        _ => (Ending::Unreachable, ""),
    };
    Problem::of(ending, format!("cannot connect to {addr}: {error}{hint}"))
}

/// Of the opening handshake.
pub(super) fn of_upgrade(error: &Error, url: &str) -> Problem {
    let (ending, words) = match error {
        Error::Http(response) => {
            let status = response.status();
            let hint = match status.as_u16() {
                401 | 403 => "; give it --bearer-env NAME, --origin or --header",
                200..400 | 404 | 405 => "; look at the path",
                400..500 => "; look at --subprotocol, --origin and --header",
                _ => "",
            };
            (Ending::HttpStatus, format!("{url} answered {status} and not 101{hint}"))
        }
        Error::Protocol(ProtocolError::SecWebSocketSubProtocolError(which)) => {
            let words = match which {
                SubProtocolError::NoSubProtocol => "chose no subprotocol",
                SubProtocolError::InvalidSubProtocol => "chose a subprotocol that was not offered",
                SubProtocolError::ServerSentSubProtocolNoneRequested => {
                    "chose a subprotocol where none was offered"
                }
            };
            (Ending::Subprotocol, format!("{url} {words}"))
        }
        Error::Protocol(ProtocolError::HandshakeIncomplete) => {
            let hint = "; look whether it speaks TLS, and whether a WebSocket is there";
            let words = format!("{url} ended the connection before it answered the upgrade{hint}");
            (Ending::Reset, words)
        }
        Error::Io(error) => return of_io(error, "in the upgrade"),
        other => (
            Ending::BadHandshake,
            format!("{url} did not answer the upgrade as a WebSocket does: {other}"),
        ),
    };
    Problem::of(ending, words)
}

/// Of an open connection.
pub(super) fn of_session(error: &Error) -> Problem {
    match error {
        Error::Io(error) => of_io(error, "while open"),
        Error::Protocol(ProtocolError::ResetWithoutClosingHandshake) => {
            Problem::of(Ending::Reset, "ended without a closing handshake".to_owned())
        }
        Error::Utf8(_) => Problem::of(Ending::Utf8, "text that is not UTF-8".to_owned()),
        Error::Capacity(error) => Problem::of(Ending::TooBig, error.to_string()),
        other => Problem::of(Ending::Protocol, other.to_string()),
    }
}

fn of_io(error: &io::Error, when: &str) -> Problem {
    let ending = match error.kind() {
        ErrorKind::InvalidData => Ending::Protocol,
        _ => Ending::Reset,
    };
    Problem::of(ending, format!("broken {when}: {error}"))
}
