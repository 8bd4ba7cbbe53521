//! Leads the workers through a profile's stages, and puts together what they record.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant, SystemTime};

use anyhow::{Context, Result, anyhow};
use tokio::sync::watch;

use super::book::Book;
use super::clock::Clock;
use super::details::Details;
use super::endpoint::Endpoint;
use super::processor::Processor;
use super::tender::{Command, Cut, News, Place, Start, work};
use load_plan::metrics::Sample;
use load_plan::model::{ErrorSample, Interval, Phase, Shard};
use load_plan::profile::Profile;

/// Longest wait at the end of a ramp for the connections that are not open yet.
const GATHER: Duration = Duration::from_secs(10);

/// How often the end of a step is looked for.
const LOOK: Duration = Duration::from_millis(5);

/// A hold that lasts this much longer than planned, or a tenth of it, was slept through.
const OVERSLEPT: Duration = Duration::from_millis(200);

/// Workers cut a second this long after it is over, at the latest; then it is shown.
const SHOWN_AFTER_NS: u64 = 50_000_000;

/// Longest drain beyond the timeout: an attempt to connect that takes all its time, and the closing handshake.
const DRAIN_NS: u64 = 20_000_000_000;

const SECOND_NS: u64 = 1_000_000_000;

/// What became of a performance.
#[derive(Debug)]
pub(super) struct Performance {
    pub(super) intervals: Vec<Interval>,
    pub(super) details: Vec<ErrorSample>,
    /// Why it says nothing, where only whoever led it can tell.
    pub(super) doubts: Vec<String>,
    pub(super) interrupted: bool,
}

/// How far a run is.
#[derive(Clone, Debug)]
pub struct Progress<'a> {
    /// What is run.
    pub profile: &'a Profile,
    /// Since the start.
    pub elapsed: Duration,
    /// The whole second that this is about.
    pub second: u64,
    /// Stage and phase now.
    pub stage: usize,
    /// Phase now.
    pub phase: Phase,
    /// Connections open now.
    pub open: u64,
    /// Connections that should be.
    pub target: u64,
    /// What was recorded in that second.
    pub last: &'a Sample,
    /// The intervals that ended with that second.
    pub closed: &'a [&'a Interval],
    /// Processor time of the generator in that second, in processors.
    pub generator_cpu: f64,
}

/// Performs `profile`.
pub(super) fn perform(
    profile: &Arc<Profile>,
    endpoint: &Arc<Endpoint>,
    workers: usize,
    shard: Shard,
    start_at: Option<SystemTime>,
    stop: &AtomicBool,
    seconds: &mut dyn FnMut(&Progress<'_>),
) -> Result<Performance> {
    let ahead = start_at.and_then(|at| at.duration_since(SystemTime::now()).ok());
    // Threads want a moment to begin.
    let start = Instant::now() + ahead.unwrap_or(Duration::from_millis(20));
    let clock = Clock::starting_at(start);
    let first = Command { stage: 0, phase: Phase::Ramp, from: 0, to: 0, begin_ns: 0, ramp_ns: 0 };
    let (commands, receiver) = watch::channel(first);
    let (sender, news) = channel();
    let open = Arc::new(AtomicU64::new(0));
    let threads = (0..workers)
        .map(|index| {
            let start = Start {
                clock,
                profile: Arc::clone(profile),
                endpoint: Arc::clone(endpoint),
                place: Place { index, of: workers, shard: shard.index, shards: shard.of },
                commands: receiver.clone(),
                news: sender.clone(),
                open: Arc::clone(&open),
            };
            let name = format!("worker {index}");
            std::thread::Builder::new().name(name).spawn(move || work(start))
        })
        .collect::<std::io::Result<Vec<JoinHandle<()>>>>()
        .context("cannot start a worker")?;
    drop(sender);
    let mut conductor = Conductor {
        profile,
        shard,
        clock,
        commands,
        news,
        open,
        command: first,
        book: Book::default(),
        running: workers,
        details: Details::default(),
        doubts: Vec::new(),
        processor: Processor::new(),
        shown: 0,
    };
    let interrupted = conductor.lead(stop, seconds);
    drop(conductor.commands);
    for thread in threads {
        thread.join().map_err(|_| anyhow!("a worker panicked"))?;
    }
    Ok(Performance {
        interrupted: interrupted?,
        intervals: conductor.book.intervals.into_values().collect(),
        details: conductor.details.into_list(),
        doubts: conductor.doubts,
    })
}

struct Conductor<'a> {
    profile: &'a Profile,
    shard: Shard,
    clock: Clock,
    commands: watch::Sender<Command>,
    news: Receiver<News>,
    open: Arc<AtomicU64>,
    command: Command,
    book: Book,
    running: usize,
    details: Details,
    doubts: Vec<String>,
    processor: Processor,
    /// Seconds that were shown.
    shown: u64,
}

impl Conductor<'_> {
    /// Whether it was stopped early.
    fn lead(&mut self, stop: &AtomicBool, seconds: &mut dyn FnMut(&Progress<'_>)) -> Result<bool> {
        let mut from = 0;
        let mut at_ns = 0;
        let mut is_stopped = false;
        for (index, stage) in self.profile.stages.iter().enumerate() {
            let ramp_ns = stage.ramp.as_nanos() as u64;
            let to = stage.connections;
            let mut next = |this: &mut Self, phase, begin_ns, lasts: Duration| {
                let command = Command { stage: index, phase, from, to, begin_ns, ramp_ns };
                this.command(command);
                from = to;
                let end_ns = begin_ns + lasts.as_nanos() as u64;
                this.wait(stop, seconds, |this| this.clock.now_ns() >= end_ns)
            };
            is_stopped = next(self, Phase::Ramp, at_ns, stage.ramp)?;
            if !is_stopped {
                let target = self.target();
                let patience_ns = self.clock.now_ns() + GATHER.as_nanos() as u64;
                is_stopped = self.wait(stop, seconds, |this| {
                    this.open.load(Relaxed) == target || this.clock.now_ns() >= patience_ns
                })?;
            }
            let mut next = |this: &mut Self, phase, begin_ns, lasts: Duration| {
                let command = Command { stage: index, phase, from: to, to, begin_ns, ramp_ns: 0 };
                this.command(command);
                let end_ns = begin_ns + lasts.as_nanos() as u64;
                this.wait(stop, seconds, |this| this.clock.now_ns() >= end_ns)
            };
            for (phase, lasts) in
                [(Phase::WarmUp, self.profile.traffic.warm_up), (Phase::Hold, stage.hold)]
            {
                if !is_stopped && !lasts.is_zero() && !stage.hold.is_zero() {
                    let now_ns = self.clock.now_ns();
                    is_stopped = next(self, phase, now_ns, lasts)?;
                    if !is_stopped && phase == Phase::Hold {
                        self.doubt(&stage.name, now_ns, lasts);
                    }
                }
            }
            at_ns = self.clock.now_ns();
            if is_stopped {
                break;
            }
        }
        let Command { stage, to, .. } = self.command;
        let begin_ns = self.clock.now_ns();
        let drain = Command { stage, phase: Phase::Drain, from: to, to, begin_ns, ramp_ns: 0 };
        self.command(drain);
        let patience_ns = begin_ns + self.profile.traffic.timeout.as_nanos() as u64 + DRAIN_NS;
        let never = AtomicBool::new(false);
        self.wait(&never, seconds, |this| this.running == 0 || this.clock.now_ns() >= patience_ns)?;
        // The last second was not over.
        let generator_cpu = self.processor.lap();
        for second in self.shown..=self.clock.now_ns() / SECOND_NS {
            self.book.close(second, generator_cpu).for_each(drop);
        }
        if self.running > 0 {
            return Err(anyhow!("{} workers did not end in time", self.running));
        }
        Ok(is_stopped)
    }

    /// Whoever sleeps through the end of a hold has not sent what was due in it.
    fn doubt(&mut self, stage: &str, begin_ns: u64, planned: Duration) {
        let held = Duration::from_nanos(self.clock.now_ns() - begin_ns);
        let late = held.saturating_sub(planned);
        if late > OVERSLEPT.max(planned / 10) {
            let (held, planned) = (held.as_secs_f64(), planned.as_secs_f64());
            self.doubts.push(format!(
                "the generator was not awake at the end of stage \"{stage}\": {held:.1} s and not {planned:.1} s passed; \
                 run it on a machine with less to do"
            ));
        }
    }

    fn command(&mut self, command: Command) {
        self.command = command;
        self.commands.send_replace(command);
    }

    /// Takes news until `is_over`, or until it is stopped; whether it was.
    fn wait(
        &mut self,
        stop: &AtomicBool,
        seconds: &mut dyn FnMut(&Progress<'_>),
        mut is_over: impl FnMut(&Self) -> bool,
    ) -> Result<bool> {
        while !is_over(self) {
            if stop.load(Relaxed) {
                return Ok(true);
            }
            match self.news.recv_timeout(LOOK) {
                Ok(News::Cut(cut)) => self.take(*cut),
                Ok(News::Done(details)) => {
                    self.running -= 1;
                    self.details.add(details);
                }
                Ok(News::Broken(error)) => return Err(error.context("a worker broke")),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return Ok(false),
            }
            self.show(seconds);
        }
        Ok(false)
    }

    /// Connections of this shard that should be open at the end of the command.
    fn target(&self) -> u64 {
        let Shard { index, of } = self.shard;
        u64::from((self.command.to + of - 1 - index) / of)
    }

    fn take(&mut self, cut: Cut) {
        let target = match cut.phase {
            Phase::Drain => 0,
            _ => {
                let Shard { index, of } = self.shard;
                u64::from((self.profile.stages[cut.stage].connections + of - 1 - index) / of)
            }
        };
        self.book.enter(cut, target);
    }

    fn show(&mut self, seconds: &mut dyn FnMut(&Progress<'_>)) {
        let now_ns = self.clock.now_ns();
        while now_ns >= (self.shown + 1) * SECOND_NS + SHOWN_AFTER_NS {
            let second = self.shown;
            self.shown += 1;
            let generator_cpu = self.processor.lap();
            let mut last = Sample::default();
            let (open, target) = (self.open.load(Relaxed), self.target());
            let closed: Vec<&Interval> = self.book.close(second, generator_cpu).collect();
            closed.iter().for_each(|interval| last.add(&interval.sample));
            seconds(&Progress {
                profile: self.profile,
                elapsed: self.clock.elapsed(),
                second,
                stage: self.command.stage,
                phase: self.command.phase,
                open,
                target: if self.command.phase == Phase::Drain { 0 } else { target },
                last: &last,
                closed: &closed,
                generator_cpu,
            });
        }
    }
}
