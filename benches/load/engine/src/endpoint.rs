//! Where the load goes, and how a connection to it is opened.

use load_plan::outcome::Ending;
use load_plan::profile::{Mode, Profile};
use load_plan::url::Url;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_tungstenite::tungstenite::handshake::client::Request;
use tokio_tungstenite::tungstenite::http::HeaderValue;
use tokio_tungstenite::tungstenite::http::header::AUTHORIZATION;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, client_async_with_config};

use super::clock::Clock;
use super::problem::{Problem, of_upgrade};
use super::request::request;
use super::tls::{Tls, Trust};
use super::transport::{Plain, Transport, within};
use super::wire::Wire;

/// Bytes read at once, allocated for each connection.
const READ_BUFFER: usize = 4 * 1024;

/// Bytes that tungstenite reads at once where [`Wire`] has read them before: messages do not come this way.
const WIRED_READ_BUFFER: usize = 256;

/// Bytes gathered before they are written without waiting for the flush.
const WRITE_BUFFER: usize = 8 * 1024;

/// Bytes by which the answer of an echo may be longer than every message: it is corrupted, and the connection goes on.
const LONGER_ECHO: usize = 64 * 1024;

/// Bytes by which the answers of other modes may be longer than [`Traffic::sizes`](load_plan::profile::Traffic) says: they
/// have sizes of their own.
const LONGER_ANSWER: usize = 1024 * 1024;

/// A connection to the target, with or without TLS.
pub(super) type Stream = MaybeTlsStream<Plain>;

/// A WebSocket to the target.
pub(super) type Socket = WebSocketStream<Stream>;

/// A WebSocket whose frames can be put past tungstenite.
pub(super) type WiredSocket = WebSocketStream<Wire<Stream>>;

/// A target whose request is made once.
#[derive(Debug)]
pub(super) struct Endpoint {
    url: String,
    transport: Transport,
    tls: Option<Tls>,
    request: Request,
    config: WebSocketConfig,
    /// Longest message taken, in bytes; a connection holds as many of one that does not end.
    longest_answer: usize,
}

impl Endpoint {
    /// An endpoint at `url` over `transport`. Trusts the certificates of `trust`.
    ///
    /// # Errors
    ///
    /// A mistake of the user: a header with an invalid value, a token or a certificate that cannot be read.
    pub(super) fn new(
        url: &str,
        Url { uri, is_tls, host, .. }: Url,
        transport: Transport,
        Profile { target, traffic, .. }: &Profile,
        trust: &Trust,
    ) -> Result<Self, Problem> {
        let longest = traffic.sizes.iter().map(|size| size.bytes).max().unwrap_or_default();
        let longest_answer = longest
            + match target.mode {
                Mode::Echo => LONGER_ECHO,
                Mode::Request { .. } | Mode::Conversation(_) | Mode::Subscribe { .. } => {
                    LONGER_ANSWER
                }
            };
        let buffered = 2 * (longest + WRITE_BUFFER);
        Ok(Self {
            request: request(uri, target)?,
            tls: if is_tls { Some(Tls::new(&host, trust)?) } else { None },
            url: url.to_owned(),
            transport,
            config: WebSocketConfig::default()
                .write_buffer_size(WRITE_BUFFER)
                .max_write_buffer_size(buffered.max(256 * 1024))
                .max_message_size(Some(longest_answer))
                .max_frame_size(Some(longest_answer)),
            longest_answer,
        })
    }

    /// Opens a connection, up to the answered upgrade.
    ///
    /// # Errors
    ///
    /// How the attempt ended.
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
        self.upgrade(Wire::new(stream, clock, self.longest_answer), WIRED_READ_BUFFER).await
    }

    /// Opens a connection, TLS included, on which nothing has been asked yet.
    ///
    /// # Errors
    ///
    /// As [`Endpoint::connect`].
    pub(super) async fn stream(&self) -> Result<Stream, Problem> {
        let plain = self.transport.open().await?;
        Ok(match &self.tls {
            None => MaybeTlsStream::Plain(plain),
            Some(tls) => MaybeTlsStream::Rustls(
                within(Ending::Tls, "the TLS handshake", tls.connect(plain)).await?,
            ),
        })
    }

    /// Whether connections are encrypted.
    pub(super) fn is_tls(&self) -> bool {
        self.tls.is_some()
    }

    /// Host and port of the target, as in a `Host` header.
    pub(super) fn host(&self) -> &str {
        self.request.uri().authority().map_or("", |authority| authority.as_str())
    }

    /// The credentials of the upgrade, for other requests to the target.
    pub(super) fn authorization(&self) -> Option<&HeaderValue> {
        self.request.headers().get(AUTHORIZATION)
    }

    /// The path of the target, with its query.
    pub(super) fn path(&self) -> &str {
        self.request.uri().path_and_query().map_or("/", |path| path.as_str())
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
