//! The driver: a blocking client over one socket that compares every byte it reads.
//!
//! The client speaks only as much WebSocket as it needs to upgrade, to receive and to close. What it sends is encoded
//! beforehand, so that its own share of an exchange is the system calls. Without an upgrade the same code drives the raw TCP floor.

mod frames;
mod handshake;
mod messages;
mod texts;

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::ops::Range;
use std::time::{Duration, Instant};

use anyhow::{Context, Error, Result, anyhow, bail, ensure};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::net::{RecvFlags, SendFlags, recv, send};

pub use handshake::Upgrade;
pub use messages::Message;

/// Bytes read at once, and the longest frame of [`Client::text`].
const BUFFER: usize = 16 * 1024;

/// Longest exchange, in bytes each way, that is written whole before anything is read. It is far below what loopback
/// buffers, so it cannot deadlock with a peer that answers while it reads. It lies between two payload sizes, so the
/// frame header never makes the driver treat a benchmark and its floor differently.
const WHOLE: usize = 32 * 1024;

/// Time without progress after which the peer is considered broken.
const PATIENCE: Duration = Duration::from_secs(10);

/// A masked close frame with code 1000, and the server's answer.
const CLOSE: [u8; 8] = [0x88, 0x82, 0x37, 0xfa, 0x21, 0x3d, 0x03 ^ 0x37, 0xe8 ^ 0xfa];
const CLOSED: [u8; 4] = [0x88, 0x02, 0x03, 0xe8];

/// One connection, with `TCP_NODELAY` and one buffer.
#[derive(Debug)]
pub struct Client {
    stream: TcpStream,
    buffer: Vec<u8>,
    /// The bytes of `buffer` that were read and not taken yet.
    unread: Range<usize>,
    /// The frames of a message that is not whole yet.
    parts: Vec<u8>,
    /// Whether they are binary; `None` between messages.
    begun: Option<bool>,
    patience: Duration,
    spins: bool,
}

impl Client {
    /// A raw TCP connection.
    ///
    /// # Errors
    ///
    /// If the operating system refuses.
    pub fn connect(addr: SocketAddr) -> Result<Self> {
        let stream =
            TcpStream::connect(addr).with_context(|| format!("cannot connect to {addr}"))?;
        stream.set_nodelay(true)?;
        let mut client = Self {
            stream,
            buffer: vec![0; BUFFER],
            unread: 0..0,
            parts: Vec::new(),
            begun: None,
            patience: PATIENCE,
            spins: false,
        };
        client.wait_at_most(PATIENCE)?;
        Ok(client)
    }

    /// Replaces the ten seconds after which a peer that makes no progress is considered broken.
    ///
    /// # Errors
    ///
    /// If the operating system refuses.
    pub fn wait_at_most(&mut self, patience: Duration) -> Result<()> {
        self.stream.set_read_timeout(Some(patience))?;
        self.stream.set_write_timeout(Some(patience))?;
        self.patience = patience;
        Ok(())
    }

    /// From now on polls for bytes instead of sleeping until some arrive: for a driver with a core of its own, which then
    /// neither pays for a wake-up nor makes the server pay for one.
    pub fn spin(&mut self) {
        self.spins = true;
    }

    /// Writes all of `out`.
    ///
    /// # Errors
    ///
    /// If the operating system refuses, or after ten seconds without progress.
    pub fn send(&mut self, out: &[u8]) -> Result<()> {
        self.stream.write_all(out).context("cannot write")
    }

    /// Reads as many bytes as `answer` has, and compares.
    ///
    /// # Errors
    ///
    /// If a byte differs, the stream ends, or nothing arrives for ten seconds.
    pub fn expect(&mut self, mut answer: &[u8]) -> Result<()> {
        loop {
            let len = answer.len().min(self.unread.len());
            compare(&self.pending()[..len], &answer[..len])?;
            self.unread.start += len;
            answer = &answer[len..];
            if answer.is_empty() {
                return Ok(());
            }
            self.fill()?;
        }
    }

    /// Writes `out` and reads `answer`, which must arrive byte for byte. Beyond 32 KiB both directions move at once:
    /// otherwise a peer that answers while it reads would wait for us while we wait for it.
    ///
    /// # Errors
    ///
    /// As [`Client::expect`].
    pub fn exchange(&mut self, out: &[u8], answer: &[u8]) -> Result<()> {
        if out.len() > WHOLE {
            return self.interleave(out, answer);
        }
        self.send(out)?;
        self.expect(answer)
    }

    /// The closing handshake, to the end of the stream.
    ///
    /// # Errors
    ///
    /// As [`Client::expect`].
    pub fn close(mut self) -> Result<()> {
        self.exchange(&CLOSE, &CLOSED).context("no answer to the close frame")?;
        self.expect_end()
    }

    /// Waits for the peer to end the stream.
    ///
    /// # Errors
    ///
    /// If a byte arrives, or the stream does not end within ten seconds.
    pub fn expect_end(&mut self) -> Result<()> {
        ensure!(self.unread.is_empty(), "{} bytes more than expected", self.unread.len());
        match self.stream.read(&mut self.buffer) {
            Ok(0) => Ok(()),
            Ok(read) => bail!("{read} bytes where the stream should end"),
            Err(error) => Err(error).context("the stream did not end"),
        }
    }

    /// The socket alone: what was read and not taken is lost, which after an upgrade is nothing unless the server speaks
    /// first.
    #[must_use]
    pub fn into_stream(self) -> TcpStream {
        self.stream
    }

    fn pending(&self) -> &[u8] {
        &self.buffer[self.unread.clone()]
    }

    /// Reads once, behind the unread bytes.
    fn fill(&mut self) -> Result<()> {
        self.make_room()?;
        let read = if self.spins { self.read_spinning()? } else { self.read()? };
        ensure!(read > 0, "the stream ended before the answer did");
        self.unread.end += read;
        Ok(())
    }

    fn make_room(&mut self) -> Result<()> {
        if self.unread.is_empty() {
            self.unread = 0..0;
        } else if self.unread.end == self.buffer.len() {
            self.buffer.copy_within(self.unread.clone(), 0);
            self.unread = 0..self.unread.len();
        }
        ensure!(self.unread.end < self.buffer.len(), "the answer does not fit the buffer");
        Ok(())
    }

    fn read(&mut self) -> Result<usize> {
        loop {
            match self.stream.read(&mut self.buffer[self.unread.end..]) {
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Err(self.silence()),
                read => return read.context("cannot read"),
            }
        }
    }

    fn read_spinning(&mut self) -> Result<usize> {
        let begin = Instant::now();
        loop {
            let free = &mut self.buffer[self.unread.end..];
            let read = recv(&self.stream, free, RecvFlags::DONTWAIT);
            if let Some((_, read)) = unless_blocked(read).context("cannot read")? {
                return Ok(read);
            }
            if begin.elapsed() > self.patience {
                return Err(self.silence());
            }
            std::hint::spin_loop();
        }
    }

    fn silence(&self) -> Error {
        anyhow!("cannot read: nothing arrived for {:?}", self.patience)
    }

    fn interleave(&mut self, mut out: &[u8], mut answer: &[u8]) -> Result<()> {
        ensure!(self.unread.is_empty(), "{} bytes arrived unasked", self.unread.len());
        let patience = Timespec::try_from(self.patience)?;
        while !out.is_empty() || !answer.is_empty() {
            let mut wanted = PollFlags::empty();
            wanted.set(PollFlags::OUT, !out.is_empty());
            wanted.set(PollFlags::IN, !answer.is_empty());
            let mut polled = [PollFd::new(&self.stream, wanted)];
            match poll(&mut polled, Some(&patience)) {
                Ok(0) => {
                    bail!("no progress: {} bytes to write, {} to read", out.len(), answer.len())
                }
                Ok(_) | Err(Errno::INTR) => {}
                Err(error) => return Err(error).context("cannot wait for the socket"),
            }
            if !out.is_empty() {
                let flags = SendFlags::DONTWAIT | SendFlags::NOSIGNAL;
                let sent =
                    unless_blocked(send(&self.stream, out, flags)).context("cannot write")?;
                out = &out[sent.unwrap_or(0)..];
            }
            if !answer.is_empty() {
                let room = answer.len().min(BUFFER);
                let read = recv(&self.stream, &mut self.buffer[..room], RecvFlags::DONTWAIT);
                if let Some((_, read)) = unless_blocked(read).context("cannot read")? {
                    ensure!(read > 0, "the stream ended before the answer did");
                    compare(&self.buffer[..read], &answer[..read])?;
                    answer = &answer[read..];
                }
            }
        }
        Ok(())
    }
}

fn unless_blocked<T>(result: rustix::io::Result<T>) -> rustix::io::Result<Option<T>> {
    match result {
        Err(Errno::AGAIN | Errno::INTR) => Ok(None),
        other => other.map(Some),
    }
}

fn compare(read: &[u8], answer: &[u8]) -> Result<()> {
    if read == answer {
        return Ok(());
    }
    let at = read.iter().zip(answer).position(|(read, answer)| read != answer).unwrap_or(0);
    bail!(
        "wrong answer: {:#04x} instead of {:#04x}, {} bytes before the end",
        read[at],
        answer[at],
        answer.len() - at
    )
}
