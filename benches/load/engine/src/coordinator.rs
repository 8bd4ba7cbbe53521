//! Leads the workers through a profile's stages, and puts together what they record.

#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use anyhow::{Result, anyhow};
use load_plan::metrics::Sample;
use load_plan::model::{ErrorSample, Interval, Phase, Shard};
use load_plan::profile::{Profile, Stage};
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::sync::watch;
use tokio::time::timeout;

use super::clock::Clock;
use super::control::{Command, Flush, WorkerEvent};
use super::cpu_meter::CpuMeter;
use super::error_samples::ErrorSamples;
use super::intervals::Intervals;
use super::progress::Progress;

/// Longest wait at the end of a ramp for connections that are not open yet.
const GATHER: Duration = Duration::from_secs(10);

/// How often the coordinator looks for the end of a phase and for an interruption.
const LOOK: Duration = Duration::from_millis(5);

/// The generator did not run at the end of a hold that lasts this much longer than planned, or a tenth of the plan.
const OVERSLEPT: Duration = Duration::from_millis(200);

/// Workers flush a second at most this long after its end; then it is shown.
const SHOWN_AFTER_NS: u64 = 50_000_000;

/// Longest drain beyond two timeouts, one to send what is left and one for its answers: an attempt to connect that takes
/// all its time, and the closing handshake.
const DRAIN_NS: u64 = 20_000_000_000;

const SECOND_NS: u64 = 1_000_000_000;

/// The records of all workers.
#[derive(Debug)]
pub(super) struct Recording {
    /// Wall-clock time at the start, since 1970.
    pub(super) started: Duration,
    pub(super) intervals: Vec<Interval>,
    pub(super) error_samples: Vec<ErrorSample>,
    /// Reasons not to trust the run that the intervals do not show.
    pub(super) doubts: Vec<String>,
    pub(super) interrupted: bool,
}

/// The workers, as their coordinator sees them.
#[derive(Debug)]
pub(super) struct Workers {
    pub(super) count: usize,
    pub(super) commands: watch::Sender<Command>,
    pub(super) events: UnboundedReceiver<WorkerEvent>,
    /// Connections open on all of them.
    pub(super) open: Arc<AtomicU64>,
}

/// Leads `workers` through `profile`. Ends early and cleanly once `stop` is true; calls `progress` once a second.
///
/// # Errors
///
/// If a worker breaks, or does not end in time.
pub(super) async fn lead(
    workers: Workers,
    profile: &Profile,
    shard: Shard,
    clock: Clock,
    stop: &AtomicBool,
    progress: &mut dyn FnMut(&Progress<'_>),
) -> Result<Recording> {
    let command = *workers.commands.borrow();
    let started = clock.start_unix();
    let mut coordinator = Coordinator {
        profile,
        shard,
        clock,
        stop,
        progress,
        command,
        running: workers.count,
        workers,
        intervals: Intervals::default(),
        error_samples: ErrorSamples::default(),
        doubts: Vec::new(),
        cpu: CpuMeter::new(clock.host()),
        shown: 0,
    };
    let interrupted = match coordinator.run_stages().await {
        Ok(()) => false,
        Err(Stop::Interrupted) => true,
        Err(Stop::Failed(error)) => return Err(error),
    };
    coordinator.drain().await?;
    Ok(Recording {
        started,
        intervals: coordinator.intervals.into_list(),
        error_samples: coordinator.error_samples.into_list(),
        doubts: coordinator.doubts,
        interrupted,
    })
}

struct Coordinator<'a> {
    profile: &'a Profile,
    shard: Shard,
    clock: Clock,
    stop: &'a AtomicBool,
    progress: &'a mut dyn FnMut(&Progress<'_>),
    workers: Workers,
    /// The newest command.
    command: Command,
    /// Workers that have not ended.
    running: usize,
    intervals: Intervals,
    error_samples: ErrorSamples,
    doubts: Vec<String>,
    cpu: CpuMeter,
    /// Seconds that were shown.
    shown: u64,
}

/// Why the stages are not run to their end.
enum Stop {
    Interrupted,
    Failed(anyhow::Error),
}

impl Coordinator<'_> {
    async fn run_stages(&mut self) -> Result<(), Stop> {
        let mut begin_ns = 0;
        for (index, stage) in self.profile.stages.iter().enumerate() {
            self.command(index, Phase::Ramp, stage.connections, begin_ns, stage.ramp);
            self.wait_until(begin_ns + nanos(stage.ramp)).await?;
            self.gather().await?;
            if !stage.hold.is_zero() {
                self.phase(index, Phase::WarmUp, self.profile.traffic.warm_up).await?;
                let begin_ns = self.clock.now_ns();
                self.phase(index, Phase::Hold, stage.hold).await?;
                self.doubt_hold(stage, begin_ns);
            }
            begin_ns = self.clock.now_ns();
        }
        Ok(())
    }

    /// Has all connections kept for as long as `lasts`.
    async fn phase(&mut self, stage: usize, phase: Phase, lasts: Duration) -> Result<(), Stop> {
        if lasts.is_zero() {
            return Ok(());
        }
        let begin_ns = self.clock.now_ns();
        self.command(stage, phase, self.command.to, begin_ns, Duration::ZERO);
        self.wait_until(begin_ns + nanos(lasts)).await
    }

    /// Waits until all connections are open, or for [`GATHER`].
    async fn gather(&mut self) -> Result<(), Stop> {
        let target = self.share(self.command.to);
        let patience_ns = self.clock.now_ns() + nanos(GATHER);
        self.wait(|this| {
            this.workers.open.load(Relaxed) == target || this.clock.now_ns() >= patience_ns
        })
        .await
    }

    async fn drain(&mut self) -> Result<()> {
        let begin_ns = self.clock.now_ns();
        let Command { stage, to, .. } = self.command;
        self.command(stage, Phase::Drain, to, begin_ns, Duration::ZERO);
        let patience_ns = begin_ns + 2 * nanos(self.profile.traffic.timeout) + DRAIN_NS;
        while self.running > 0 && self.clock.now_ns() < patience_ns {
            if !self.receive().await? {
                break;
            }
        }
        // The last second was not over.
        let generator_cpu = self.cpu.lap();
        for second in self.shown..=self.clock.now_ns() / SECOND_NS {
            self.intervals.close(second, generator_cpu).for_each(drop);
        }
        if self.running > 0 {
            return Err(anyhow!("{} workers did not end in time", self.running));
        }
        Ok(())
    }

    /// Doubts the run if the generator slept through the end of a hold: it has not sent all that was due.
    fn doubt_hold(&mut self, stage: &Stage, begin_ns: u64) {
        let held = Duration::from_nanos(self.clock.now_ns() - begin_ns);
        let late = held.saturating_sub(stage.hold);
        if late > OVERSLEPT.max(stage.hold / 10) {
            let (name, held, planned) = (&stage.name, held.as_secs_f64(), stage.hold.as_secs_f64());
            self.doubts.push(format!(
                "the generator was not awake at the end of stage \"{name}\": {held:.1} s and not {planned:.1} s passed; \
                 run it on a machine with less to do"
            ));
        }
    }

    /// Commands all workers; connections are opened or closed evenly during `ramp`.
    fn command(&mut self, stage: usize, phase: Phase, to: u32, begin_ns: u64, ramp: Duration) {
        let from = self.command.to;
        self.command = Command { stage, phase, from, to, begin_ns, ramp_ns: nanos(ramp) };
        self.workers.commands.send_replace(self.command);
    }

    async fn wait_until(&mut self, at_ns: u64) -> Result<(), Stop> {
        self.wait(|this| this.clock.now_ns() >= at_ns).await
    }

    /// Takes events until `is_over`, or until the run is interrupted.
    async fn wait(&mut self, is_over: impl Fn(&Self) -> bool) -> Result<(), Stop> {
        while !is_over(self) {
            if self.stop.load(Relaxed) {
                return Err(Stop::Interrupted);
            }
            if !self.receive().await.map_err(Stop::Failed)? {
                break;
            }
        }
        Ok(())
    }

    /// Waits a moment for one event; whether any worker is left.
    async fn receive(&mut self) -> Result<bool> {
        match timeout(LOOK, self.workers.events.recv()).await {
            Ok(Some(WorkerEvent::Flush(flush))) => self.take(&flush),
            Ok(Some(WorkerEvent::LateAnswers(late))) => self.intervals.add_late(&late),
            Ok(Some(WorkerEvent::Done(error_samples))) => {
                self.running -= 1;
                self.error_samples.add(error_samples);
            }
            Ok(Some(WorkerEvent::Broken(error))) => return Err(error.context("a worker broke")),
            Ok(None) => return Ok(false),
            Err(_) => {}
        }
        self.show();
        Ok(true)
    }

    /// This shard's share of `connections`.
    fn share(&self, connections: u32) -> u64 {
        let Shard { index, of } = self.shard;
        u64::from((connections + of - 1 - index) / of)
    }

    fn take(&mut self, flush: &Flush) {
        let target = match flush.phase {
            Phase::Drain => 0,
            _ => self.share(self.profile.stages[flush.stage].connections),
        };
        self.intervals.add(flush, target);
    }

    fn show(&mut self) {
        let over = self.clock.now_ns().saturating_sub(SHOWN_AFTER_NS) / SECOND_NS;
        if self.shown == over {
            return;
        }
        // One lap for all seconds that are over: a lap that follows at once measures nothing.
        let generator_cpu = self.cpu.lap();
        for second in std::mem::replace(&mut self.shown, over)..over {
            let target = self.share(self.command.to);
            let closed: Vec<&Interval> = self.intervals.close(second, generator_cpu).collect();
            let mut last = Sample::default();
            closed.iter().for_each(|interval| last.add(&interval.sample));
            (self.progress)(&Progress {
                profile: self.profile,
                elapsed: self.clock.elapsed(),
                second,
                stage: self.command.stage,
                phase: self.command.phase,
                open: self.workers.open.load(Relaxed),
                target: if self.command.phase == Phase::Drain { 0 } else { target },
                last: &last,
                closed: &closed,
                generator_cpu,
            });
        }
    }
}

fn nanos(duration: Duration) -> u64 {
    duration.as_nanos() as u64
}
