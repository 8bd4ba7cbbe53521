//! Streams whose bytes are counted by the port of their peer.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};

use server::socket::Accepted;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_util::io::{InspectReader, InspectWriter};

/// The end of the close frame of a server that drains.
const CLOSE: &[u8] = b"server is shutting down";

/// Bytes that the server read behind each peer's request, until it wrote its close frame.
#[derive(Default)]
pub(super) struct Book(Mutex<HashMap<u16, u64>>);

impl Book {
    pub(super) fn watch(
        self: &Arc<Self>,
        stream: Accepted,
    ) -> impl AsyncRead + AsyncWrite + Unpin + Send + use<> {
        let port = stream.peer_addr().map_or(0, |addr| addr.port());
        let book = Arc::clone(self);
        // Whether the 101 was written, and the close frame was not.
        let counts = Arc::new(AtomicBool::new(false));
        let upgraded = Arc::clone(&counts);
        let read = InspectReader::new(stream, move |bytes| {
            if counts.load(Relaxed) {
                book.add(port, bytes.len() as u64);
            }
        });
        InspectWriter::new(read, move |bytes| {
            if bytes.starts_with(b"HTTP/1.1 101 ") {
                upgraded.store(true, Relaxed);
            } else if bytes.ends_with(CLOSE) {
                upgraded.store(false, Relaxed);
            }
        })
    }

    fn add(&self, port: u16, bytes: u64) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner).entry(port).or_default() += bytes;
    }

    pub(super) fn read(&self, port: u16) -> u64 {
        let ports = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        ports.get(&port).copied().unwrap_or_default()
    }
}
