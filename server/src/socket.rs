//! Listening sockets and accepted ones, with their options.

use std::io::{self, IoSlice};
use std::net::{SocketAddr, TcpListener};
use std::os::fd::{AsFd, BorrowedFd};
use std::pin::Pin;
use std::task::{Context as Task, Poll};
use std::time::Duration;

use rustix::net::{AddressFamily, SocketFlags, SocketType, sockopt};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

use crate::{Config, Error};

/// `SO_SNDBUF` of a connection until its peer has taken [`TAKEN`], in bytes; Linux doubles it, to account for its own
/// overhead. A peer that never reads holds no more of the kernel's memory; by default it would be up to 4 MiB (`tcp_wmem`).
pub const FIRST_SEND_BUFFER: usize = 16 * 1024;

/// `SO_RCVBUF` of a connection until its peer has taken [`TAKEN`], in bytes, doubled as well. With less, the window would
/// stay smaller than [`RECEIVE_BUFFER`] allows, and a message of 32 KiB or more would take longer.
pub const FIRST_RECEIVE_BUFFER: usize = 36 * 1024;

/// `SO_SNDBUF` of a connection whose peer reads, in bytes. With less than the largest segment of a loopback (64 KiB), the
/// sender of a large message waits for acknowledgements that are delayed.
pub const SEND_BUFFER: usize = 64 * 1024;

/// `SO_RCVBUF` of a connection whose peer reads, in bytes. It does not grow by itself. With less, a message of 64 KiB does
/// not fit and takes longer; with more, a far client could send faster than 64 KiB in a round trip.
pub const RECEIVE_BUFFER: usize = 64 * 1024;

/// Bytes behind which a peer is taken to read: more than Linux takes for one that does not. That is what the peer's own
/// receive buffer holds, 128 KiB by default, and the first send buffer. A peer with a larger one holds as much itself.
pub const TAKEN: usize = 192 * 1024;

/// Longest time without an acknowledgement, or without room at the peer, while bytes wait in the kernel. As long as a ping
/// may wait for its answer. It also ends what is left of a connection that was dropped after 5 s because its peer did not
/// read: the kernel would hold a full send buffer for as long as that peer answers its probes.
pub const UNREAD_WITHIN: Duration = Duration::from_secs(10);

/// Shortest queue of connections that wait to be accepted. Clients beyond the limit also wait there for their refusal.
const MIN_BACKLOG: usize = 128;

/// Listens on `addr`, without blocking. Port 0 takes a free port.
///
/// # Errors
///
/// [`Error::Bind`].
pub fn listen(addr: SocketAddr, config: &Config) -> Result<TcpListener, Error> {
    bind(addr, config).map_err(|cause| Error::Bind { addr, cause })
}

fn bind(addr: SocketAddr, config: &Config) -> io::Result<TcpListener> {
    let family = if addr.is_ipv4() { AddressFamily::INET } else { AddressFamily::INET6 };
    let socket = rustix::net::socket_with(family, SocketType::STREAM, SocketFlags::CLOEXEC, None)?;
    // As std does: a restarted server need not wait for the connections of the last one to time out.
    sockopt::set_socket_reuseaddr(&socket, true)?;
    rustix::net::bind(&socket, &addr)?;
    let listener = TcpListener::from(socket);
    prepare(&listener, config)?;
    Ok(listener)
}

/// Sets the options of [`listen`] on a socket that is bound and may listen already, as one from a service manager does.
///
/// Accepted sockets inherit them on Linux. The receive buffer is the one that they grow to, because a connection scales
/// its window once, by the buffer at its beginning (RFC 7323). Connections that completed before this call keep the
/// options that the socket had.
///
/// # Errors
///
/// The system's reason, if `listener` is not a TCP socket.
pub fn prepare(listener: &TcpListener, config: &Config) -> io::Result<()> {
    // The system caps the backlog (`net.core.somaxconn`). Listening again changes it and keeps those who wait.
    let backlog = i32::try_from(config.max_connections.max(MIN_BACKLOG)).unwrap_or(i32::MAX);
    sockopt::set_socket_send_buffer_size(listener, FIRST_SEND_BUFFER)?;
    sockopt::set_socket_recv_buffer_size(listener, RECEIVE_BUFFER)?;
    sockopt::set_tcp_user_timeout(listener, UNREAD_WITHIN.as_secs() as u32 * 1000)?;
    sockopt::set_tcp_nodelay(listener, true)?;
    rustix::net::listen(listener, backlog)?;
    listener.set_nonblocking(true)
}

/// An accepted connection with `TCP_NODELAY`. Its buffers are small until the peer has taken [`TAKEN`] bytes.
#[derive(Debug)]
pub struct Accepted {
    stream: TcpStream,
    /// Bytes to be taken until the buffers grow; 0 since then.
    untaken: usize,
}

impl Accepted {
    /// `has_nodelay`: whether `stream` has inherited `TCP_NODELAY`, so that it need not be set.
    ///
    /// # Errors
    ///
    /// The system's reason: the peer has already reset the connection.
    pub(crate) fn new(stream: TcpStream, has_nodelay: bool) -> io::Result<Self> {
        sockopt::set_socket_recv_buffer_size(&stream, FIRST_RECEIVE_BUFFER)?;
        if !has_nodelay {
            stream.set_nodelay(true)?;
        }
        Ok(Self { stream, untaken: TAKEN })
    }

    /// The address of the peer.
    ///
    /// # Errors
    ///
    /// The system's reason: the connection has ended.
    pub fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.stream.peer_addr()
    }

    fn note(&mut self, written: &Poll<io::Result<usize>>) {
        let Poll::Ready(Ok(written)) = written else { return };
        if self.untaken == 0 {
            return;
        }
        self.untaken = self.untaken.saturating_sub(*written);
        if self.untaken == 0 {
            let grown = sockopt::set_socket_send_buffer_size(&self.stream, SEND_BUFFER)
                .and_then(|()| sockopt::set_socket_recv_buffer_size(&self.stream, RECEIVE_BUFFER));
            if let Err(error) = grown {
                tracing::debug!(%error, "the buffers of a connection stay small");
            }
        }
    }
}

impl AsFd for Accepted {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.stream.as_fd()
    }
}

impl AsyncRead for Accepted {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Task<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buffer)
    }
}

impl AsyncWrite for Accepted {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Task<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.note(&written);
        written
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Task<'_>,
        buffers: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(cx, buffers);
        self.note(&written);
        written
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Task<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Task<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
