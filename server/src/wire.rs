//! The stream between tungstenite and the socket. tungstenite joins fragments and answers pings while it is asked for one
//! message, so that only what is below it can bound frames.

use std::io;
use std::pin::{Pin, pin};
use std::task::{Context as Task, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::Config;
use crate::frames::{Frames, LONGEST_HEADER, Limits, PIECE_HEADER, Stop};

/// Most frames of one turn. Then other tasks run, and the runtime looks for their input. With more, peers that send small
/// messages without pause make others wait longer (`scripts/check-attacks.sh one_byte_messages`); with fewer, a peer that
/// pipelines gets less done (`cargo bench --bench echo_throughput`).
const TURN_FRAMES: u32 = 32;

/// Most bytes of one turn, read and written. More than the longest message by default: a client that waits for each
/// answer has all of its turns to itself.
const TURN_BYTES: usize = 72 * 1024;

/// Bytes that cost as much time as a frame does, whatever its length.
const FRAME_BYTES: usize = 512;

/// Bytes of a read that filled its buffer, from which on a large frame is taken to be on its way.
const FULL_READ: usize = 1024;

/// Time over which [`Config::max_idle_frames`] are counted.
const RATE_WINDOW: Duration = Duration::from_secs(1);

/// A rule about frames that the peer broke: RFC 6455 leaves it to the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", self.reason())]
pub(crate) enum Excess {
    Fragments,
    IdleFrames,
}

impl Excess {
    /// The reason in the close frame.
    pub(crate) fn reason(self) -> &'static str {
        match self {
            Self::Fragments => "too many fragments",
            Self::IdleFrames => "too many pings, pongs or empty frames",
        }
    }
}

/// A stream whose peer gets the processor in turns, may not send frames without end, and holds no memory for what it
/// only announces.
#[derive(Debug)]
pub(crate) struct Wire<'a, S> {
    io: S,
    config: &'a Config,
    frames: Frames,
    /// Bytes of this turn, read and written.
    turn_bytes: usize,
    /// Whether the last read ended a turn.
    yielded: bool,
    /// Whether the last read found nothing. What is written now is the end of a turn that is over.
    starved: bool,
    /// When counting idle frames began.
    idle_since: Duration,
    /// A rule that the peer broke: the next read says so.
    excess: Option<Excess>,
    /// The beginning of a header.
    header: [u8; LONGEST_HEADER],
    header_length: usize,
    /// Bytes that were read before their turn, from `taken` on.
    early: Vec<u8>,
    taken: usize,
    /// Since when the peer takes nothing that is written.
    stalled: Option<Duration>,
    /// Whether the socket is read.
    reads: bool,
}

impl<'a, S> Wire<'a, S> {
    /// `early`: bytes of the WebSocket that are already read.
    pub(crate) fn new(io: S, early: Vec<u8>, limits: Limits, config: &'a Config) -> Self {
        Self {
            io,
            config,
            frames: Frames::new(limits),
            turn_bytes: 0,
            yielded: false,
            starved: false,
            idle_since: config.clock.now(),
            excess: None,
            header: [0; LONGEST_HEADER],
            header_length: 0,
            early,
            taken: 0,
            stalled: None,
            reads: true,
        }
    }

    /// The stream below.
    pub(crate) fn socket(&mut self) -> &mut S {
        &mut self.io
    }

    /// Without it only early bytes are read.
    pub(crate) fn set_reading(&mut self, reads: bool) {
        self.reads = reads;
    }

    /// Whether the last read found nothing: everything that was read is with the session.
    pub(crate) fn is_starved(&self) -> bool {
        self.starved
    }

    /// Since when a write waits for the peer, without any progress.
    pub(crate) fn stalled(&self) -> Option<Duration> {
        self.stalled
    }

    /// Whether the last read ended a turn: there may be more to read.
    pub(crate) fn has_yielded(&self) -> bool {
        self.yielded
    }

    fn begin_turn(&mut self) {
        self.frames.begun = 0;
        self.turn_bytes = 0;
    }

    /// Takes note of a rate that is over the limit.
    fn judge_rate(&mut self) {
        if self.frames.idle <= self.config.max_idle_frames {
            return;
        }
        let now = self.config.clock.now();
        if now.saturating_sub(self.idle_since) < RATE_WINDOW {
            self.excess = Some(Excess::IdleFrames);
        }
        self.idle_since = now;
        self.frames.idle = 0;
    }
}

impl<S: AsyncRead + Unpin> Wire<'_, S> {
    /// Reads early bytes, then the socket's. Nothing read is the end.
    fn poll_bytes(
        &mut self,
        cx: &mut Task<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<usize>> {
        let before = buffer.filled().len();
        if self.taken == self.early.len() {
            self.early.clear();
            self.taken = 0;
            if !self.reads {
                return Poll::Pending;
            }
            ready!(Pin::new(&mut self.io).poll_read(cx, buffer))?;
        } else {
            let early = &self.early[self.taken..];
            let early = &early[..early.len().min(buffer.remaining())];
            buffer.put_slice(early);
            self.taken += early.len();
        }
        self.starved = false;
        Poll::Ready(Ok(buffer.filled().len() - before))
    }

    /// Appends what may pass of the next read, maybe nothing. False at the end.
    fn poll_frames(
        &mut self,
        cx: &mut Task<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<bool>> {
        let before = buffer.filled().len();
        buffer.put_slice(&self.header[..self.header_length]);
        let room = buffer.remaining();
        let read = ready!(self.poll_bytes(cx, buffer))?;
        if read == 0 {
            buffer.set_filled(before);
            return Poll::Ready(Ok(false));
        }
        let is_full = read == room && read >= FULL_READ;
        let bytes = &mut buffer.filled_mut()[before..];
        let (passed, stop) = self.frames.follow(bytes, TURN_FRAMES, is_full);
        let rest = &bytes[passed..];
        self.header_length = 0;
        match stop {
            None => {}
            Some(Stop::Header) => {
                self.header[..rest.len()].copy_from_slice(rest);
                self.header_length = rest.len();
            }
            // A turn begins with room for a frame: what does not pass was in this read, and not in the header before it.
            Some(Stop::Turn) if self.taken > 0 => self.taken -= rest.len(),
            Some(Stop::Turn) => {
                self.early.clear();
                self.early.extend_from_slice(rest);
            }
            Some(Stop::Fragments) => self.excess = Some(Excess::Fragments),
        }
        buffer.set_filled(before + passed);
        self.turn_bytes += passed;
        self.judge_rate();
        Poll::Ready(Ok(true))
    }

    /// Appends a piece of the current frame, of at most `most` bytes, with a header of its own. False at the end.
    fn poll_piece(
        &mut self,
        cx: &mut Task<'_>,
        buffer: &mut ReadBuf<'_>,
        most: usize,
    ) -> Poll<io::Result<bool>> {
        let before = buffer.filled().len();
        buffer.put_slice(&[0; PIECE_HEADER]);
        let mut piece = ReadBuf::new(buffer.initialize_unfilled_to(most.min(buffer.remaining())));
        let read = ready!(self.poll_bytes(cx, &mut piece))?;
        if read == 0 {
            buffer.set_filled(before);
            return Poll::Ready(Ok(false));
        }
        buffer.advance(read);
        buffer.filled_mut()[before..before + PIECE_HEADER]
            .copy_from_slice(&self.frames.piece(read));
        self.turn_bytes += read;
        Poll::Ready(Ok(true))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Wire<'_, S> {
    /// `buffer` must have room for a header and a byte, as tungstenite's has whenever a frame may begin.
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Task<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let begun = this.frames.begun;
        this.yielded =
            begun >= TURN_FRAMES || this.turn_bytes + begun as usize * FRAME_BYTES >= TURN_BYTES;
        if this.yielded {
            this.begin_turn();
            // Wakes the task after others ran, and after the runtime has looked for new input of theirs.
            ready!(pin!(tokio::task::yield_now()).poll(cx));
        }
        let before = buffer.filled().len();
        loop {
            if let Some(excess) = this.excess {
                return Poll::Ready(Err(io::Error::other(excess)));
            }
            let polled = match this.frames.next_piece() {
                Some(most) => this.poll_piece(cx, buffer, most),
                None => this.poll_frames(cx, buffer),
            };
            match polled {
                Poll::Pending => {
                    buffer.set_filled(before);
                    this.begin_turn();
                    this.starved = true;
                    return Poll::Pending;
                }
                Poll::Ready(Ok(true)) if buffer.filled().len() == before => {}
                Poll::Ready(result) => return Poll::Ready(result.map(|_| ())),
            }
        }
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Wire<'_, S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Task<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.io).poll_write(cx, bytes);
        if let Poll::Ready(written) = &polled {
            self.stalled = None;
            if !self.starved {
                self.turn_bytes += *written.as_ref().unwrap_or(&0);
            }
        } else if self.stalled.is_none() {
            self.stalled = Some(self.config.clock.now());
        }
        polled
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Task<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Task<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests;
