//! What the connections of one worker share, and record into.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::Result;
use bytes::BytesMut;

use super::clock::Clock;
use super::details::Details;
use super::endpoint::Endpoint;
use super::exchange::Exchange;
use super::keys::Keys;
use super::ledger::Entry;
use super::problem::Problem;
use super::tender::{Command, Start};
use super::timers::Timers;
use load_plan::metrics::{Recorder, Sample, Tally, Timing};
use load_plan::model::{ErrorSample, Phase};
use load_plan::outcome::{Ending, Fault};
use load_plan::profile::Profile;

/// What the connections of a worker share.
#[derive(Debug)]
pub(super) struct Worker {
    pub(super) clock: Clock,
    pub(super) profile: Arc<Profile>,
    pub(super) endpoint: Arc<Endpoint>,
    pub(super) exchange: Exchange,
    pub(super) timers: Timers,
    /// Wall clock at the run's start, in milliseconds since 1970.
    start_unix_ms: f64,
    command: Cell<Command>,
    pub(super) keys: RefCell<Keys>,
    /// Where a message is made, before it goes onto its connection's wire.
    pub(super) draft: RefCell<BytesMut>,
    recorder: RefCell<Recorder>,
    /// Answers that came after the hold that their messages belong to, by [`Worker::hold`].
    belated: RefCell<BTreeMap<u32, Recorder>>,
    details: RefCell<Details>,
    all_open: Arc<AtomicU64>,
    open: Cell<u64>,
    occupied: Cell<u32>,
    attempts: Cell<u16>,
}

impl Worker {
    pub(super) fn new(start: &Start) -> Result<Self> {
        let unix = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Ok(Self {
            timers: Timers::new(start.clock)?,
            exchange: Exchange::new(&start.profile),
            clock: start.clock,
            profile: Arc::clone(&start.profile),
            endpoint: Arc::clone(&start.endpoint),
            start_unix_ms: unix.as_secs_f64() * 1e3 + start.clock.until_start_ms(),
            command: Cell::new(*start.commands.borrow()),
            keys: RefCell::new(Keys::new()),
            draft: RefCell::default(),
            recorder: RefCell::default(),
            belated: RefCell::default(),
            details: RefCell::default(),
            all_open: Arc::clone(&start.open),
            open: Cell::new(0),
            occupied: Cell::new(0),
            // Shards and workers begin apart, so that an answer to a neighbour's message is known for one.
            attempts: Cell::new((start.place.index as u16) << 12 | (start.place.shard as u16) << 8),
        })
    }

    /// What it does now.
    pub(super) fn command(&self) -> Command {
        self.command.get()
    }

    /// From now on it does something else.
    pub(super) fn obey(&self, command: Command) {
        self.command.set(command);
    }

    /// Connections open.
    pub(super) fn open(&self) -> u64 {
        self.open.get()
    }

    /// Whether every life that [`Worker::spawn`] began has ended.
    pub(super) fn is_deserted(&self) -> bool {
        self.occupied.get() == 0
    }

    /// What was recorded since the last time, and of holds that were over, by [`Worker::hold`].
    pub(super) fn cut(&self) -> (Sample, BTreeMap<u32, Sample>) {
        let belated = std::mem::take(&mut *self.belated.borrow_mut());
        let belated = belated.into_iter().map(|(hold, mut recorder)| (hold, recorder.cut()));
        (self.recorder.borrow_mut().cut(), belated.collect())
    }

    /// Errors in words, once.
    pub(super) fn take_details(&self) -> Vec<ErrorSample> {
        self.details.take().into_list()
    }

    /// The stage that it is in.
    pub(super) fn stage(&self) -> usize {
        self.command.get().stage
    }

    /// The hold that it is in, from 1; 0 where nothing is measured.
    pub(super) fn hold(&self) -> u32 {
        let Command { stage, phase, .. } = self.command.get();
        if phase == Phase::Hold { stage as u32 + 1 } else { 0 }
    }

    /// Milliseconds since 1970.
    pub(super) fn unix_ms(&self) -> f64 {
        self.start_unix_ms + self.clock.now_ns() as f64 / 1e6
    }

    pub(super) fn count(&self, add: impl FnOnce(&mut Tally)) {
        add(&mut self.recorder.borrow_mut().counts);
    }

    /// Records whatever the phase is.
    pub(super) fn record_now(&self, timing: Timing, ns: u64) {
        self.recorder.borrow_mut().record(timing, ns);
    }

    /// Records what is measured only in a hold.
    pub(super) fn record_in_hold(&self, timing: Timing, ns: u64) {
        if self.hold() != 0 {
            self.recorder.borrow_mut().record(timing, ns);
        }
    }

    /// A message that will not be answered: censored at the time that was waited.
    pub(super) fn lost(&self, entry: Entry, now_ns: u64) {
        self.answered(entry, now_ns);
        let waited_ms = now_ns.saturating_sub(entry.sent_ns) / 1_000_000;
        self.count(|counts| counts.faults[Fault::Lost as usize] += 1);
        self.details.borrow_mut().note(Fault::Lost.name(), now_ns, || {
            format!("no answer; the first was given up after {waited_ms} ms")
        });
    }

    /// How long a message took, right and for the first time answered.
    pub(super) fn answered(&self, entry: Entry, now_ns: u64) {
        if entry.hold == 0 {
            return;
        }
        let record = |recorder: &mut Recorder| {
            recorder.record(Timing::RttService, now_ns.saturating_sub(entry.sent_ns));
            if self.profile.is_open_loop(entry.hold as usize - 1) {
                recorder.record(Timing::RttIntended, now_ns.saturating_sub(entry.due_ns));
            }
        };
        if entry.hold == self.hold() {
            record(&mut self.recorder.borrow_mut());
        } else {
            record(self.belated.borrow_mut().entry(entry.hold).or_default());
        }
    }

    pub(super) fn fault(&self, fault: Fault, now_ns: u64, payload: &[u8]) {
        self.count(|counts| counts.faults[fault as usize] += 1);
        self.details.borrow_mut().note(fault.name(), now_ns, || {
            let start = &payload[..payload.len().min(48)];
            format!("the first: {} bytes, {:?}", payload.len(), String::from_utf8_lossy(start))
        });
    }

    /// Begins an attempt; its number tells its messages from those of others.
    pub(super) fn attempt(&self) -> u16 {
        self.count(|counts| counts.attempted += 1);
        let id = self.attempts.get();
        self.attempts.set(id.wrapping_add(1));
        id
    }

    pub(super) fn opened(&self, begun_ns: u64) {
        self.open.set(self.open.get() + 1);
        self.all_open.fetch_add(1, Relaxed);
        self.count(|counts| counts.opened += 1);
        self.record_now(Timing::Connect, self.clock.now_ns().saturating_sub(begun_ns));
    }

    pub(super) fn closed(&self) {
        self.open.set(self.open.get() - 1);
        self.all_open.fetch_sub(1, Relaxed);
    }

    pub(super) fn ended(&self, ending: Ending) {
        self.count(|counts| counts.endings[ending as usize] += 1);
    }

    pub(super) fn failed(&self, problem: &Problem) {
        let ending = problem.ending.unwrap_or(Ending::BadHandshake);
        self.ended(ending);
        self.note(ending.name(), &problem.words);
    }

    pub(super) fn note(&self, kind: &'static str, words: &str) {
        self.details.borrow_mut().note_words(kind, words, self.clock.now_ns());
    }

    pub(super) fn is_left(&self) {
        self.occupied.set(self.occupied.get() - 1);
    }

    /// Runs `life` beside the others; it calls [`Worker::is_left`] at its end.
    pub(super) fn spawn(&self, life: impl Future<Output = ()> + 'static) {
        self.occupied.set(self.occupied.get() + 1);
        tokio::task::spawn_local(life);
    }

    /// Whether the run is over.
    pub(super) fn is_draining(&self) -> bool {
        self.command.get().phase == Phase::Drain
    }
}
