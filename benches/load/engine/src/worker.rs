//! A worker: starts and stops its users as commanded, and flushes its records every second.

use std::collections::{BTreeMap, VecDeque};
use std::rc::Rc;

use anyhow::{Context, Result};
use load_plan::metrics::{BEAT_NS, Timing};
use load_plan::model::Phase;
use tokio::sync::mpsc::UnboundedSender;
use tokio::sync::watch;

use super::control::{Command, Flush, LateAnswers, Place, Start, WorkerEvent};
use super::schedule::{Move, ramp};
use super::user_handle::UserHandle;
use super::worker_state::WorkerState;
use super::{hostile, slow_reader, user};

const SECOND_NS: u64 = 1_000_000_000;

/// Runs a worker to its end, which is its last event. Must be called in a [`tokio::task::LocalSet`].
pub(super) async fn work(start: Start) {
    let events = start.events.clone();
    if let Err(error) = drive(start).await {
        // Without a coordinator there is nothing to tell.
        let _ = events.send(WorkerEvent::Broken(error));
    }
}

async fn drive(start: Start) -> Result<()> {
    let state = Rc::new(WorkerState::new(&start)?);
    let worker = Worker::new(Rc::clone(&state), start).run();
    tokio::select! { biased; done = worker => done, broken = state.timers.drive() => broken }
}

struct Worker {
    state: Rc<WorkerState>,
    place: Place,
    commands: watch::Receiver<Command>,
    events: UnboundedSender<WorkerEvent>,
    users: BTreeMap<u32, Rc<UserHandle>>,
    moves: VecDeque<Move>,
    flushed_ns: u64,
    next_storm_ns: u64,
    /// When the next beat is due. In a closed loop and between the messages of an open one, nothing else tells that the worker
    /// was late to answers that had come.
    next_beat_ns: u64,
    /// The last second of every hold, by stage.
    holds: BTreeMap<u32, u64>,
}

impl Worker {
    fn new(state: Rc<WorkerState>, Start { place, commands, events, .. }: Start) -> Self {
        Self {
            state,
            place,
            commands,
            events,
            users: BTreeMap::new(),
            moves: VecDeque::new(),
            flushed_ns: 0,
            next_storm_ns: u64::MAX,
            next_beat_ns: BEAT_NS,
            holds: BTreeMap::new(),
        }
    }

    async fn run(mut self) -> Result<()> {
        tokio::time::sleep_until(self.state.clock.start()).await;
        if self.place.worker == 0 {
            slow_reader::start_all(&self.state, self.place);
            hostile::start(&self.state, self.place);
        }
        loop {
            let now_ns = self.state.clock.now_ns();
            self.move_users(now_ns);
            self.storm(now_ns);
            self.beat(now_ns, now_ns);
            if now_ns >= next_second(self.flushed_ns) {
                self.flush(now_ns, now_ns);
            }
            let next_move = self.moves.front().map_or(u64::MAX, |next| next.at_ns);
            let next = next_second(self.flushed_ns).min(next_move);
            let next = next.min(self.next_storm_ns).min(self.next_beat_ns);
            tokio::select! {
                biased;
                changed = self.commands.changed() => {
                    changed.context("the coordinator has gone")?;
                    self.obey();
                }
                () = self.state.all_tasks_ended(), if self.state.is_draining() => break,
                () = self.state.timers.sleep_until(next) => {}
            }
        }
        let now_ns = self.state.clock.now_ns();
        self.flush(now_ns, now_ns);
        self.tell(WorkerEvent::Done(self.state.take_error_samples()));
        Ok(())
    }

    fn obey(&mut self) {
        let command = *self.commands.borrow_and_update();
        let now_ns = self.state.clock.now_ns();
        if self.state.command().phase == Phase::Hold {
            self.end_hold(now_ns);
        }
        // The records so far belong to the last command, and the beats that were due before this one.
        self.beat(command.begin_ns, now_ns);
        self.flush(now_ns, command.begin_ns);
        let last = self.state.pace();
        self.state.obey(command);
        self.lead(command, self.state.pace() != last);
        let place = self.place;
        let moves = ramp(command.from, command.to, command.begin_ns, command.ramp_ns);
        self.moves.extend(moves.filter(|next| place.holds(next.user)));
        if let Some(storm) = self.state.profile.conduct.storm {
            self.next_storm_ns = match command.phase {
                Phase::Hold => command.begin_ns + storm.every.as_nanos() as u64,
                _ => u64::MAX,
            };
        }
        if command.phase == Phase::Drain {
            self.moves.clear();
            for user in std::mem::take(&mut self.users).into_values() {
                user.leave(command.begin_ns);
            }
        }
    }

    /// Records the silence of subscriptions.
    fn end_hold(&self, now_ns: u64) {
        for user in self.users.values() {
            self.state.record_silence(user.silence().end_hold(now_ns));
        }
    }

    /// Has users follow the pace of `command`; at the start of a hold those as well that never had a connection.
    fn lead(&self, command: Command, is_new: bool) {
        let Command { stage, phase, begin_ns, .. } = command;
        for user in self.users.values() {
            if is_new {
                user.follow(self.state.pace(), stage, begin_ns);
            }
            if phase == Phase::Hold {
                user.begin(self.state.pace(), stage, begin_ns);
            }
        }
    }

    fn move_users(&mut self, now_ns: u64) {
        while let Some(next) = self.moves.pop_front_if(|next| next.at_ns <= now_ns) {
            if next.opens {
                let user = UserHandle::new(next.user, self.state.profile.traffic.seed);
                self.users.insert(next.user, Rc::clone(&user));
                self.state.spawn(user::run(Rc::clone(&self.state), user));
            } else if let Some(user) = self.users.remove(&next.user) {
                self.state.count(|counts| user.count_due(now_ns, counts));
                user.leave(now_ns);
            }
        }
    }

    fn storm(&mut self, now_ns: u64) {
        let Some(storm) = self.state.profile.conduct.storm else { return };
        if now_ns >= self.next_storm_ns {
            self.next_storm_ns += storm.every.as_nanos() as u64;
            for user in self.users.values() {
                user.storm(storm.jitter.as_nanos() as u64);
            }
        }
    }

    /// Records how late the worker is for each beat that was due by `due_ns`.
    fn beat(&mut self, due_ns: u64, now_ns: u64) {
        while self.next_beat_ns <= due_ns {
            self.state.record(Timing::ScheduleLag, now_ns.saturating_sub(self.next_beat_ns));
            self.next_beat_ns += BEAT_NS;
        }
    }

    /// Hands over the records so far. They contain what is due before `due_until_ns`.
    fn flush(&mut self, now_ns: u64, due_until_ns: u64) {
        let command = self.state.command();
        self.state.count(|counts| {
            self.users.values().for_each(|user| user.count_due(due_until_ns, counts));
        });
        let second = self.flushed_ns / SECOND_NS;
        if let Some(stage) = command.hold() {
            self.holds.insert(stage, second);
        }
        let (sample, late) = self.state.flush();
        let flush = Flush {
            worker: self.place.worker,
            second,
            stage: command.stage,
            phase: command.phase,
            length_ns: now_ns - self.flushed_ns,
            open: self.state.open(),
            sample,
        };
        self.flushed_ns = now_ns;
        self.tell(WorkerEvent::Flush(Box::new(flush)));
        for (stage, sample) in late {
            let second = self.holds.get(&stage).copied().unwrap_or(second);
            self.tell(WorkerEvent::LateAnswers(Box::new(LateAnswers { stage, second, sample })));
        }
    }

    fn tell(&self, event: WorkerEvent) {
        // Without a coordinator there is nothing to tell.
        let _ = self.events.send(event);
    }
}

fn next_second(ns: u64) -> u64 {
    (ns / SECOND_NS + 1) * SECOND_NS
}
