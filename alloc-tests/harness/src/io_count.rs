//! The counts of the server's reads and writes, and what is held back of selected connections, at most four of them.
//!
//! ```
//! use futures::FutureExt;
//! use plimsoll::io_count::IO;
//! use tokio::io::AsyncWriteExt;
//!
//! IO.select_next();
//! let mut stream = plimsoll::count(tokio::io::sink());
//! IO.hold_writes();
//! assert!(stream.write(b"tick").now_or_never().is_none(), "its peer does not read");
//! IO.release();
//! assert!(stream.write(b"tick").now_or_never().is_some());
//! ```

use std::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed, Release};
use std::sync::atomic::{AtomicBool, AtomicU64};

use futures::task::AtomicWaker;

/// Most connections that can be held back at the same time.
const MOST_HELD: usize = 8;

/// Counts of one window. Static, because a counted stream must not carry an allocation of the harness.
///
/// ```
/// use plimsoll::io_count::{IO, IoCounts};
///
/// let before: &IoCounts = &IO;
/// assert_eq!(before.reads(), 0);
/// ```
#[derive(Debug)]
pub struct IoCounts {
    reads: AtomicU64,
    /// Reads that found nothing to read.
    empty_reads: AtomicU64,
    writes: AtomicU64,
    accepted: AtomicU64,
    /// Whether every stream is counted, even if there is none.
    all: AtomicBool,
    /// Whether a [`Listener`](crate::Listener) waits for its first connection.
    unserved: AtomicBool,
    /// Whether the server took tokio's own listener, so that it accepts unseen.
    unseen: AtomicBool,
    /// Accepted sockets that still use Nagle's algorithm.
    pub(crate) without_nodelay: AtomicU64,
    /// 1 + the index, in order of acceptance, of the connection that was selected last; 0 for none.
    selected: AtomicU64,
    /// Connections selected so far.
    selections: AtomicU64,
    /// Writes of selected connections that still pass; [`ALL`] holds none back.
    passing: AtomicU64,
    holds_reads: AtomicBool,
    holds_end: AtomicBool,
    /// One for each selected connection.
    waiting: [AtomicWaker; MOST_HELD],
}

/// More writes than a window makes.
const ALL: u64 = u64::MAX;

/// The counts of the one window that can be open in a process.
///
/// ```
/// assert_eq!(plimsoll::io_count::IO.reads(), 0);
/// ```
pub static IO: IoCounts = IoCounts {
    reads: AtomicU64::new(0),
    empty_reads: AtomicU64::new(0),
    writes: AtomicU64::new(0),
    accepted: AtomicU64::new(0),
    all: AtomicBool::new(false),
    unserved: AtomicBool::new(false),
    unseen: AtomicBool::new(false),
    without_nodelay: AtomicU64::new(0),
    selected: AtomicU64::new(0),
    selections: AtomicU64::new(0),
    passing: AtomicU64::new(ALL),
    holds_reads: AtomicBool::new(false),
    holds_end: AtomicBool::new(false),
    waiting: [const { AtomicWaker::new() }; MOST_HELD],
};

impl IoCounts {
    /// Sets all counts to 0, and holds nothing back.
    pub(crate) fn reset(&self) {
        let Self { reads, empty_reads, writes, accepted, without_nodelay, .. } = self;
        let Self { selected, selections, .. } = self;
        for count in [reads, empty_reads, writes, accepted, without_nodelay, selected, selections] {
            count.store(0, Relaxed);
        }
        self.hold_nothing();
        self.all.store(false, Relaxed);
        self.unserved.store(false, Relaxed);
        self.unseen.store(false, Relaxed);
        self.drop_waker();
    }

    pub(crate) fn all_are_counted(&self) {
        self.all.store(true, Relaxed);
    }

    /// Records whether a listener waits for its first connection.
    pub(crate) fn set_unserved(&self, unserved: bool) {
        self.unserved.store(unserved, Relaxed);
    }

    /// Whether a listener still waits for its first connection.
    pub(crate) fn is_unserved(&self) -> bool {
        self.unserved.load(Relaxed)
    }

    pub(crate) fn accept_unseen(&self) {
        self.set_unserved(false);
        self.unseen.store(true, Relaxed);
    }

    /// The number of accepted connections; `None` if they are not seen.
    pub(crate) fn accepted(&self) -> Option<u64> {
        (!self.unseen.load(Relaxed)).then(|| self.accepted.load(Acquire))
    }

    /// Reads and writes; `None` if no stream was wrapped, so that nothing could be counted.
    pub(crate) fn measured(&self) -> Option<[u64; 2]> {
        let is_measured = self.all.load(Relaxed) || self.accepted.load(Acquire) > 0;
        is_measured.then(|| [self.reads(), self.writes()])
    }

    /// Drops the wakers of what was held: they keep the memory of their tasks alive, which is no leak of the server.
    pub(crate) fn drop_waker(&self) {
        self.waiting.iter().for_each(|waker| drop(waker.take()));
    }

    /// Completed reads of all streams since the window opened, including those that find the end of a stream.
    ///
    /// ```
    /// # use {futures::FutureExt, plimsoll::io_count::IO, tokio::io::{AsyncReadExt, AsyncWriteExt}};
    /// let mut stream = plimsoll::count(&b"hello"[..]);
    /// stream.read_to_end(&mut Vec::new()).now_or_never();
    /// assert_eq!(IO.reads(), 2, "the text, and the end");
    /// ```
    pub fn reads(&self) -> u64 {
        self.reads.load(Relaxed)
    }

    /// Reads that found nothing: each ends one turn of a connection, whatever woke it.
    ///
    /// ```
    /// # use {futures::FutureExt, plimsoll::io_count::IO, tokio::io::{AsyncReadExt, AsyncWriteExt}};
    /// let (stream, _peer) = tokio::io::duplex(64);
    /// plimsoll::count(stream).read(&mut [0; 8]).now_or_never();
    /// assert_eq!((IO.reads(), IO.empty_reads()), (0, 1));
    /// ```
    pub fn empty_reads(&self) -> u64 {
        self.empty_reads.load(Relaxed)
    }

    pub(crate) fn writes(&self) -> u64 {
        self.writes.load(Relaxed)
    }

    /// Selects the connection that is accepted next: it, and those selected before, can be held back.
    ///
    /// ```
    /// # use {futures::FutureExt, plimsoll::io_count::IO, tokio::io::{AsyncReadExt, AsyncWriteExt}};
    /// let mut first = plimsoll::count(tokio::io::sink());
    /// IO.select_next();
    /// let mut second = plimsoll::count(tokio::io::sink());
    /// IO.hold_writes();
    /// assert!(first.write(b"tick").now_or_never().is_some());
    /// assert!(second.write(b"tick").now_or_never().is_none());
    /// ```
    pub fn select_next(&self) {
        self.selected.store(self.accepted.load(Acquire) + 1, Release);
    }

    /// Holds back every write to selected connections from now on, as a peer does that does not read.
    ///
    /// ```
    /// # use {futures::FutureExt, plimsoll::io_count::IO, tokio::io::{AsyncReadExt, AsyncWriteExt}};
    /// IO.select_next();
    /// let mut stream = plimsoll::count(tokio::io::sink());
    /// IO.hold_writes();
    /// assert!(stream.write(b"tick").now_or_never().is_none());
    /// ```
    pub fn hold_writes(&self) {
        self.passing.store(0, Release);
    }

    /// [`IoCounts::hold_writes`] after `writes` more, as a peer does that reads a little.
    ///
    /// ```
    /// # use {futures::FutureExt, plimsoll::io_count::IO, tokio::io::{AsyncReadExt, AsyncWriteExt}};
    /// IO.select_next();
    /// let mut stream = plimsoll::count(tokio::io::sink());
    /// IO.hold_writes_after(1);
    /// assert!(stream.write(b"tick").now_or_never().is_some());
    /// assert!(stream.write(b"tick").now_or_never().is_none());
    /// ```
    pub fn hold_writes_after(&self, writes: u64) {
        self.passing.store(writes, Release);
        self.wake();
    }

    /// Holds back every read from selected connections from now on: the server does not yet know what their peers did.
    ///
    /// ```
    /// # use {futures::FutureExt, plimsoll::io_count::IO, tokio::io::{AsyncReadExt, AsyncWriteExt}};
    /// IO.select_next();
    /// let mut stream = plimsoll::count(&b"hello"[..]);
    /// IO.hold_reads();
    /// assert!(stream.read(&mut [0; 5]).now_or_never().is_none());
    /// ```
    pub fn hold_reads(&self) {
        self.holds_reads.store(true, Release);
    }

    /// Holds back the end of the server's side of selected connections, so that their peers can act before it.
    ///
    /// ```
    /// # use {futures::FutureExt, plimsoll::io_count::IO, tokio::io::{AsyncReadExt, AsyncWriteExt}};
    /// IO.select_next();
    /// let mut stream = plimsoll::count(tokio::io::sink());
    /// IO.hold_end();
    /// assert!(stream.write(b"bye").now_or_never().is_some());
    /// assert!(stream.shutdown().now_or_never().is_none());
    /// ```
    pub fn hold_end(&self) {
        self.holds_end.store(true, Release);
    }

    /// Lets everything that is held back go on.
    ///
    /// ```
    /// # use {futures::FutureExt, plimsoll::io_count::IO, tokio::io::{AsyncReadExt, AsyncWriteExt}};
    /// IO.select_next();
    /// let mut stream = plimsoll::count(tokio::io::sink());
    /// IO.hold_end();
    /// IO.release();
    /// assert!(stream.shutdown().now_or_never().is_some());
    /// ```
    pub fn release(&self) {
        self.hold_nothing();
        self.wake();
    }

    fn hold_nothing(&self) {
        self.passing.store(ALL, Release);
        self.holds_reads.store(false, Release);
        self.holds_end.store(false, Release);
    }

    fn wake(&self) {
        self.waiting.iter().for_each(AtomicWaker::wake);
    }

    /// Counts an accepted stream. If it was selected, returns what wakes it when it may go on.
    pub(crate) fn accept(&'static self) -> Option<&'static AtomicWaker> {
        let index = self.accepted.fetch_add(1, AcqRel) + 1;
        let is_selected = self.selected.load(Acquire) == index;
        is_selected.then(|| {
            let nth = self.selections.fetch_add(1, Relaxed) as usize;
            &self.waiting[nth % MOST_HELD]
        })
    }

    pub(crate) fn add_read(&self, is_ready: bool) {
        let count = if is_ready { &self.reads } else { &self.empty_reads };
        count.fetch_add(1, Relaxed);
    }

    pub(crate) fn add_write(&self) {
        self.writes.fetch_add(1, Relaxed);
    }

    pub(crate) fn lets_read(&self) -> bool {
        !self.holds_reads.load(Acquire)
    }

    /// Whether one more write passes, which is then taken.
    pub(crate) fn lets_write(&self) -> bool {
        let next = |left: u64| if left == ALL { Some(ALL) } else { left.checked_sub(1) };
        self.passing.fetch_update(AcqRel, Acquire, next).is_ok()
    }

    pub(crate) fn lets_end(&self) -> bool {
        !self.holds_end.load(Acquire)
    }
}
