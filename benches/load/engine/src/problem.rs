//! Why a connection failed: how it ended, and words for a person.

use std::fmt;
use std::io::{self, ErrorKind};

use rustix::io::Errno;
use tokio_tungstenite::tungstenite::Error;
use tokio_tungstenite::tungstenite::error::{CapacityError, ProtocolError, SubProtocolError};

use load_plan::outcome::Ending;

/// The failure of a connection, or a mistake of the user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// How the connection ended; `None` for a mistake of the user.
    pub ending: Option<Ending>,
    /// The problem and its cure, for a person.
    pub words: String,
}

impl Problem {
    /// A failure of the peer, the network or this machine.
    #[must_use]
    pub fn of(ending: Ending, words: String) -> Self {
        Self { ending: Some(ending), words }
    }

    /// A mistake of the user.
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

/// The problem with an attempt to connect to `addr`.
pub(super) fn of_connecting(error: &io::Error, addr: impl fmt::Display) -> Problem {
    let errno = error.raw_os_error().map(Errno::from_raw_os_error);
    let (ending, hint) = match errno {
        Some(Errno::MFILE | Errno::NFILE) => (Ending::Descriptors, "; raise it with ulimit -n"),
        Some(Errno::ADDRNOTAVAIL | Errno::ADDRINUSE) => {
            (Ending::Ports, "; give more addresses of this machine with --source-ip")
        }
        Some(Errno::CONNREFUSED) => {
            (Ending::Refused, "; no program listens there: start it, or look at the port")
        }
        Some(Errno::TIMEDOUT) => (Ending::ConnectTimeout, "; look at the address"),
        Some(Errno::CONNRESET | Errno::CONNABORTED) => (Ending::Reset, ""),
        _ => (Ending::Unreachable, ""),
    };
    Problem::of(ending, format!("cannot connect to {addr}: {error}{hint}"))
}

/// The problem with the upgrade of a connection to `url`.
pub(super) fn of_upgrade(error: &Error, url: &str) -> Problem {
    let (ending, words) = match error {
        Error::Http(response) => {
            let status = response.status();
            let hint = match status.as_u16() {
                401 => "; give it --bearer-file FILE or --header",
                403 => {
                    "; give it --origin or --header, or let the target allow the host in its URL"
                }
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
            let hint =
                "; look whether it needs wss://, and whether it has a WebSocket at that path";
            let words = format!("{url} ended the connection before it answered the upgrade{hint}");
            (Ending::Reset, words)
        }
        Error::Io(error) => return of_io(error, "in the upgrade"),
        other => (
            Ending::BadHandshake,
            format!("{url} did not answer the upgrade like a WebSocket: {other}"),
        ),
    };
    Problem::of(ending, words)
}

/// The problem with an open connection.
pub(super) fn of_session(error: &Error) -> Problem {
    match error {
        Error::Io(error) => of_io(error, "while open"),
        Error::Protocol(ProtocolError::ResetWithoutClosingHandshake) => {
            Problem::of(Ending::Reset, "ended without a closing handshake".to_owned())
        }
        Error::Utf8(_) => Problem::of(Ending::Utf8, "text that is not UTF-8".to_owned()),
        Error::Capacity(CapacityError::MessageTooLong { size, max_size }) => {
            let words = format!(
                "an answer of {size} bytes or more; at most {max_size} are taken. If the target may \
                 send that much, write its longest answer into traffic.sizes"
            );
            Problem::of(Ending::TooBig, words)
        }
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
