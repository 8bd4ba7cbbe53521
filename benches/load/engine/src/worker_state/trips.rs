//! The times of messages, and the holds that they belong to: those in which they were due.

use load_plan::metrics::{Recorder, Tally, Timing};
use load_plan::outcome::Fault;

use super::WorkerState;
use crate::in_flight::Entry;
use crate::protocol::Messages;
use crate::silence::Gap;

/// Milliseconds by which the clock of a peer may be ahead: clocks that are set over a network agree to a few.
const MOST_AHEAD_MS: f64 = 100.0;

impl WorkerState {
    /// The stage in whose hold `due_ns` is; it may be over.
    pub(in super::super) fn hold_at(&self, due_ns: u64) -> Option<u32> {
        let command = self.command();
        if due_ns >= command.begin_ns { command.hold() } else { self.past_hold_at(due_ns) }
    }

    fn past_hold_at(&self, due_ns: u64) -> Option<u32> {
        let holds = self.past_holds.borrow();
        holds.iter().rfind(|(_, time)| time.contains(&due_ns)).map(|(stage, _)| *stage)
    }

    /// Records the first right answer to a message.
    pub(in super::super) fn answered(&self, entry: Entry, now_ns: u64) {
        self.record_trip(entry, Recorder::record, |since_ns| now_ns.saturating_sub(since_ns));
    }

    /// Records that a message will have no right answer. A wait that a reset cut short counts as the timeout: it is no
    /// quick answer.
    pub(in super::super) fn unanswered(&self, entry: Entry, now_ns: u64) {
        let timeout_ns = self.profile.traffic.timeout.as_nanos() as u64;
        let at_least = |since_ns| now_ns.saturating_sub(since_ns).max(timeout_ns);
        self.record_trip(entry, Recorder::record_lost, at_least);
    }

    /// Records a time since `since_ns` that will never end.
    pub(in super::super) fn record_lost(&self, timing: Timing, since_ns: u64) {
        let timeout_ns = self.profile.traffic.timeout.as_nanos() as u64;
        let ns = self.clock.now_ns().saturating_sub(since_ns).max(timeout_ns);
        self.recorder.borrow_mut().record_lost(timing, ns);
    }

    /// Records the times of a message with `record`, given how long ago a moment was.
    fn record_trip(
        &self,
        entry: Entry,
        record: impl Fn(&mut Recorder, Timing, u64),
        ago_ns: impl Fn(u64) -> u64,
    ) {
        let Some(hold) = entry.hold else { return };
        self.in_records_of(hold, |recorder| {
            record(recorder, Timing::RttService, ago_ns(entry.sent_ns));
            if self.profile.is_open_loop(hold as usize) {
                record(recorder, Timing::RttIntended, ago_ns(entry.due_ns));
            }
        });
    }

    /// Records a message that will not be answered, with the time waited so far.
    pub(in super::super) fn lost(&self, entry: Entry, now_ns: u64) {
        self.unanswered(entry, now_ns);
        let waited_ms = now_ns.saturating_sub(entry.sent_ns) / 1_000_000;
        self.count(|counts| counts.faults[Fault::Lost as usize] += 1);
        self.error_samples.borrow_mut().note(Fault::Lost.name(), now_ns, || {
            format!("no answer; the first was given up after {waited_ms} ms")
        });
    }

    /// Records that the generator turned to a message of `hold` so much later than it was due.
    pub(in super::super) fn record_lag(&self, hold: Option<u32>, ns: u64) {
        if let Some(hold) = hold {
            self.in_records_of(hold, |recorder| recorder.record(Timing::ScheduleLag, ns));
        }
    }

    /// Adds to the counts of a hold, which may be over.
    pub(in super::super) fn count_in(&self, hold: u32, add: impl FnOnce(&mut Tally)) {
        self.in_records_of(hold, |recorder| add(&mut recorder.counts));
    }

    /// Records a message that was due at `due_ns` and never sent, with the time that it waited.
    pub(in super::super) fn unsent(&self, due_ns: u64) {
        let Some(hold) = self.hold_at(due_ns) else { return };
        let waited_ns = self.clock.now_ns().saturating_sub(due_ns);
        self.in_records_of(hold, |recorder| recorder.record_open(Timing::RttIntended, waited_ns));
    }

    /// Adds to the records of a hold, which may be over.
    fn in_records_of(&self, hold: u32, add: impl FnOnce(&mut Recorder)) {
        if self.command().hold() == Some(hold) {
            add(&mut self.recorder.borrow_mut());
        } else {
            add(self.late.borrow_mut().entry(hold).or_default());
        }
    }

    /// The age of a message of `time_ms` that has come at `now_ns`, in nanoseconds; `None` if it is of the future by more
    /// than clocks that are set differ.
    pub(in super::super) fn age_ns(&self, time_ms: f64, now_ns: u64) -> Option<u64> {
        let age_ms = self.start_unix_ms + now_ns as f64 / 1e6 - time_ms;
        (age_ms >= -MOST_AHEAD_MS).then_some((age_ms.max(0.0) * 1e6) as u64)
    }

    /// Records the age of a message that has come at `now_ns`, in a hold. One that is not known is longer than every other.
    pub(in super::super) fn record_age(&self, age_ns: Option<u64>, now_ns: u64) {
        match age_ns {
            Some(age_ns) => self.record_in_hold(Timing::Staleness, age_ns),
            None if self.command().hold().is_some() => self.record_lost(Timing::Staleness, now_ns),
            None => {}
        }
    }

    /// Records a gap that a message has ended, in a hold.
    pub(in super::super) fn record_gap(&self, gap: Option<Gap>) {
        match gap {
            Some(Gap::Closed { ns }) => self.record_in_hold(Timing::Gap, ns),
            Some(Gap::Open { ns, .. }) if self.command().hold().is_some() => {
                self.recorder.borrow_mut().record_open(Timing::Gap, ns);
            }
            _ => {}
        }
    }

    /// Records a gap that no message has ended, in a hold: it lasts as long at least, and the next message is as old.
    pub(in super::super) fn record_silence(&self, gap: Option<Gap>) {
        let (Some(gap), Some(_)) = (gap, self.command().hold()) else { return };
        let Messages::Subscribe { time_ms, .. } = &self.protocol.messages else { return };
        let timings = [Some(Timing::Gap), time_ms.as_ref().map(|_| Timing::Staleness)];
        for timing in timings.into_iter().flatten() {
            match gap {
                Gap::Endless { since_ns } => self.record_lost(timing, since_ns),
                // Only a message closes a gap.
                Gap::Closed { .. } => {}
                Gap::Open { ns, age_ns } => {
                    let ns = if timing == Timing::Gap { ns } else { age_ns };
                    self.recorder.borrow_mut().record_open(timing, ns);
                }
            }
        }
    }
}
