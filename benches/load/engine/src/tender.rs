//! A worker's thread: opens and closes its seats as commanded, and cuts what is recorded into seconds.

use std::collections::{BTreeMap, VecDeque};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::sync::mpsc::Sender;

use anyhow::{Context, Result};
use tokio::runtime;
use tokio::sync::watch;
use tokio::task::LocalSet;

use super::clock::Clock;
use super::endpoint::Endpoint;
use super::schedule::ramp;
use super::seat::{Seat, occupy};
use super::worker::Worker;
use super::{provoke, slow_reader};
use load_plan::metrics::Sample;
use load_plan::model::{ErrorSample, Phase};
use load_plan::profile::Profile;

const SECOND_NS: u64 = 1_000_000_000;

/// What all workers do from some moment on.
#[derive(Clone, Copy, Debug)]
pub(super) struct Command {
    pub(super) stage: usize,
    pub(super) phase: Phase,
    /// Connections before and after.
    pub(super) from: u32,
    pub(super) to: u32,
    /// When it begins, and how long the ramp takes.
    pub(super) begin_ns: u64,
    pub(super) ramp_ns: u64,
}

/// A stretch of one worker's time.
#[derive(Debug)]
pub(super) struct Cut {
    pub(super) worker: usize,
    pub(super) second: u64,
    pub(super) stage: usize,
    pub(super) phase: Phase,
    pub(super) length_ns: u64,
    pub(super) open: u64,
    pub(super) sample: Sample,
}

/// What a worker sends to whoever runs it.
#[derive(Debug)]
pub(super) enum News {
    Cut(Box<Cut>),
    /// Its last word: errors in words.
    Done(Vec<ErrorSample>),
    /// The worker itself broke.
    Broken(anyhow::Error),
}

/// Where a worker stands among the others.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    pub(super) index: usize,
    pub(super) of: usize,
    /// The first seat of this shard and the step to the next: shards take seats in turn.
    pub(super) shard: u32,
    pub(super) shards: u32,
}

impl Place {
    /// The seats of all workers and shards are dealt in turn.
    fn holds(self, seat: u32) -> bool {
        seat % self.shards == self.shard && (seat / self.shards) as usize % self.of == self.index
    }
}

/// Everything that a worker's thread needs.
#[derive(Debug)]
pub(super) struct Start {
    pub(super) clock: Clock,
    pub(super) profile: Arc<Profile>,
    pub(super) endpoint: Arc<Endpoint>,
    pub(super) place: Place,
    pub(super) commands: watch::Receiver<Command>,
    pub(super) news: Sender<News>,
    /// Connections open on all workers.
    pub(super) open: Arc<AtomicU64>,
}

/// The life of a worker's thread.
pub(super) fn work(start: Start) {
    let news = start.news.clone();
    if let Err(error) = serve(start) {
        // Whoever ran us is gone if nobody takes it.
        let _ = news.send(News::Broken(error));
    }
}

fn serve(start: Start) -> Result<()> {
    let runtime =
        runtime::Builder::new_current_thread().enable_all().build().context("no run-time")?;
    let local = LocalSet::new();
    local.block_on(&runtime, async move {
        let worker = Rc::new(Worker::new(&start)?);
        let tend = Tender::new(Rc::clone(&worker), start).run();
        tokio::select! { biased; done = tend => done, broken = worker.timers.drive() => broken }
    })
}

/// Opens and closes seats as commanded, and cuts what is recorded into seconds.
struct Tender {
    worker: Rc<Worker>,
    place: Place,
    commands: watch::Receiver<Command>,
    news: Sender<News>,
    seats: BTreeMap<u32, Rc<Seat>>,
    moves: VecDeque<(u64, u32, bool)>,
    cut_ns: u64,
    storm_ns: u64,
    /// The last second of every hold that is over, by [`Worker::hold`].
    held: BTreeMap<u32, u64>,
}

impl Tender {
    fn new(worker: Rc<Worker>, start: Start) -> Self {
        let Start { place, commands, news, .. } = start;
        let storm_ns = u64::MAX;
        let (seats, moves) = (BTreeMap::new(), VecDeque::new());
        let held = BTreeMap::new();
        Self { worker, place, commands, news, seats, moves, cut_ns: 0, storm_ns, held }
    }

    async fn run(mut self) -> Result<()> {
        tokio::time::sleep_until(self.worker.clock.start().into()).await;
        if self.place.index == 0 {
            slow_reader::seat_all(&self.worker, self.place);
            provoke::begin(&self.worker, self.place);
        }
        loop {
            let now_ns = self.worker.clock.now_ns();
            self.move_seats(now_ns);
            self.storm(now_ns);
            if now_ns >= next_second(self.cut_ns) {
                self.cut(now_ns);
            }
            let Command { phase, .. } = self.worker.command();
            if phase == Phase::Drain && self.worker.is_deserted() {
                break;
            }
            let next_move = self.moves.front().map_or(u64::MAX, |(at_ns, ..)| *at_ns);
            // The end of a drain is nobody's deadline: it is looked for.
            let look_ns = if phase == Phase::Drain { now_ns + 5_000_000 } else { u64::MAX };
            let next = next_second(self.cut_ns).min(next_move).min(self.storm_ns).min(look_ns);
            tokio::select! {
                biased;
                changed = self.commands.changed() => {
                    changed.context("nobody commands any more")?;
                    self.obey();
                }
                () = self.worker.timers.sleep_until(next) => {}
            }
        }
        self.cut(self.worker.clock.now_ns());
        let details = self.worker.take_details();
        self.tell(News::Done(details));
        Ok(())
    }

    fn obey(&mut self) {
        // What was recorded so far belongs to what was commanded so far.
        self.cut(self.worker.clock.now_ns());
        let command = *self.commands.borrow_and_update();
        self.worker.obey(command);
        let place = self.place;
        let moves = ramp(command.from, command.to, command.ramp_ns)
            .filter(|next| place.holds(next.seat))
            .map(|next| (command.begin_ns + next.after_ns, next.seat, next.opens));
        self.moves.extend(moves);
        if let Some(storm) = self.worker.profile.conduct.storm {
            self.storm_ns = match command.phase {
                Phase::Hold => command.begin_ns + storm.every.as_nanos() as u64,
                _ => u64::MAX,
            };
        }
        if command.phase == Phase::Drain {
            self.moves.clear();
            for seat in std::mem::take(&mut self.seats).into_values() {
                seat.leave();
            }
        }
    }

    fn move_seats(&mut self, now_ns: u64) {
        while let Some((_, index, opens)) = self.moves.pop_front_if(|(at_ns, ..)| *at_ns <= now_ns)
        {
            if opens {
                let seat = Seat::new(index);
                self.seats.insert(index, Rc::clone(&seat));
                self.worker.spawn(occupy(Rc::clone(&self.worker), seat));
            } else if let Some(seat) = self.seats.remove(&index) {
                seat.leave();
            }
        }
    }

    fn storm(&mut self, now_ns: u64) {
        let Some(storm) = self.worker.profile.conduct.storm else { return };
        if now_ns >= self.storm_ns {
            self.storm_ns += storm.every.as_nanos() as u64;
            for seat in self.seats.values() {
                seat.storm(storm.jitter.as_nanos() as u64);
            }
        }
    }

    fn cut(&mut self, now_ns: u64) {
        let Command { stage, phase, .. } = self.worker.command();
        let second = self.cut_ns / SECOND_NS;
        if self.worker.hold() != 0 {
            self.held.insert(self.worker.hold(), second);
        }
        let (sample, belated) = self.worker.cut();
        let length_ns = now_ns - self.cut_ns;
        self.cut_ns = now_ns;
        let open = self.worker.open();
        let worker = self.place.index;
        self.tell(News::Cut(Box::new(Cut {
            worker,
            second,
            stage,
            phase,
            length_ns,
            open,
            sample,
        })));
        for (hold, sample) in belated {
            let (stage, phase) = (hold as usize - 1, Phase::Hold);
            let second = self.held.get(&hold).copied().unwrap_or(second);
            self.tell(News::Cut(Box::new(Cut {
                worker,
                second,
                stage,
                phase,
                length_ns: 0,
                open,
                sample,
            })));
        }
    }

    fn tell(&self, news: News) {
        // Whoever listened has given up, and will not miss it.
        let _ = self.news.send(news);
    }
}

fn next_second(ns: u64) -> u64 {
    (ns / SECOND_NS + 1) * SECOND_NS
}
