//! Listening sockets, with their options.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::time::Duration;

use rustix::net::{AddressFamily, SocketFlags, SocketType, sockopt};

use crate::{Config, Error};

/// `SO_SNDBUF` of every connection, in bytes; Linux doubles it, to account for its own overhead. With less than the largest
/// segment of a loopback (64 KiB), the sender of a large message waits for acknowledgements that are delayed; with more,
/// peers that never read hold more memory of the kernel: by default up to 4 MiB each (`tcp_wmem`).
pub const SEND_BUFFER: usize = 64 * 1024;

/// `SO_RCVBUF` of every connection, in bytes; Linux doubles it, and begins with as much by itself. It no longer grows,
/// so that what a peer sends while the server does not read from it stays as little. With less, a message of 64 KiB does
/// not fit and takes longer; with more, a far client can send faster than 64 KiB in a round trip.
pub const RECEIVE_BUFFER: usize = 64 * 1024;

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
/// Accepted sockets inherit both sizes and `TCP_USER_TIMEOUT` on Linux, so that no connection needs a call of its own.
/// Connections that completed before this call keep the system's defaults.
///
/// # Errors
///
/// The system's reason, if `listener` is not a TCP socket.
pub fn prepare(listener: &TcpListener, config: &Config) -> io::Result<()> {
    // The system caps the backlog (`net.core.somaxconn`). Listening again changes it and keeps those who wait.
    let backlog = i32::try_from(config.max_connections.max(MIN_BACKLOG)).unwrap_or(i32::MAX);
    sockopt::set_socket_send_buffer_size(listener, SEND_BUFFER)?;
    sockopt::set_tcp_user_timeout(listener, UNREAD_WITHIN.as_secs() as u32 * 1000)?;
    sockopt::set_socket_recv_buffer_size(listener, RECEIVE_BUFFER)?;
    rustix::net::listen(listener, backlog)?;
    listener.set_nonblocking(true)
}
