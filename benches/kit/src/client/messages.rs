//! Whole messages of any size, as any server may send them: in frames, among pings, until a close.

use std::ops::Range;
use std::time::Instant;

use anyhow::{Context, Result, bail, ensure};
use conversation::frame::MASK;
use conversation::script::shown;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::net::{RecvFlags, SendFlags, recv, send};

use super::frames::{Header, Opcode};
use super::{CLOSE, Client, WHOLE, unless_blocked};

/// Longest message that is read, in bytes.
const LONGEST: usize = 64 << 20;

/// A whole message.
#[derive(Clone, Copy, Debug)]
pub struct Message<'a> {
    /// Whether it is binary.
    pub binary: bool,
    /// What it says.
    pub payload: &'a [u8],
}

/// What became of the bytes that have arrived.
enum Taken {
    /// They are not a whole frame of so many bytes yet.
    Incomplete(usize),
    /// A frame that is no whole message.
    Frame,
    /// The close frame, in words.
    Closed(String),
    /// A message of one frame, with its payload in the buffer.
    Whole { binary: bool, payload: Range<usize> },
    /// The last frame of a message, whose payload is in `parts`.
    Assembled { binary: bool },
}

impl Client {
    /// Waits for the next whole message. Pings are answered.
    ///
    /// # Errors
    ///
    /// If the server closes or breaks the protocol, or if no whole message arrives for ten seconds.
    pub fn message(&mut self) -> Result<Message<'_>> {
        let begin = Instant::now();
        loop {
            match self.take()? {
                Taken::Whole { binary, payload } => {
                    return Ok(Message { binary, payload: &self.buffer[payload] });
                }
                Taken::Assembled { binary } => {
                    return Ok(Message { binary, payload: &self.parts });
                }
                Taken::Closed(words) => bail!(words),
                Taken::Frame => {}
                Taken::Incomplete(bytes) => {
                    self.make_room_for(bytes);
                    self.fill()?;
                }
            }
            ensure!(begin.elapsed() < self.patience, "no whole message within {:?}", self.patience);
        }
    }

    /// Demands that no message has arrived, without waiting. `looks` into the socket too, which is a system call.
    ///
    /// # Errors
    ///
    /// If a message has arrived, or as [`Client::message`].
    pub fn expect_nothing(&mut self, looks: bool) -> Result<()> {
        if looks {
            self.make_room()?;
            let free = &mut self.buffer[self.unread.end..];
            let read = recv(&self.stream, free, RecvFlags::DONTWAIT);
            if let Some((_, read)) = unless_blocked(read).context("cannot read")? {
                ensure!(read > 0, "the server ended the connection");
                self.unread.end += read;
            }
        }
        while !self.unread.is_empty() {
            match self.take()? {
                Taken::Incomplete(_) => break,
                Taken::Frame => {}
                Taken::Closed(words) => bail!(words),
                Taken::Whole { payload, .. } => unasked(&self.buffer[payload])?,
                Taken::Assembled { .. } => unasked(&self.parts)?,
            }
        }
        Ok(())
    }

    /// The closing handshake, to the end of the stream. A server may end it without an answer.
    ///
    /// # Errors
    ///
    /// If a message arrives, or the stream does not end within ten seconds.
    pub fn leave(mut self) -> Result<()> {
        self.send(&CLOSE)?;
        let mut closed = false;
        loop {
            match if closed { Taken::Incomplete(0) } else { self.take()? } {
                Taken::Whole { payload, .. } => unasked(&self.buffer[payload])?,
                Taken::Assembled { .. } => unasked(&self.parts)?,
                Taken::Closed(_) => closed = true,
                Taken::Frame => {}
                Taken::Incomplete(bytes) => {
                    self.make_room_for(bytes);
                    self.make_room()?;
                    match self.read() {
                        Ok(0) => return Ok(()),
                        Ok(read) => self.unread.end += read,
                        Err(error) if is_reset(&error) => return Ok(()),
                        Err(error) if closed => {
                            return Err(error).context(
                                "the server answered the close frame and did not end the connection",
                            );
                        }
                        Err(error) => return Err(error).context("no answer to the close frame"),
                    }
                }
            }
        }
    }

    /// Writes a message. Of a long one, what the server answers meanwhile is read: otherwise both would wait.
    ///
    /// # Errors
    ///
    /// As [`Client::send`].
    pub fn say(&mut self, mut frame: &[u8]) -> Result<()> {
        if frame.len() <= WHOLE {
            return self.send(frame);
        }
        let patience = Timespec::try_from(self.patience)?;
        while !frame.is_empty() {
            let mut polled = [PollFd::new(&self.stream, PollFlags::OUT | PollFlags::IN)];
            match poll(&mut polled, Some(&patience)) {
                Ok(0) => {
                    bail!("cannot write: {} bytes are left after {:?}", frame.len(), self.patience)
                }
                Ok(_) | Err(Errno::INTR) => {}
                Err(error) => return Err(error).context("cannot wait for the socket"),
            }
            let flags = SendFlags::DONTWAIT | SendFlags::NOSIGNAL;
            let sent = unless_blocked(send(&self.stream, frame, flags)).context("cannot write")?;
            frame = &frame[sent.unwrap_or(0)..];
            if self.unread.len() == self.buffer.len() {
                ensure!(self.buffer.len() < LONGEST, "the server sends more than {LONGEST} bytes");
                self.make_room_for(2 * self.buffer.len());
            }
            self.make_room()?;
            let free = &mut self.buffer[self.unread.end..];
            let read = recv(&self.stream, free, RecvFlags::DONTWAIT);
            if let Some((_, read)) = unless_blocked(read).context("cannot read")? {
                ensure!(read > 0, "the stream ended before the message was sent");
                self.unread.end += read;
            }
        }
        Ok(())
    }

    fn make_room_for(&mut self, bytes: usize) {
        if bytes > self.buffer.len() {
            self.buffer.resize(bytes, 0);
        }
    }

    /// Takes one frame of what has arrived.
    fn take(&mut self) -> Result<Taken> {
        let Some(header) = Header::read(self.pending())? else { return Ok(Taken::Incomplete(0)) };
        let Header { is_final, opcode, len, payload } = header;
        let before = self.begun.map_or(0, |_| self.parts.len());
        let whole = payload.saturating_add(before);
        ensure!(whole <= LONGEST, "a message of {whole} bytes is longer than {LONGEST}");
        if self.unread.len() < len + payload {
            return Ok(Taken::Incomplete(len + payload));
        }
        let at = self.unread.start + len;
        let payload = at..at + payload;
        self.unread.start = payload.end;
        match (opcode, self.begun) {
            (Opcode::Close, _) => Ok(Taken::Closed(closed(&self.buffer[payload]))),
            (Opcode::Ping, _) => self.answer(payload),
            (Opcode::Pong, _) => Ok(Taken::Frame),
            (Opcode::Continuation, None) => bail!("a frame continues no message"),
            (Opcode::Text | Opcode::Binary, Some(_)) => bail!("a message begins within another"),
            (Opcode::Text | Opcode::Binary, None) if is_final => {
                Ok(Taken::Whole { binary: opcode == Opcode::Binary, payload })
            }
            (_, begun) => {
                let binary = begun.unwrap_or(opcode == Opcode::Binary);
                if begun.is_none() {
                    self.parts.clear();
                }
                self.parts.extend_from_slice(&self.buffer[payload]);
                self.begun = (!is_final).then_some(binary);
                Ok(if is_final { Taken::Assembled { binary } } else { Taken::Frame })
            }
        }
    }

    /// Answers the ping with this payload.
    fn answer(&mut self, payload: Range<usize>) -> Result<Taken> {
        let mut pong = [0; 2 + 4 + 125];
        let len = payload.len();
        pong[..2].copy_from_slice(&[0x8a, 0x80 | len as u8]);
        pong[2..6].copy_from_slice(&MASK);
        let masked = self.buffer[payload].iter().zip(MASK.iter().cycle());
        for (to, (byte, mask)) in pong[6..].iter_mut().zip(masked) {
            *to = byte ^ mask;
        }
        self.send(&pong[..6 + len])?;
        Ok(Taken::Frame)
    }
}

fn unasked(payload: &[u8]) -> Result<()> {
    bail!("a message more than was expected came: {}", shown(payload))
}

/// `the server closed the connection: code 1008, "full"`.
fn closed(payload: &[u8]) -> String {
    let words = "the server closed the connection";
    match payload {
        [high, low, reason @ ..] => {
            let code = u16::from_be_bytes([*high, *low]);
            let reason =
                if reason.is_empty() { String::new() } else { format!(", {}", shown(reason)) };
            format!("{words}: code {code}{reason}")
        }
        _ => format!("{words} without a code"),
    }
}

fn is_reset(error: &anyhow::Error) -> bool {
    let error = error.downcast_ref::<std::io::Error>();
    error.is_some_and(|error| error.kind() == std::io::ErrorKind::ConnectionReset)
}
