use std::io;
use std::time::Duration;

use rustix::io::Errno;
use rustix::net::{RecvFlags, SendFlags, sockopt};
use tokio::net::TcpListener;

use crate::Context;
use crate::socket::Accepted;
use crate::stats::ErrorKind;

/// Pause after an accept call that failed for a reason that may last. The next call could fail as well, and open
/// connections need the processor.
const BACK_OFF: Duration = Duration::from_millis(100);

/// What `http::over_limit` answers.
const FULL: &[u8] =
    b"HTTP/1.1 503 Service Unavailable\r\ncontent-type: text/plain; charset=utf-8\r\n\
    cache-control: no-store\r\nretry-after: 1\r\nconnection: close\r\ncontent-length: 32\r\n\r\n\
    the connection limit is reached\n";

/// Hands every connection to `take`, and returns the failure that ends the listener.
pub(crate) async fn accept_all(
    listener: TcpListener,
    context: &Context,
    mut take: impl FnMut(Accepted),
) -> io::Error {
    let has_nodelay = sockopt::tcp_nodelay(&listener).unwrap_or_default();
    loop {
        let error = match listener.accept().await {
            Ok((stream, _)) => {
                match Accepted::new(stream, has_nodelay) {
                    Ok(accepted) => take(accepted),
                    Err(error) => {
                        // Fails only if the peer has already reset the connection.
                        tracing::debug!(%error, "the peer left before it was served");
                        context.stats.error(ErrorKind::Reset);
                    }
                }
                continue;
            }
            Err(error) => error,
        };
        context.stats.error(ErrorKind::Accept);
        match Failure::of(&error) {
            Failure::OfConnection => {}
            Failure::MayLast => {
                tracing::warn!(%error, "cannot accept a connection; trying again");
                context.config.clock.sleep(BACK_OFF).await;
            }
            Failure::OfListener => return error,
        }
    }
}

/// What an accept call failed for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Failure {
    /// The connection broke while it waited.
    OfConnection,
    /// Descriptors, memory, the network or a firewall: Linux also reports what happened to the new connection.
    MayLast,
    /// The socket does not listen, and never will again.
    OfListener,
}

impl Failure {
    fn of(error: &io::Error) -> Self {
        match error.raw_os_error().map(Errno::from_raw_os_error) {
            Some(Errno::CONNABORTED | Errno::CONNRESET | Errno::INTR | Errno::PROTO) => {
                Self::OfConnection
            }
            Some(Errno::BADF | Errno::FAULT | Errno::INVAL | Errno::NOTSOCK) => Self::OfListener,
            _ => Self::MayLast,
        }
    }
}

/// Answers a connection with 503 at once and ends it, so that it holds no descriptor while its peer is silent. The answer
/// goes past the runtime, which has not yet asked the system whether the new socket can be written to.
pub(crate) fn refuse(stream: &Accepted, context: &Context) {
    use std::sync::atomic::Ordering::Relaxed;
    context.stats.connections_total.fetch_add(1, Relaxed);
    context.stats.connections_refused.fetch_add(1, Relaxed);
    // A request that was read does not reset the connection behind the answer.
    let mut request = [0; 2048];
    let read = rustix::net::recv(stream, &mut request[..], RecvFlags::DONTWAIT).map(|_| ());
    let sent = rustix::net::send(stream, FULL, SendFlags::DONTWAIT | SendFlags::NOSIGNAL);
    tracing::debug!(?read, ?sent, "refused a connection far over the limit");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(expected: Failure, errors: &[Errno]) {
        for errno in errors {
            let error = io::Error::from_raw_os_error(errno.raw_os_error());
            assert_eq!(Failure::of(&error), expected, "{errno:?}");
        }
    }

    /// accept(2): "Linux accept() passes already-pending network errors on the new socket as an error code from accept()".
    #[test]
    fn pending_network_errors_do_not_end_the_listener() {
        let network = [
            Errno::NETDOWN,
            Errno::NOPROTOOPT,
            Errno::HOSTDOWN,
            Errno::NONET,
            Errno::HOSTUNREACH,
            Errno::OPNOTSUPP,
            Errno::NETUNREACH,
        ];
        check(Failure::MayLast, &network);
        check(Failure::OfConnection, &[Errno::PROTO, Errno::CONNABORTED, Errno::CONNRESET]);
    }

    #[test]
    fn a_firewall_and_a_lack_of_resources_do_not_end_the_listener() {
        let lack = [Errno::PERM, Errno::MFILE, Errno::NFILE, Errno::NOBUFS, Errno::NOMEM];
        check(Failure::MayLast, &lack);
    }

    #[test]
    fn a_socket_that_does_not_listen_ends_the_listener() {
        check(Failure::OfListener, &[Errno::BADF, Errno::INVAL, Errno::NOTSOCK, Errno::FAULT]);
    }
}
