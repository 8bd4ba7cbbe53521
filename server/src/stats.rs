//! Live counters of one server. Updates are relaxed atomics; a batch of messages costs as much as one message.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use hdrhistogram::Histogram;
use strum::{IntoStaticStr, VariantArray};
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;

use crate::clock::nanoseconds;
use crate::lock::lock;

/// The kind of an error, by which errors are counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, IntoStaticStr, VariantArray)]
#[strum(serialize_all = "snake_case")]
pub enum ErrorKind {
    /// The accept call failed, for example because no descriptor was free.
    Accept,
    /// Bytes that are not HTTP, or a request head that was too long or too slow.
    Http,
    /// A frame that RFC 6455 forbids; closed with 1002.
    Protocol,
    /// Text that is not UTF-8; closed with 1007.
    Utf8,
    /// A message or a frame over the limit; closed with 1009.
    TooBig,
    /// Too many fragments, or too many frames that carry next to nothing; closed with 1008.
    Policy,
    /// The connection broke, or ended without a close frame.
    Reset,
    /// A silent peer that did not answer a ping; dropped.
    Silent,
    /// A subscriber that stayed paused for too long; closed with 1013.
    Slow,
    /// A peer that took nothing of what was written to it for 5 s; dropped. Also a back-pressure event.
    Stalled,
    /// A request refused for its host or its origin (403), or for want of the token (401).
    Access,
    /// An error of the server itself; closed with 1011.
    Internal,
}

impl ErrorKind {
    /// Every kind, in the order of snapshots and metrics.
    pub const ALL: &[Self] = Self::VARIANTS;

    /// The name in snapshots and metrics.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.into()
    }
}

/// The close codes that are counted one by one; any other counts as the last, 0.
pub const CLOSE_CODES: [u16; 11] = [1000, 1001, 1002, 1003, 1005, 1007, 1008, 1009, 1011, 1013, 0];

macro_rules! counters {
    ($($(#[$doc:meta])* $name:ident,)*) => {
        /// All counters at one moment. They are read one after the other: under load they may differ by a message.
        #[derive(Clone, Debug, Default, PartialEq, Eq)]
        pub struct Counters {
            $($(#[$doc])* pub $name: u64,)*
            /// Errors by kind, in the order of [`ErrorKind::ALL`].
            pub errors: [u64; ErrorKind::ALL.len()],
            /// Closed WebSockets by code, in the order of [`CLOSE_CODES`].
            pub closes: [u64; CLOSE_CODES.len()],
        }

        /// The live counters.
        #[derive(Debug)]
        pub struct Stats {
            $(pub(crate) $name: AtomicU64,)*
            errors: [AtomicU64; ErrorKind::ALL.len()],
            closes: [AtomicU64; CLOSE_CODES.len()],
            limit: u64,
            handling: Mutex<Histogram<u64>>,
        }

        impl Stats {
            pub(crate) fn new(max_connections: usize) -> Self {
                Self {
                    $($name: AtomicU64::new(0),)*
                    errors: Default::default(),
                    closes: Default::default(),
                    limit: max_connections as u64,
                    handling: Mutex::new(handling_histogram()),
                }
            }

            /// All counters now.
            #[must_use]
            pub fn counters(&self) -> Counters {
                Counters {
                    $($name: self.$name.load(Relaxed),)*
                    errors: self.errors.each_ref().map(|count| count.load(Relaxed)),
                    closes: self.closes.each_ref().map(|count| count.load(Relaxed)),
                }
            }
        }
    };
}

counters! {
    /// Accepted TCP connections that are still open, HTTP or WebSocket.
    connections_open,
    /// Accepted TCP connections.
    connections_total,
    /// Requests answered with 503 because the connection limit was reached.
    connections_refused,
    /// Open WebSockets on the echo route.
    echo_open,
    /// Open WebSockets on the dashboard route.
    dashboard_open,
    /// Upgraded connections, both routes.
    upgrades_total,
    /// Echo messages received.
    messages_in,
    /// Echo messages written to the kernel.
    messages_out,
    /// Payload bytes of the messages received.
    bytes_in,
    /// Payload bytes of the messages written.
    bytes_out,
    /// Snapshots offered to subscribers. Those neither sent nor skipped wait in a queue.
    snapshots_offered,
    /// Snapshots sent to subscribers.
    snapshots_sent,
    /// Snapshots that subscribers did not get because they were paused or late.
    snapshots_skipped,
    /// Times a subscriber reached its high watermark, and peers that were dropped as stalled.
    backpressure_events,
}

impl Counters {
    /// The errors by name.
    pub(crate) fn errors_by_name(&self) -> [(&'static str, u64); ErrorKind::ALL.len()] {
        std::array::from_fn(|i| (ErrorKind::ALL[i].name(), self.errors[i]))
    }

    /// The closed WebSockets by code.
    pub(crate) fn closes_by_code(&self) -> [(u16, u64); CLOSE_CODES.len()] {
        std::array::from_fn(|i| (CLOSE_CODES[i], self.closes[i]))
    }
}

/// Nanoseconds up to ten seconds, with two digits. It takes 26 KiB.
pub(crate) fn handling_histogram() -> Histogram<u64> {
    Histogram::new_with_bounds(1, 10_000_000_000, 2).expect("constant bounds are valid")
}

impl Stats {
    /// Open connections beyond which requests are refused.
    #[must_use]
    pub fn connection_limit(&self) -> u64 {
        self.limit
    }

    pub(crate) fn error(&self, kind: ErrorKind) {
        if kind == ErrorKind::Stalled {
            self.backpressure_events.fetch_add(1, Relaxed);
        }
        self.errors[kind as usize].fetch_add(1, Relaxed);
    }

    pub(crate) fn closed(&self, code: CloseCode) {
        let code = u16::from(code);
        let slot =
            CLOSE_CODES.iter().position(|known| *known == code).unwrap_or(CLOSE_CODES.len() - 1);
        self.closes[slot].fetch_add(1, Relaxed);
    }

    pub(crate) fn received(&self, messages: u64, bytes: u64) {
        self.messages_in.fetch_add(messages, Relaxed);
        self.bytes_in.fetch_add(bytes, Relaxed);
    }

    /// The kernel took a batch, `took` after its first byte was read.
    pub(crate) fn sent(&self, messages: u64, bytes: u64, took: Duration) {
        self.messages_out.fetch_add(messages, Relaxed);
        self.bytes_out.fetch_add(bytes, Relaxed);
        lock(&self.handling).saturating_record(nanoseconds(took));
    }

    /// Moves the times recorded since the last call into `interval`, and adds them to `total`.
    pub(crate) fn take_handling(&self, interval: &mut Histogram<u64>, total: &mut Histogram<u64>) {
        interval.reset();
        std::mem::swap(&mut *lock(&self.handling), interval);
        total.add(&*interval).expect("both histograms have the same bounds");
    }
}

/// Counts one more open connection or session while it lives.
#[derive(Debug)]
pub(crate) struct OpenGuard<'a>(&'a AtomicU64);

impl<'a> OpenGuard<'a> {
    pub(crate) fn new(gauge: &'a AtomicU64) -> Self {
        gauge.fetch_add(1, Relaxed);
        Self(gauge)
    }
}

impl Drop for OpenGuard<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Relaxed);
    }
}
