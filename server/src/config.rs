//! What a caller may choose, with the defaults.

use std::time::Duration;

use hyper::server::conn::http1;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;

use crate::clock::HttpTimer;
use crate::{Clock, Error};

const KIB: usize = 1024;

/// Most connections a server takes by default, whatever the descriptor limit allows.
const MAX_CONNECTIONS: usize = 10_000;

/// Bytes that may wait for one echo client before its next message is refused; a message larger than half of this
/// raises it.
const MAX_WRITE_BUFFER: usize = 256 * KIB;

/// Largest [`Config::max_message`], in bytes: each connection may make the server hold a few times as much.
const LARGEST_MESSAGE: usize = 16 * 1024 * KIB;

/// Longest message a dashboard subscriber may send, in bytes: it has nothing to say.
const DASHBOARD_INBOUND: usize = 4 * KIB;

/// Time for a client to send the head of a request, counted anew for each request of a connection.
const HEADER_WITHIN: Duration = Duration::from_secs(5);

/// Most headers in a request; more are answered with 431.
const MAX_HEADERS: usize = 64;

/// Longest head of a request, in bytes; a longer one is answered with 431.
const MAX_HEAD: usize = 16 * KIB;

/// Limits and buffers of one server. Durations are real unless [`Config::clock`] says otherwise.
#[derive(Clone, Debug)]
pub struct Config {
    /// Open connections beyond which a request is answered with 503. Default: the smaller of 10 000 and 0.8 of the
    /// soft descriptor limit, so that logs and refusals still find a descriptor.
    pub max_connections: usize,
    /// Longest message and longest frame an echo client may send, in bytes. Default 64 KiB, at most 16 MiB. tungstenite reserves the
    /// length that a frame header declares, so this bounds what fourteen bytes can make the server allocate.
    pub max_message: usize,
    /// Bytes read at once from an echo client, allocated for each connection at its upgrade. Default 8 KiB: less
    /// costs reads on messages of 16 KiB, more falls out of the cache at a hundred connections.
    pub read_buffer: usize,
    /// Bytes gathered for an echo client before they are written without waiting for the flush. Default 8 KiB.
    pub write_buffer: usize,
    /// Time between two dashboard snapshots. Default 250 ms.
    pub tick: Duration,
    /// Longest wait for connections to end once shutdown was asked for. Default 10 s.
    pub drain: Duration,
    /// The time that ticks and timeouts go by. Default: the machine's.
    pub clock: Clock,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            max_connections: MAX_CONNECTIONS.min(descriptor_limit() / 10 * 8),
            max_message: 64 * KIB,
            read_buffer: 8 * KIB,
            write_buffer: 8 * KIB,
            tick: Duration::from_millis(250),
            drain: Duration::from_secs(10),
            clock: Clock::real(),
        }
    }
}

impl Config {
    /// # Errors
    ///
    /// [`Error::Config`] for a value that no connection could be served with.
    pub fn check(&self) -> Result<(), Error> {
        let refuse = |what: &str| Err(Error::Config(what.to_owned()));
        if self.max_connections == 0 {
            return refuse("no connection could ever be taken: set --max-connections to 1 or more");
        }
        if self.max_message < 125 {
            return refuse("a control frame may carry 125 bytes: set --max-message to 125 or more");
        }
        if self.max_message > LARGEST_MESSAGE {
            return refuse(
                "a message of more than 16 MiB belongs into several: set --max-message to 16777216 or less",
            );
        }
        if self.read_buffer == 0 || self.write_buffer == 0 {
            return refuse("a buffer of 0 bytes moves nothing: set it to 1 or more");
        }
        if self.tick.is_zero() {
            return refuse("the dashboard cannot tick without pause: set --tick-ms to 1 or more");
        }
        Ok(())
    }

    /// hyper's settings.
    pub(crate) fn http(&self) -> http1::Builder {
        let mut http = http1::Builder::new();
        http.timer(HttpTimer::new(self.clock.clone()))
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

/// Soft limit on open descriptors; "unlimited" counts as very many.
fn descriptor_limit() -> usize {
    let limit = rustix::process::getrlimit(rustix::process::Resource::Nofile).current;
    limit.and_then(|limit| usize::try_from(limit).ok()).unwrap_or(usize::MAX)
}
