//! The settings, with their defaults.

use std::time::Duration;

use hyper::server::conn::http1;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;

use crate::clock::HttpTimer;
use crate::{Access, Clock, Error};

const KIB: usize = 1024;

/// Upper limit of the default of [`Config::max_connections`].
const MAX_CONNECTIONS: usize = 10_000;

/// Least [`Config::reserve`], if there are as many descriptors.
const MIN_RESERVE: usize = 64;

/// Bytes that may wait for one echo client before tungstenite refuses its next message. Twice the largest message, if
/// that is more.
const MAX_WRITE_BUFFER: usize = 256 * KIB;

/// Largest [`Config::max_message`], in bytes: one connection can make the server hold a few times as much.
const LARGEST_MESSAGE: usize = 16 * 1024 * KIB;

/// Longest message that a dashboard subscriber may send, in bytes. All of them are ignored.
const DASHBOARD_INBOUND: usize = 4 * KIB;

/// Time for a client to send the head of a request, counted anew for each request of a connection.
const HEADER_WITHIN: Duration = Duration::from_secs(5);

/// Most headers in a request; more are answered with 431.
const MAX_HEADERS: usize = 64;

/// Longest head of a request, in bytes; a longer one is answered with 431.
const MAX_HEAD: usize = 16 * KIB;

/// Limits and buffers of one server. Durations are measured by [`Config::clock`].
#[derive(Clone, Debug)]
pub struct Config {
    /// Open connections beyond which a request is answered with 503. Default: 10 000, or 0.8 of the soft descriptor
    /// limit if that is less, so that a descriptor is left for a refusal.
    pub max_connections: usize,
    /// Longest message and longest frame that an echo client may send, in bytes. Default 64 KiB, at least 125 bytes, at
    /// most 16 MiB. tungstenite reserves the length that a frame header declares: without a limit, a header of 14 bytes
    /// could make the server allocate any amount.
    pub max_message: usize,
    /// Bytes read at once from an echo client, allocated for each connection at its upgrade. Default 8 KiB: a smaller
    /// buffer needs more reads for messages of 16 KiB, a larger one no longer fits the cache with a hundred
    /// connections.
    pub read_buffer: usize,
    /// Bytes gathered for an echo client before they are written ahead of the flush. Default 8 KiB.
    pub write_buffer: usize,
    /// Pongs and data frames without a payload that a peer may send within a second; a ping counts as 16 of them, because
    /// its answer is a write. A peer that sends more is closed with 1008. Default 4096, or 256 pings: clients that ping as
    /// a sign of life send one in several seconds.
    pub max_idle_frames: u32,
    /// Time between two dashboard snapshots. Default 250 ms.
    pub tick: Duration,
    /// Longest wait for connections to end after a request to shut down. Default 10 s.
    pub drain: Duration,
    /// Who may use the server. Default: pages of the server itself, and programs that are no browser; loopback only.
    pub access: Access,
    /// Called where a test may make the server panic. Default: none.
    #[doc(hidden)]
    pub fault: Option<fn(Place)>,
    /// The source of time for ticks and timeouts. Default: the machine's clock.
    pub clock: Clock,
}

/// A place at which [`Config::fault`] is called.
#[doc(hidden)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// Before each snapshot.
    Hub,
    /// Before the answer to each request.
    Request,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            max_connections: MAX_CONNECTIONS.min(descriptor_limit() / 10 * 8),
            max_message: 64 * KIB,
            read_buffer: 8 * KIB,
            write_buffer: 8 * KIB,
            max_idle_frames: 4096,
            tick: Duration::from_millis(250),
            drain: Duration::from_secs(10),
            access: Access::default(),
            fault: None,
            clock: Clock::real(),
        }
    }
}

impl Config {
    /// # Errors
    ///
    /// [`Error::Config`] for a value out of range.
    pub fn check(&self) -> Result<(), Error> {
        let rules = [
            (self.max_connections > 0, "--max-connections must be at least 1"),
            (
                self.max_message >= 125,
                "--max-message must be at least 125, the longest control frame",
            ),
            (self.max_message <= LARGEST_MESSAGE, "--max-message may be at most 16777216 (16 MiB)"),
            (
                self.read_buffer > 0 && self.write_buffer > 0,
                "the read buffer and the write buffer must be at least 1 byte",
            ),
            (!self.tick.is_zero(), "--tick-ms must be at least 1"),
        ];
        match rules.iter().find(|(holds, _)| !holds) {
            Some((_, rule)) => Err(Error::Config(rule)),
            None => Ok(()),
        }
    }

    pub(crate) fn fault_at(&self, place: Place) {
        if let Some(fault) = self.fault {
            fault(place);
        }
    }

    /// Connections beyond [`Config::max_connections`] that may send a request, to be refused or to ask for the server's
    /// health. Beyond them a connection is refused at once, so that silent ones cannot use up all descriptors.
    pub(crate) fn reserve(&self) -> usize {
        let spare = descriptor_limit().saturating_sub(self.max_connections);
        (spare / 8).min(MIN_RESERVE.max(self.max_connections / 16))
    }

    /// hyper's settings.
    pub(crate) fn http(&self) -> http1::Builder {
        let mut http = http1::Builder::new();
        http.timer(HttpTimer::new(self.clock.clone()))
            .half_close(true)
            .header_read_timeout(HEADER_WITHIN)
            .max_headers(MAX_HEADERS)
            .max_buf_size(MAX_HEAD);
        http
    }

    /// tungstenite's settings for a session on the echo route.
    #[must_use]
    pub fn echo(&self) -> WebSocketConfig {
        WebSocketConfig::default()
            .read_buffer_size(self.read_buffer)
            .write_buffer_size(self.write_buffer)
            .max_write_buffer_size(MAX_WRITE_BUFFER.max(2 * (self.max_message + self.write_buffer)))
            .max_message_size(Some(self.max_message))
            .max_frame_size(Some(self.max_message))
    }

    pub(crate) fn dashboard(&self) -> WebSocketConfig {
        WebSocketConfig::default()
            .read_buffer_size(KIB)
            .write_buffer_size(4 * KIB)
            .max_write_buffer_size(64 * KIB)
            .max_message_size(Some(DASHBOARD_INBOUND))
            .max_frame_size(Some(DASHBOARD_INBOUND))
    }
}

/// The soft limit on open descriptors; `usize::MAX` if there is none.
fn descriptor_limit() -> usize {
    let limit = rustix::process::getrlimit(rustix::process::Resource::Nofile).current;
    limit.and_then(|limit| usize::try_from(limit).ok()).unwrap_or(usize::MAX)
}
