//! A blocking WebSocket client on a socket. It allocates its buffer before the window and nothing inside.

use std::borrow::Cow;
use std::io::{Cursor, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use anyhow::{Context, bail, ensure};

use crate::Environment;

/// Longest wait for the server before a scenario fails; far more than a busy machine needs.
const TIMEOUT: Duration = Duration::from_secs(10);

/// An upgrade request behind its path; the key is RFC 6455's own example.
pub(crate) const HEADERS: &str = " HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
    Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

/// The accept key that answers [`HEADERS`].
const ACCEPT: &[u8] = b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

/// A client with one connection at most.
///
/// # Errors
///
/// Every method fails if the server closes the connection, sends other bytes than expected, or none within ten seconds.
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
    /// `count` clients without a connection.
    #[must_use]
    pub fn several(count: u64) -> Vec<Self> {
        (0..count).map(|_| Self::default()).collect()
    }

    /// Connects, and sends nothing. An error is marked as [`Environment`], unless nothing listens.
    pub fn connect(&mut self, addr: SocketAddr) -> anyhow::Result<()> {
        let stream = match TcpStream::connect(addr) {
            Err(error) if error.kind() == std::io::ErrorKind::ConnectionRefused => {
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

    /// Connects and upgrades; the answer must be 101 with the right key.
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

    /// Sends `bytes`.
    pub fn send(&mut self, bytes: &[u8]) -> anyhow::Result<()> {
        self.stream()?.write_all(bytes).context("the server accepts no more bytes")
    }

    /// Sends `request` and waits for exactly `reply`.
    pub fn exchange(&mut self, request: &[u8], reply: &[u8]) -> anyhow::Result<()> {
        self.send(request)?;
        self.expect(reply)
    }

    /// Waits for exactly `bytes`.
    pub fn expect(&mut self, mut bytes: &[u8]) -> anyhow::Result<()> {
        while !bytes.is_empty() {
            self.at_least(1)?;
            let got = self.take(bytes.len().min(self.end - self.start))?;
            let (now, later) = bytes.split_at(got.len());
            ensure!(got == now, "expected {:?}…, got {:?}…", head_of(bytes), head_of(got));
            bytes = later;
        }
        Ok(())
    }

    /// Reads one unmasked text frame, which must begin with `prefix` and fit the buffer.
    pub fn expect_text(&mut self, prefix: &[u8]) -> anyhow::Result<()> {
        self.text_that(|payload| payload.starts_with(prefix))
    }

    /// Reads one unmasked text frame, which must contain `part` and fit the buffer.
    pub fn expect_text_with(&mut self, part: &[u8]) -> anyhow::Result<()> {
        self.text_that(|payload| contains(payload, part))
    }

    fn text_that(&mut self, is_right: impl Fn(&[u8]) -> bool) -> anyhow::Result<()> {
        self.at_least(2)?;
        let header = if self.buffer[self.start + 1] == 126 { 4 } else { 2 };
        self.at_least(header)?;
        let length = match self.buffer[self.start..self.end] {
            [0x81, 126, high, low, ..] => usize::from(u16::from_be_bytes([high, low])),
            [0x81, short @ 0..126, ..] => usize::from(short),
            [0x81, ..] => bail!("expected a text frame of less than 64 KiB"),
            _ => bail!("expected a text frame, got opcode {:#x}", self.buffer[self.start]),
        };
        let payload = &self.take(header + length)?[header..];
        let shown = &payload[..payload.len().min(256)];
        ensure!(is_right(payload), "unexpected text: {}", text(shown));
        Ok(())
    }

    /// Reads the head of an answer, including the empty line.
    pub fn head(&mut self) -> anyhow::Result<&[u8]> {
        let mut length = 4;
        loop {
            self.at_least(length)?;
            let seen = &self.buffer[self.start..self.end];
            if let Some(at) = seen.windows(4).position(|window| window == b"\r\n\r\n") {
                return self.take(at + 4);
            }
            length = seen.len() + 1;
        }
    }

    /// Sends a request and reads its whole answer, which must have `status` and a length. The answer to HEAD has no body.
    pub fn http(&mut self, request: &[u8], status: &[u8]) -> anyhow::Result<()> {
        self.send(request)?;
        let head = self.head()?;
        let line = head.split(|byte| *byte == b'\n').next().unwrap_or_default();
        ensure!(contains(line, status), "unexpected answer: {}", text(head));
        let mut left = content_length(head).context("the answer has no content-length")?;
        if request.starts_with(b"HEAD ") {
            return Ok(());
        }
        while left > 0 {
            self.at_least(1)?;
            left -= self.take(left.min(self.end - self.start))?.len();
        }
        Ok(())
    }

    /// Waits for the end of the stream.
    pub fn expect_end(&mut self) -> anyhow::Result<()> {
        ensure!(
            self.start == self.end,
            "expected the end of the stream, got {:?}",
            head_of(&self.buffer[self.start..self.end])
        );
        let mut byte = [0];
        let read =
            self.stream()?.read(&mut byte).context("the server did not end the connection")?;
        ensure!(read == 0, "expected the end of the stream, got {byte:?}");
        self.drop_connection();
        Ok(())
    }

    /// Begins a close handshake, which the server must answer before it ends the stream.
    pub fn close(&mut self) -> anyhow::Result<()> {
        // Encoded by hand, because this runs inside the window: code 1000, masked with zeros, then unmasked.
        self.exchange(&[0x88, 0x82, 0, 0, 0, 0, 0x03, 0xe8], &[0x88, 0x02, 0x03, 0xe8])?;
        self.expect_end()
    }

    /// Ends the connection without a close frame.
    pub fn drop_connection(&mut self) {
        self.stream = None;
    }

    /// Ends the connection with a reset, as a crashed peer or a firewall does.
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
        let read = stream.read(&mut buffer[*end..]).context("the server sent nothing")?;
        ensure!(read > 0, "the server ended the connection");
        *end += read;
        Ok(())
    }
}

fn contains(haystack: &[u8], needle: &[u8]) -> bool {
    needle.is_empty() || haystack.windows(needle.len()).any(|window| window == needle)
}

fn content_length(head: &[u8]) -> Option<usize> {
    let (_, rest) = std::str::from_utf8(head).ok()?.split_once("content-length: ")?;
    rest.split_once("\r\n")?.0.parse().ok()
}

fn text(bytes: &[u8]) -> Cow<'_, str> {
    String::from_utf8_lossy(bytes)
}

fn head_of(bytes: &[u8]) -> &[u8] {
    &bytes[..bytes.len().min(64)]
}
