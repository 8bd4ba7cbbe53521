//! What a client waits for.

use std::io::Read;

use anyhow::{Context, bail, ensure};

use super::{Client, contains, text, waited};

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
            self.at_least(1).with_context(|| format!("expected {}", shown(bytes)))?;
            let got = self.take(bytes.len().min(self.end - self.start))?;
            let (now, later) = bytes.split_at(got.len());
            ensure!(got == now, "expected {}, got {}", shown(bytes), shown(got));
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
        self.at_least(2).context("expected a text frame")?;
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
            self.at_least(length).context("expected the head of an HTTP answer")?;
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
            "expected the end of the stream, got {}",
            shown(&self.buffer[self.start..self.end])
        );
        let mut byte = [0];
        let read = self.stream()?.read(&mut byte);
        let read = read.map_err(|error| waited("did not end the connection", error))?;
        ensure!(read == 0, "expected the end of the stream, got {}", shown(&byte));
        self.drop_connection();
        Ok(())
    }
}

fn content_length(head: &[u8]) -> Option<usize> {
    let (_, rest) = std::str::from_utf8(head).ok()?.split_once("content-length: ")?;
    rest.split_once("\r\n")?.0.parse().ok()
}

/// At most 64 bytes, in quotes, as Rust writes them.
fn shown(bytes: &[u8]) -> String {
    let head = &bytes[..bytes.len().min(64)];
    let more = if head.len() < bytes.len() { "…" } else { "" };
    format!("\"{}\"{more}", head.escape_ascii())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mistake_shows_what_was_expected_and_what_came() {
        let peer = std::net::TcpListener::bind("127.0.0.1:0").expect("a port is free");
        let mut client = Client::default();
        client.connect(peer.local_addr().expect("it is bound")).expect("it listens");
        let (mut server, _) = peer.accept().expect("a client connects");
        std::io::Write::write_all(&mut server, b"\x81\x02no").expect("the client reads");
        let error = client.expect(b"\x81\x03yes").expect_err("it is another answer");
        assert_eq!(error.to_string(), r#"expected "\x81\x03yes", got "\x81\x02no""#);
        // Nothing more comes, and the server is gone.
        drop(server);
        let error = client.expect(&[b'a'; 65]).expect_err("nothing comes");
        let expected = format!("expected \"{}\"…: the server ended the connection", "a".repeat(64));
        assert_eq!(format!("{error:#}"), expected);
    }

    #[test]
    fn a_timeout_says_what_the_server_did_not_do_and_how_long() {
        let late = std::io::Error::from_raw_os_error(11);
        let said = waited("sent nothing", late).to_string();
        assert_eq!(said, "the server sent nothing within 10 s");
        let broken = waited("sent nothing", std::io::ErrorKind::ConnectionReset.into());
        assert_eq!(format!("{broken:#}"), "the server sent nothing: connection reset");
    }
}
