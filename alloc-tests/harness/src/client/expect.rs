//! What a client waits for.

use std::io::Read;

use anyhow::{Context, bail, ensure};

use super::{Client, contains, text};

impl Client {
    /// Waits for exactly `bytes`, of any length. What comes behind them stays for the next method.
    ///
    /// ```
    /// # let peer = include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/doc/peer.rs"));
    /// # let mut client = plimsoll::ws::Client::default();
    /// client.connect(peer(b"one, two"))?;
    /// client.expect(b"one")?;
    /// assert!(client.expect(b", three").is_err());
    /// # Ok::<(), anyhow::Error>(())
    /// ```
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

    /// Reads one unmasked text frame, whose payload must begin with `prefix` and fit the buffer.
    ///
    /// ```
    /// # let peer = include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/doc/peer.rs"));
    /// # let mut client = plimsoll::ws::Client::default();
    /// client.connect(peer(b"\x81\x08score: 7"))?;
    /// client.expect_text(b"score: ")?;
    /// # Ok::<(), anyhow::Error>(())
    /// ```
    pub fn expect_text(&mut self, prefix: &[u8]) -> anyhow::Result<()> {
        self.text_that(|payload| payload.starts_with(prefix))
    }

    /// Reads one unmasked text frame, whose payload must contain `part` and fit the buffer.
    ///
    /// ```
    /// # let peer = include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/doc/peer.rs"));
    /// # let mut client = plimsoll::ws::Client::default();
    /// client.connect(peer(b"\x81\x0a{\"id\": 17}"))?;
    /// client.expect_text_with(b"\"id\"")?;
    /// # Ok::<(), anyhow::Error>(())
    /// ```
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

    /// Reads the head of an HTTP answer, including the empty line. It must fit the buffer.
    ///
    /// ```
    /// # let peer = include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/doc/peer.rs"));
    /// # let mut client = plimsoll::ws::Client::default();
    /// client.connect(peer(b"HTTP/1.1 200 OK\r\n\r\nhello"))?;
    /// assert_eq!(client.head()?, b"HTTP/1.1 200 OK\r\n\r\n");
    /// # Ok::<(), anyhow::Error>(())
    /// ```
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

    /// Sends an HTTP request and reads its whole answer. Its first line must contain `status`, and it must have a
    /// `content-length` in small letters, as hyper writes it. The answer to HEAD has no body.
    ///
    /// ```
    /// # let peer = include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/doc/peer.rs"));
    /// # let mut client = plimsoll::ws::Client::default();
    /// client.connect(peer(b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nready"))?;
    /// client.http(b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n", b" 200 ")?;
    /// # Ok::<(), anyhow::Error>(())
    /// ```
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

    /// Waits for the end of the server's side, before which no more bytes may come, and drops the connection.
    ///
    /// ```
    /// # let peer = include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/doc/peer.rs"));
    /// # let mut client = plimsoll::ws::Client::default();
    /// client.connect(peer(b"bye"))?;
    /// client.expect(b"bye")?;
    /// client.expect_end()?;
    /// # Ok::<(), anyhow::Error>(())
    /// ```
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
}

fn content_length(head: &[u8]) -> Option<usize> {
    let (_, rest) = std::str::from_utf8(head).ok()?.split_once("content-length: ")?;
    rest.split_once("\r\n")?.0.parse().ok()
}

fn head_of(bytes: &[u8]) -> &[u8] {
    &bytes[..bytes.len().min(64)]
}
