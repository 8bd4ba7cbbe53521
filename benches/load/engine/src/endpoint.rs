//! Where the load goes, and how a connection to it is opened.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::os::fd::AsRawFd;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpSocket, TcpStream, lookup_host};
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::handshake::client::Request;
use tokio_tungstenite::tungstenite::http::header::{AUTHORIZATION, ORIGIN, SEC_WEBSOCKET_PROTOCOL};
use tokio_tungstenite::tungstenite::http::{HeaderName, HeaderValue, Uri};
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, client_async_with_config};

use super::clock::Clock;
use super::problem::{Problem, of_connecting, of_upgrade};
use super::tls::Tls;
use super::wire::Wire;
use load_plan::outcome::Ending;
use load_plan::profile::Target;
use load_plan::url::Url;

/// Time for TCP, and again for TLS, and again for the upgrade.
const PATIENCE: Duration = Duration::from_secs(5);

/// Connections that one source address is used for: fewer than the 28 232 ports that Linux gives out by default.
pub(super) const PER_SOURCE: u32 = 20_000;

/// Bytes read at once, allocated for each connection.
const READ_BUFFER: usize = 4 * 1024;

/// The same where the wire has read them before, and messages do not come this way.
const WIRED_READ_BUFFER: usize = 256;

/// Bytes gathered before they are written without waiting for the flush.
const WRITE_BUFFER: usize = 8 * 1024;

/// Longest message taken, in bytes.
const MAX_MESSAGE: usize = 64 * 1024 * 1024;

/// A connection to the target, with or without TLS.
pub(super) type Stream = MaybeTlsStream<TcpStream>;

/// A WebSocket to the target.
pub(super) type Socket = WebSocketStream<Stream>;

/// One that frames are put into past tungstenite.
pub(super) type WiredSocket = WebSocketStream<Wire<Stream>>;

/// A target, its address looked up and its request made once.
#[derive(Debug)]
pub(super) struct Endpoint {
    url: String,
    addrs: Vec<SocketAddr>,
    request: Request,
    tls: Option<Tls>,
    sources: Vec<IpAddr>,
    /// Connections begun, to take the sources in turn.
    begun: AtomicUsize,
    config: WebSocketConfig,
}

/// What a command adds to a profile's target.
#[derive(Clone, Debug, Default)]
pub(super) struct Access {
    /// PEM file with certificates to trust beside the system's.
    pub(super) ca_file: Option<String>,
    /// Addresses of this machine to connect from, in turn.
    pub(super) sources: Vec<IpAddr>,
    /// Most connections at a time.
    pub(super) connections: u32,
    /// Longest message sent, in bytes.
    pub(super) longest: usize,
}

impl Endpoint {
    /// Looks up `url`, and makes what every connection needs.
    ///
    /// # Errors
    ///
    /// A [`Problem`] that a person can act on: a URL that is none, a host without an address, a token that is not there.
    pub(super) async fn resolve(
        url: &str,
        target: &Target,
        access: Access,
    ) -> Result<Self, Problem> {
        let unfit = |error: anyhow::Error| Problem::usage(format!("{error:#}"));
        let Url { uri, is_tls, host, port } = url.parse().map_err(unfit)?;
        let addrs: Vec<SocketAddr> = match lookup_host((host.as_str(), port)).await {
            Ok(addrs) => addrs.collect(),
            Err(error) => {
                let words = format!("{host} has no address: {error}; look at the name in {url}");
                return Err(Problem::of(Ending::Dns, words));
            }
        };
        let mut sources = access.sources;
        let is_loopback = addrs.iter().all(|addr| addr.ip().is_loopback() && addr.is_ipv4());
        if sources.is_empty() && is_loopback && access.connections > PER_SOURCE {
            let wanted = access.connections.div_ceil(PER_SOURCE).min(250) as u8;
            sources = (1..=wanted).map(|last| Ipv4Addr::new(127, 0, 0, last).into()).collect();
        }
        let buffered = 2 * (access.longest + WRITE_BUFFER);
        Ok(Self {
            request: request(uri, target)?,
            tls: if is_tls { Some(Tls::new(&host, access.ca_file.as_deref())?) } else { None },
            url: url.to_owned(),
            addrs,
            sources,
            begun: AtomicUsize::new(0),
            config: WebSocketConfig::default()
                .write_buffer_size(WRITE_BUFFER)
                .max_write_buffer_size(buffered.max(256 * 1024))
                .max_message_size(Some(MAX_MESSAGE))
                .max_frame_size(Some(MAX_MESSAGE)),
        })
    }

    /// Opens a connection, up to the answered upgrade.
    ///
    /// # Errors
    ///
    /// How it ended, and in what words.
    pub(super) async fn connect(&self) -> Result<Socket, Problem> {
        let stream = self.stream().await?;
        self.upgrade(stream, READ_BUFFER).await
    }

    /// Opens a connection that knows, by `clock`, when something came.
    ///
    /// # Errors
    ///
    /// As [`Endpoint::connect`].
    pub(super) async fn connect_wired(&self, clock: Clock) -> Result<WiredSocket, Problem> {
        let stream = self.stream().await?;
        self.upgrade(Wire::new(stream, clock), WIRED_READ_BUFFER).await
    }

    /// A connection that nothing has been asked on yet, TLS included.
    ///
    /// # Errors
    ///
    /// As [`Endpoint::connect`].
    pub(super) async fn stream(&self) -> Result<Stream, Problem> {
        let tcp = self.tcp().await?;
        Ok(match &self.tls {
            None => MaybeTlsStream::Plain(tcp),
            Some(tls) => MaybeTlsStream::Rustls(
                within(Ending::Tls, "the TLS handshake", tls.connect(tcp)).await?,
            ),
        })
    }

    /// The path of the target, with its query.
    #[must_use]
    pub(super) fn path(&self) -> &str {
        self.request.uri().path_and_query().map_or("/", |path| path.as_str())
    }

    async fn tcp(&self) -> Result<TcpStream, Problem> {
        let mut last = None;
        for addr in &self.addrs {
            let attempt = async { self.tcp_to(*addr).await.map_err(|e| of_connecting(&e, *addr)) };
            match within(Ending::ConnectTimeout, "TCP", attempt).await {
                Ok(stream) => return Ok(stream),
                Err(problem) => last = Some(problem),
            }
        }
        Err(last.unwrap_or_else(|| Problem::of(Ending::Dns, "no address".to_owned())))
    }

    async fn tcp_to(&self, addr: SocketAddr) -> std::io::Result<TcpStream> {
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

    async fn upgrade<S>(&self, stream: S, read_buffer: usize) -> Result<WebSocketStream<S>, Problem>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let upgraded = async {
            let config = self.config.read_buffer_size(read_buffer);
            let asked = client_async_with_config(self.request.clone(), stream, Some(config));
            asked.await.map(|(socket, _)| socket).map_err(|error| of_upgrade(&error, &self.url))
        };
        within(Ending::HandshakeTimeout, "the upgrade", upgraded).await
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

async fn within<T>(
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

fn request(uri: Uri, target: &Target) -> Result<Request, Problem> {
    let unfit = |what: &str, value: &str| {
        Problem::usage(format!("{what} {value:?} does not fit into a header"))
    };
    let mut request = uri
        .into_client_request()
        .map_err(|error| Problem::usage(format!("no request can be made: {error}")))?;
    let headers = request.headers_mut();
    for (name, value) in &target.headers {
        let key: HeaderName = name.parse().map_err(|_| unfit("the name", name))?;
        headers.insert(key, value.parse().map_err(|_| unfit("the value", value))?);
    }
    if let Some(origin) = &target.origin {
        headers.insert(ORIGIN, origin.parse().map_err(|_| unfit("the origin", origin))?);
    }
    if let Some(protocol) = &target.subprotocol {
        let value = protocol.parse().map_err(|_| unfit("the subprotocol", protocol))?;
        headers.insert(SEC_WEBSOCKET_PROTOCOL, value);
    }
    if let Some(token) = token(target)? {
        let mut value: HeaderValue = format!("Bearer {token}").parse().map_err(|_| {
            Problem::usage("the bearer token does not fit into a header".to_owned())
        })?;
        value.set_sensitive(true);
        headers.insert(AUTHORIZATION, value);
    }
    Ok(request)
}

fn token(target: &Target) -> Result<Option<String>, Problem> {
    let read = if let Some(file) = &target.bearer_file {
        std::fs::read_to_string(file)
            .map_err(|error| format!("the bearer token in {file} cannot be read: {error}"))
    } else if let Some(name) = &target.bearer_env {
        std::env::var(name).map_err(|_| format!("the environment has no {name}; export it"))
    } else {
        return Ok(None);
    };
    match read.map(|token| token.trim().to_owned()) {
        Ok(token) if token.is_empty() => {
            Err(Problem::usage("the bearer token is empty".to_owned()))
        }
        Ok(token) => Ok(Some(token)),
        Err(words) => Err(Problem::usage(words)),
    }
}
