//! Byte streams to the target, before TLS.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::os::fd::AsRawFd;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::Duration;

use load_plan::outcome::Ending;
use tokio::net::{TcpSocket, TcpStream, lookup_host};
use tokio::time::timeout;

use super::problem::{Problem, of_connecting};

/// Time for TCP, and again for TLS, and again for the upgrade.
const PATIENCE: Duration = Duration::from_secs(5);

/// Connections that one source address is used for: fewer than the 28 232 ports that Linux gives out by default.
const PER_SOURCE: u32 = 20_000;

/// A stream to the target.
#[cfg(not(feature = "testing"))]
pub(super) type Plain = TcpStream;

/// A stream to the target, which is on the network or in memory.
#[cfg(feature = "testing")]
pub(super) type Plain = tokio_util::either::Either<TcpStream, crate::memory::Pipe>;

/// Opens streams.
#[derive(Debug)]
pub(super) enum Transport {
    Tcp(Tcp),
    #[cfg(feature = "testing")]
    Memory(crate::memory::Dialer),
}

/// Addresses to connect to, and from.
#[derive(Debug)]
pub(super) struct Tcp {
    addrs: Vec<SocketAddr>,
    sources: Vec<IpAddr>,
    /// Connections begun, to take the sources in turn.
    begun: AtomicUsize,
}

impl Transport {
    /// A stream, or how the attempt ended.
    pub(super) async fn open(&self) -> Result<Plain, Problem> {
        match self {
            #[cfg(not(feature = "testing"))]
            Self::Tcp(tcp) => tcp.open().await,
            #[cfg(feature = "testing")]
            Self::Tcp(tcp) => tcp.open().await.map(Plain::Left),
            #[cfg(feature = "testing")]
            Self::Memory(dialer) => match dialer.connect() {
                Ok(pipe) => Ok(Plain::Right(pipe)),
                Err(error) => Err(of_connecting(&error, "memory")),
            },
        }
    }
}

/// Makes the end of the connection a reset. Best effort: without it the connection ends otherwise, but it ends.
pub(super) fn reset_on_drop(stream: &Plain) {
    #[cfg(feature = "testing")]
    let stream = match stream {
        Plain::Left(tcp) => tcp,
        Plain::Right(pipe) => return pipe.set_zero_linger(),
    };
    let _ = rustix::net::sockopt::set_socket_linger(stream, Some(Duration::ZERO));
}

impl Tcp {
    /// Looks up `host`. Connects from `sources` in turn; without any, from as many loopback addresses as `connections`
    /// need, where the target is on this machine.
    ///
    /// # Errors
    ///
    /// If the host has no address; `url` is named.
    pub(super) async fn resolve(
        url: &str,
        (host, port): (&str, u16),
        mut sources: Vec<IpAddr>,
        connections: u32,
    ) -> Result<Self, Problem> {
        let addrs: Vec<SocketAddr> = match lookup_host((host, port)).await {
            Ok(addrs) => addrs.collect(),
            Err(error) => {
                let words = format!("{host} has no address: {error}; look at the name in {url}");
                return Err(Problem::of(Ending::Dns, words));
            }
        };
        let is_loopback = addrs.iter().all(|addr| addr.ip().is_loopback() && addr.is_ipv4());
        if sources.is_empty() && is_loopback && connections > PER_SOURCE {
            let wanted = connections.div_ceil(PER_SOURCE).min(250) as u8;
            sources = (1..=wanted).map(|last| Ipv4Addr::new(127, 0, 0, last).into()).collect();
        }
        Ok(Self { addrs, sources, begun: AtomicUsize::new(0) })
    }

    async fn open(&self) -> Result<TcpStream, Problem> {
        let mut last = None;
        for addr in &self.addrs {
            let attempt = async { self.connect(*addr).await.map_err(|e| of_connecting(&e, addr)) };
            match within(Ending::ConnectTimeout, "TCP", attempt).await {
                Ok(stream) => return Ok(stream),
                Err(problem) => last = Some(problem),
            }
        }
        Err(last.unwrap_or_else(|| Problem::of(Ending::Dns, "no address".to_owned())))
    }

    async fn connect(&self, addr: SocketAddr) -> std::io::Result<TcpStream> {
        let socket = if addr.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
        if let Some(source) = self.source() {
            choose_port_late(&socket)?;
            socket.bind(SocketAddr::new(source, 0))?;
        }
        let stream = socket.connect(addr).await?;
        stream.set_nodelay(true)?;
        Ok(stream)
    }

    fn source(&self) -> Option<IpAddr> {
        let begun = self.begun.fetch_add(1, Relaxed);
        self.sources.get(begun.checked_rem(self.sources.len())?).copied()
    }
}

/// Lets the port be chosen when the peer is known: chosen before, it would be taken for all peers.
fn choose_port_late(socket: &TcpSocket) -> std::io::Result<()> {
    let on: libc::c_int = 1;
    // SAFETY: the option is an int, and the pointer is to a live one.
    let set = unsafe {
        libc::setsockopt(
            socket.as_raw_fd(),
            libc::IPPROTO_IP,
            libc::IP_BIND_ADDRESS_NO_PORT,
            (&raw const on).cast(),
            size_of::<libc::c_int>() as libc::socklen_t,
        )
    };
    if set == 0 { Ok(()) } else { Err(std::io::Error::last_os_error()) }
}

/// The outcome of `attempt`; `ending` if it takes too long. `what` names it.
pub(super) async fn within<T>(
    ending: Ending,
    what: &str,
    attempt: impl Future<Output = Result<T, Problem>>,
) -> Result<T, Problem> {
    timeout(PATIENCE, attempt).await.unwrap_or_else(|_| {
        let seconds = PATIENCE.as_secs();
        let words = format!("no answer to {what} within {seconds} s; look at what listens there");
        Err(Problem::of(ending, words))
    })
}
