//! A blocking WebSocket client on a socket. It allocates its buffer before the window and nothing inside.

mod expect;

use std::borrow::Cow;
use std::io::{Cursor, ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::time::Duration;

use anyhow::{Context, anyhow, bail, ensure};

use crate::Environment;

/// Longest wait for the server before a scenario fails; far more than a busy machine needs.
const TIMEOUT: Duration = Duration::from_secs(10);

/// An upgrade request behind its path; the key is RFC 6455's own example.
pub(crate) const HEADERS: &str = " HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
    Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

/// The accept key that answers [`HEADERS`].
const ACCEPT: &[u8] = b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

/// A client with one connection at most, and a buffer of 16 KiB for what it reads.
///
/// In the examples of its methods, `peer(bytes)` starts a server that accepts one connection, sends `bytes`, and ends its
/// side.
///
/// ```
/// use plimsoll::ws::{Client, Frame};
/// # let peer = include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/doc/peer.rs"));
/// let hello = Frame::text("hello");
/// # let addr = peer(b"HTTP/1.1 101 Switching Protocols\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n\
/// #     \x81\x05hello\x88\x02\x03\xe8");
/// let mut client = Client::default();
/// client.upgrade(addr, "/chat")?;
/// client.exchange(&hello.request, &hello.reply)?;
/// client.close()?;
/// # Ok::<(), anyhow::Error>(())
/// ```
///
/// # Errors
///
/// Every method fails if it has no connection, if the server closes it, sends other bytes than expected, or none within
/// ten seconds. The error shows what was expected and what came, at most 64 bytes of each.
#[derive(Debug)]
pub struct Client {
    stream: Option<TcpStream>,
    /// Received and unread bytes are `buffer[start..end]`.
    buffer: Box<[u8]>,
    start: usize,
    end: usize,
}

impl Default for Client {
    fn default() -> Self {
        Self { stream: None, buffer: vec![0; 16 * 1024].into(), start: 0, end: 0 }
    }
}

impl Client {
    /// `count` clients without a connection, for a scenario to make before its window.
    ///
    /// ```
    /// # use plimsoll::ws::Client;
    /// assert_eq!(Client::several(100).len(), 100);
    /// ```
    #[must_use]
    pub fn several(count: u64) -> Vec<Self> {
        (0..count).map(|_| Self::default()).collect()
    }

    /// Connects, with `TCP_NODELAY`, and sends nothing. A connection that it had is dropped. An error is marked as
    /// [`Environment`], unless nothing listens.
    ///
    /// ```
    /// # let peer = include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/doc/peer.rs"));
    /// # let mut client = plimsoll::ws::Client::default();
    /// client.connect(peer(b"welcome"))?;
    /// client.expect(b"welcome")?;
    /// # Ok::<(), anyhow::Error>(())
    /// ```
    pub fn connect(&mut self, addr: SocketAddr) -> anyhow::Result<()> {
        let stream = match TcpStream::connect(addr) {
            Err(error) if error.kind() == ErrorKind::ConnectionRefused => {
                bail!("nothing listens on {addr}; the server must serve the listener that it gets")
            }
            connected => connected
                .with_context(|| format!("cannot connect to {addr}"))
                .context(Environment)?,
        };
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(TIMEOUT))?;
        stream.set_write_timeout(Some(TIMEOUT))?;
        (self.start, self.end) = (0, 0);
        self.stream = Some(stream);
        Ok(())
    }

    /// Connects and upgrades to WebSocket on `path`, of about 300 bytes at most; the answer must be 101 with the right
    /// key.
    ///
    /// ```
    /// # let peer = include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/doc/peer.rs"));
    /// # let mut client = plimsoll::ws::Client::default();
    /// let refused = client.upgrade(peer(b"HTTP/1.1 404 Not Found\r\n\r\n"), "/chta");
    /// assert!(refused.unwrap_err().to_string().contains("404 Not Found"));
    /// ```
    pub fn upgrade(&mut self, addr: SocketAddr, path: &str) -> anyhow::Result<()> {
        self.connect(addr)?;
        self.request_upgrade(path)
    }

    pub(crate) fn request_upgrade(&mut self, path: &str) -> anyhow::Result<()> {
        let mut request = Cursor::new([0; 512]);
        write!(request, "GET {path}{HEADERS}").context("the path is too long")?;
        self.send(&request.get_ref()[..usize::try_from(request.position())?])?;
        let head = self.head()?;
        ensure!(head.starts_with(b"HTTP/1.1 101 "), "not upgraded: {}", text(head));
        ensure!(contains(head, ACCEPT), "wrong accept key: {}", text(head));
        Ok(())
    }

    /// Sends `bytes` as they are, and waits for nothing.
    ///
    /// ```
    /// # let peer = include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/doc/peer.rs"));
    /// # let mut client = plimsoll::ws::Client::default();
    /// client.connect(peer(b""))?;
    /// client.send(b"GET / HTTP/1.1\r\n")?;
    /// client.send(b"Host: localhost\r\n\r\n")?;
    /// # Ok::<(), anyhow::Error>(())
    /// ```
    pub fn send(&mut self, bytes: &[u8]) -> anyhow::Result<()> {
        let sent = self.stream()?.write_all(bytes);
        sent.map_err(|error| waited("took no more bytes", error))
    }

    /// Sends `request` and waits for exactly `reply`: [`Client::send`] and [`Client::expect`].
    ///
    /// ```
    /// # let peer = include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/doc/peer.rs"));
    /// # let mut client = plimsoll::ws::Client::default();
    /// client.connect(peer(b"+PONG\r\n"))?;
    /// client.exchange(b"PING\r\n", b"+PONG\r\n")?;
    /// # Ok::<(), anyhow::Error>(())
    /// ```
    pub fn exchange(&mut self, request: &[u8], reply: &[u8]) -> anyhow::Result<()> {
        self.send(request)?;
        self.expect(reply)
    }

    /// Begins a close handshake with the code 1000, which the server must answer before it ends the stream.
    ///
    /// ```
    /// # let peer = include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/doc/peer.rs"));
    /// # let mut client = plimsoll::ws::Client::default();
    /// client.connect(peer(b"\x88\x02\x03\xe8"))?;
    /// client.close()?;
    /// # Ok::<(), anyhow::Error>(())
    /// ```
    pub fn close(&mut self) -> anyhow::Result<()> {
        // Encoded by hand, because this runs inside the window: code 1000, masked with zeros, then unmasked.
        self.exchange(&[0x88, 0x82, 0, 0, 0, 0, 0x03, 0xe8], &[0x88, 0x02, 0x03, 0xe8])?;
        self.expect_end()
    }

    /// Ends the connection without a close frame. A client without one stays as it is.
    ///
    /// ```
    /// # let peer = include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/doc/peer.rs"));
    /// # let mut client = plimsoll::ws::Client::default();
    /// client.connect(peer(b""))?;
    /// client.drop_connection();
    /// assert!(client.send(b"?").is_err(), "it is not connected");
    /// # Ok::<(), anyhow::Error>(())
    /// ```
    pub fn drop_connection(&mut self) {
        self.stream = None;
    }

    /// Ends the client's side and keeps reading, as a client does that has sent all it wants to.
    ///
    /// ```
    /// # let peer = include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/doc/peer.rs"));
    /// # let mut client = plimsoll::ws::Client::default();
    /// client.connect(peer(b"bye"))?;
    /// client.end_sending()?;
    /// client.expect(b"bye")?;
    /// # Ok::<(), anyhow::Error>(())
    /// ```
    pub fn end_sending(&mut self) -> anyhow::Result<()> {
        self.stream()?.shutdown(Shutdown::Write).context("the server has ended the connection")
    }

    /// Ends the connection with a reset, as a crashed peer or a firewall does.
    ///
    /// ```
    /// # let peer = include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/doc/peer.rs"));
    /// # let mut client = plimsoll::ws::Client::default();
    /// client.connect(peer(b""))?;
    /// client.reset()?;
    /// # Ok::<(), anyhow::Error>(())
    /// ```
    pub fn reset(&mut self) -> anyhow::Result<()> {
        rustix::net::sockopt::set_socket_linger(self.stream()?, Some(Duration::ZERO))?;
        self.drop_connection();
        Ok(())
    }

    fn stream(&mut self) -> anyhow::Result<&mut TcpStream> {
        self.stream.as_mut().context("the client is not connected")
    }

    /// Reads until the buffer holds `length` unread bytes.
    fn at_least(&mut self, length: usize) -> anyhow::Result<()> {
        ensure!(length <= self.buffer.len(), "{length} bytes do not fit the client's buffer");
        while self.end - self.start < length {
            self.fill()?;
        }
        Ok(())
    }

    /// Reads and removes `length` bytes.
    fn take(&mut self, length: usize) -> anyhow::Result<&[u8]> {
        self.at_least(length)?;
        self.start += length;
        Ok(&self.buffer[self.start - length..self.start])
    }

    fn fill(&mut self) -> anyhow::Result<()> {
        self.buffer.copy_within(self.start..self.end, 0);
        (self.start, self.end) = (0, self.end - self.start);
        let Self { stream, buffer, end, .. } = self;
        let stream = stream.as_mut().context("the client is not connected")?;
        let read =
            stream.read(&mut buffer[*end..]).map_err(|error| waited("sent nothing", error))?;
        ensure!(read > 0, "the server ended the connection");
        *end += read;
        Ok(())
    }
}

/// An error of the socket. The one of a timeout is that a call would block.
fn waited(what: &str, error: std::io::Error) -> anyhow::Error {
    match error.kind() {
        ErrorKind::WouldBlock | ErrorKind::TimedOut => {
            anyhow!("the server {what} within {} s", TIMEOUT.as_secs())
        }
        _ => anyhow::Error::new(error).context(format!("the server {what}")),
    }
}

fn contains(haystack: &[u8], needle: &[u8]) -> bool {
    needle.is_empty() || haystack.windows(needle.len()).any(|window| window == needle)
}

fn text(bytes: &[u8]) -> Cow<'_, str> {
    String::from_utf8_lossy(bytes)
}
