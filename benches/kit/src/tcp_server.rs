//! A raw TCP server on a thread of its own: the same runtime and sockets as the WebSocket server, without WebSocket.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::thread::JoinHandle;

use anyhow::{Result, anyhow};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime;
use tokio::sync::Notify;

/// A running server on 127.0.0.1 at a free port, with a thread and a current-thread runtime as `server::Embedded` has
/// them. Dropping it stops it.
#[derive(Debug)]
pub struct TcpServer {
    addr: SocketAddr,
    stop: Arc<Notify>,
    thread: Option<JoinHandle<std::io::Result<()>>>,
}

impl TcpServer {
    /// Serves every connection with `serve`; `TCP_NODELAY` is set.
    ///
    /// Errors of `serve` are dropped: the client of a broken connection misses its answer and reports it.
    ///
    /// # Errors
    ///
    /// If the machine has no thread, port or descriptor left.
    pub fn start<H, F>(serve: H) -> Result<Self>
    where
        H: Fn(TcpStream) -> F + Send + 'static,
        F: Future<Output = std::io::Result<()>> + Send + 'static,
    {
        let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        listener.set_nonblocking(true)?;
        let addr = listener.local_addr()?;
        let stop = Arc::new(Notify::new());
        let stopped = Arc::clone(&stop);
        let thread =
            std::thread::Builder::new().name("tcp-server".to_owned()).spawn(move || {
                let runtime = runtime::Builder::new_current_thread().enable_io().build()?;
                runtime.block_on(async {
                    let listener = TcpListener::from_std(listener)?;
                    loop {
                        let (stream, _) = tokio::select! {
                            () = stopped.notified() => return Ok(()),
                            accepted = listener.accept() => accepted?,
                        };
                        stream.set_nodelay(true)?;
                        tokio::spawn(serve(stream));
                    }
                })
            })?;
        Ok(Self { addr, stop, thread: Some(thread) })
    }

    /// Where it listens.
    #[must_use]
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Drops its connections and joins its thread.
    ///
    /// # Errors
    ///
    /// If it ended early, with the reason.
    pub fn stop(mut self) -> Result<()> {
        self.join().unwrap_or(Ok(()))
    }

    fn join(&mut self) -> Option<Result<()>> {
        self.stop.notify_one();
        let joined = self.thread.take()?.join();
        Some(match joined {
            Ok(served) => served.map_err(Into::into),
            Err(_) => Err(anyhow!("the raw TCP server panicked; its message is on stderr")),
        })
    }
}

impl Drop for TcpServer {
    fn drop(&mut self) {
        // A caller that wants the error calls `stop`.
        self.join();
    }
}
