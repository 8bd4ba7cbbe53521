//! What the servers share: their flags, and sockets that waste a known time.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};

/// Runs a server on one thread, at the port of its flags: `--port PORT [--slow-ns NANOSECONDS]`.
pub fn run<S: Future<Output = io::Result<()>>>(serve: impl FnOnce(Slowed) -> S) -> io::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let flag = |name: &str, unset: u64| {
        let at = arguments.iter().position(|argument| argument == name);
        at.map_or(Ok(unset), |at| arguments.get(at + 1).map_or(Ok(unset), |value| value.parse()))
    };
    let number = |name, unset| {
        flag(name, unset)
            .map_err(|_| io::Error::other(format!("{name} is no number; write {name} 1234")))
    };
    let port = number("--port", 0)? as u16;
    let delay = Duration::from_nanos(number("--slow-ns", 0)?);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
        serve(Slowed { listener, delay }).await
    })
}

/// A listener whose connections waste time.
pub struct Slowed {
    listener: TcpListener,
    delay: Duration,
}

impl Slowed {
    /// The next connection.
    pub async fn next(&self) -> io::Result<(SlowStream, SocketAddr)> {
        let (stream, peer) = self.listener.accept().await?;
        stream.set_nodelay(true)?;
        Ok((SlowStream { stream, delay: self.delay }, peer))
    }
}

impl axum::serve::Listener for Slowed {
    type Io = SlowStream;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (SlowStream, SocketAddr) {
        loop {
            // A client that is gone already is none of the server's errors.
            if let Ok(accepted) = self.next().await {
                return accepted;
            }
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }
}

/// A connection that keeps the processor busy for a time after each read that brings a message.
pub struct SlowStream {
    stream: TcpStream,
    delay: Duration,
}

impl AsyncRead for SlowStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        ready!(Pin::new(&mut self.stream).poll_read(cx, buffer))?;
        if !self.delay.is_zero() {
            let begin = Instant::now();
            while begin.elapsed() < self.delay {
                std::hint::spin_loop();
            }
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for SlowStream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, bytes)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
