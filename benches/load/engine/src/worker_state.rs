//! The state that the connections of one worker share, and its records.

mod trips;

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::ops::Range;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use anyhow::Result;
use futures::FutureExt;
use load_plan::metrics::{Recorder, Sample, Tally, Timing};
use load_plan::model::{ErrorSample, Phase};
use load_plan::outcome::{Ending, Fault};
use load_plan::profile::{Mode, Pace, Profile};
use tokio::sync::Notify;

use super::clock::Clock;
use super::connection_numbers::ConnectionNumbers;
use super::control::{Command, Start};
use super::endpoint::Endpoint;
use super::error_samples::ErrorSamples;
use super::masking_keys::MaskingKeys;
use super::problem::Problem;
use super::protocol::Protocol;
use super::timers::Timers;

/// The state of one worker.
#[derive(Debug)]
pub(super) struct WorkerState {
    pub(super) clock: Clock,
    pub(super) profile: Arc<Profile>,
    pub(super) endpoint: Arc<Endpoint>,
    pub(super) protocol: Protocol,
    pub(super) timers: Timers,
    pub(super) masking_keys: RefCell<MaskingKeys>,
    /// Where a message is made that goes onto its connection's wire in fragments.
    pub(super) draft: RefCell<Vec<u8>>,
    start_unix_ms: f64,
    command: Cell<Command>,
    pace: Cell<Pace>,
    /// Holds that are over: their stages, beginnings and ends.
    past_holds: RefCell<Vec<(u32, Range<u64>)>>,
    draining_began: Notify,
    recorder: RefCell<Recorder>,
    /// Answers that came after the hold in which their messages were due, by stage.
    late: RefCell<BTreeMap<u32, Recorder>>,
    error_samples: RefCell<ErrorSamples>,
    /// Connections open on all workers.
    all_open: Arc<AtomicU64>,
    open: Cell<u64>,
    tasks: Cell<u32>,
    last_task_ended: Notify,
    connection_numbers: ConnectionNumbers,
    longest_connect_ns: Cell<u64>,
}

impl WorkerState {
    /// Must be called inside a runtime.
    ///
    /// # Errors
    ///
    /// If the machine has no timer left.
    pub(super) fn new(start: &Start) -> Result<Self> {
        Ok(Self {
            timers: Timers::new(start.clock)?,
            protocol: Protocol::new(&start.profile),
            clock: start.clock,
            profile: Arc::clone(&start.profile),
            endpoint: Arc::clone(&start.endpoint),
            start_unix_ms: start.clock.start_unix_ms(),
            command: Cell::new(*start.commands.borrow()),
            pace: Cell::new(pace(&start.profile, 0)),
            past_holds: RefCell::default(),
            draining_began: Notify::new(),
            masking_keys: RefCell::new(MaskingKeys::new()),
            draft: RefCell::default(),
            recorder: RefCell::default(),
            late: RefCell::default(),
            error_samples: RefCell::default(),
            all_open: Arc::clone(&start.open),
            open: Cell::new(0),
            tasks: Cell::new(0),
            last_task_ended: Notify::new(),
            connection_numbers: ConnectionNumbers::of(start.place),
            longest_connect_ns: Cell::new(0),
        })
    }

    /// The current command.
    pub(super) fn command(&self) -> Command {
        self.command.get()
    }

    /// Follows `command` from now on.
    pub(super) fn obey(&self, command: Command) {
        let last = self.command.replace(command);
        if let Some(stage) = last.hold() {
            self.past_holds.borrow_mut().push((stage, last.begin_ns..command.begin_ns));
        }
        self.pace.set(pace(&self.profile, command.stage));
        if self.is_draining() {
            self.draining_began.notify_waiters();
        }
    }

    /// The pace of the current stage; that of a subscription is idle.
    pub(super) fn pace(&self) -> Pace {
        self.pace.get()
    }

    /// Whether the run is over: nothing more becomes due.
    pub(super) fn is_draining(&self) -> bool {
        self.command.get().phase == Phase::Drain
    }

    /// Resolves once the run is over.
    pub(super) async fn draining(&self) {
        let began = self.draining_began.notified();
        if !self.is_draining() {
            began.await;
        }
    }

    /// Sleeps for `ns` nanoseconds, or until the run is over.
    pub(super) async fn pause(&self, ns: u64) {
        let until_ns = self.clock.now_ns() + ns;
        tokio::select! { () = self.timers.sleep_until(until_ns) => {}, () = self.draining() => {} }
    }

    /// Runs `task` beside the others.
    pub(super) fn spawn(self: &Rc<Self>, task: impl Future<Output = ()> + 'static) {
        self.tasks.set(self.tasks.get() + 1);
        let worker = Rc::clone(self);
        // Not an async block around it, which would have room for the task twice.
        tokio::task::spawn_local(task.map(move |()| {
            worker.tasks.set(worker.tasks.get() - 1);
            if worker.tasks.get() == 0 {
                worker.last_task_ended.notify_one();
            }
        }));
    }

    /// Resolves once no task of [`WorkerState::spawn`] runs.
    pub(super) async fn all_tasks_ended(&self) {
        while self.tasks.get() > 0 {
            self.last_task_ended.notified().await;
        }
    }

    /// Connections open.
    pub(super) fn open(&self) -> u64 {
        self.open.get()
    }

    /// The records since the last flush, and those of late answers by the stage of their hold.
    pub(super) fn flush(&self) -> (Sample, BTreeMap<u32, Sample>) {
        let late = std::mem::take(&mut *self.late.borrow_mut());
        let late = late.into_iter().map(|(stage, mut recorder)| (stage, recorder.cut()));
        (self.recorder.borrow_mut().cut(), late.collect())
    }

    /// Errors in words. Empties the list.
    pub(super) fn take_error_samples(&self) -> Vec<ErrorSample> {
        self.error_samples.take().into_list()
    }

    /// Adds to the counts.
    pub(super) fn count(&self, add: impl FnOnce(&mut Tally)) {
        add(&mut self.recorder.borrow_mut().counts);
    }

    /// Records a time, whatever the phase is.
    pub(super) fn record(&self, timing: Timing, ns: u64) {
        self.recorder.borrow_mut().record(timing, ns);
    }

    /// Records a time that is only measured in a hold.
    pub(super) fn record_in_hold(&self, timing: Timing, ns: u64) {
        if self.command().hold().is_some() {
            self.record(timing, ns);
        }
    }

    /// Records a message with a fault.
    pub(super) fn fault(&self, fault: Fault, now_ns: u64, payload: &[u8]) {
        self.count(|counts| counts.faults[fault as usize] += 1);
        self.error_samples.borrow_mut().note(fault.name(), now_ns, || {
            let start = &payload[..payload.len().min(48)];
            format!("the first: {} bytes, {:?}", payload.len(), String::from_utf8_lossy(start))
        });
    }

    /// Begins an attempt to connect; its number tells the connection's messages from those of others.
    pub(super) fn attempt(&self) -> u32 {
        self.count(|counts| counts.attempted += 1);
        self.number()
    }

    /// A number that no other connection has.
    pub(super) fn number(&self) -> u32 {
        self.connection_numbers.draw()
    }

    /// A connection is open; its attempt began at `begun_ns`.
    pub(super) fn opened(&self, begun_ns: u64) {
        self.open.set(self.open.get() + 1);
        self.all_open.fetch_add(1, Relaxed);
        self.count(|counts| counts.opened += 1);
        let ns = self.clock.now_ns().saturating_sub(begun_ns);
        self.longest_connect_ns.set(self.longest_connect_ns.get().max(ns));
        self.record(Timing::Connect, ns);
    }

    /// An attempt that began at `begun_ns` failed. One that the end of the run cut short tells something only if it took
    /// longer than every other.
    pub(super) fn not_opened(&self, begun_ns: u64, problem: &Problem) {
        let ns = self.clock.now_ns().saturating_sub(begun_ns);
        match problem.ending {
            Some(Ending::Interrupted) if ns > self.longest_connect_ns.get() => {
                self.record(Timing::Connect, ns);
            }
            Some(ending) if ending.is_good() || ending.is_ours() => {}
            _ => self.record_lost(Timing::Connect, begun_ns),
        }
    }

    /// A connection is no longer open.
    pub(super) fn closed(&self) {
        self.open.set(self.open.get() - 1);
        self.all_open.fetch_sub(1, Relaxed);
    }

    /// An attempt has ended.
    pub(super) fn ended(&self, ended: &Result<(), Problem>) {
        let ending = match ended {
            Ok(()) => Ending::Clean,
            Err(problem) => problem.ending.unwrap_or(Ending::BadHandshake),
        };
        self.count(|counts| counts.endings[ending as usize] += 1);
        if let Err(problem) = ended {
            self.note(ending.name(), &problem.words);
        }
    }

    /// Keeps an error in words.
    pub(super) fn note(&self, kind: &'static str, words: &str) {
        self.error_samples.borrow_mut().note_words(kind, words, self.clock.now_ns());
    }
}

/// The pace of `stage`. A subscription sends nothing.
fn pace(profile: &Profile, stage: usize) -> Pace {
    match profile.target.mode {
        Mode::Subscribe { .. } => Pace::Idle,
        Mode::Echo | Mode::Request { .. } | Mode::Conversation(_) => profile.pace(stage),
    }
}
