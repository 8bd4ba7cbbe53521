//! One run: a fresh process, rehearsed, then windows of N and of 2N operations.

use std::cell::Cell;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use bench_show::units::counted;
use conversation::Conversation;
use plimsoll_preload::counts::Counts;

use super::blind;
use super::counters::Counters;
use super::figures::Samples;
use super::proc;
use super::program::Program;
use super::talk::{self, Visitor};

/// Times that a window is repeated at most, until its smallest total was seen twice.
const REPEATS: usize = 10;

/// Time after which a window is not repeated again, once it was seen twice.
const PATIENCE: Duration = Duration::from_secs(4);

/// Time for which a program is watched while nothing happens, for timers of its own.
const IDLE: Duration = Duration::from_secs(1);

/// Limit for a program to come to rest. One that never does is counted as it is then, and waited for less from then on.
const REST: Duration = Duration::from_secs(2);
const RESTLESS: Duration = Duration::from_millis(100);

/// Time between two looks at a program, and the number of looks that must be equal.
const LOOK: Duration = Duration::from_millis(2);
const LOOKS: usize = 4;

/// What is done in every run.
pub(super) struct Plan<'a> {
    pub(super) command: &'a [String],
    pub(super) port: Option<u16>,
    /// Limit for its start.
    pub(super) start: Duration,
    pub(super) path: &'a str,
    pub(super) conversation: &'a Conversation,
    pub(super) messages: u64,
    pub(super) connections: u64,
}

/// Blocks, bytes, reads, writes and bytes left alive of one operation, as far as they can be seen.
pub(super) type Row = [Option<f64>; 5];

/// What one run says.
pub(super) struct Run {
    pub(super) message: Row,
    pub(super) connection: Row,
    /// Bytes that an idle connection holds.
    pub(super) held: Option<f64>,
    /// What the numbers leave out.
    pub(super) notes: Vec<String>,
}

/// Starts the program, measures it and ends it.
pub(super) fn run(plan: &Plan<'_>, say: &dyn Fn(&str)) -> Result<Run> {
    let counters = Counters::new()?;
    say("starting the program");
    let mut program = Program::start(plan.command, plan.port, plan.start, &counters)?;
    let notes = blind::look(&program, &counters)?;
    let visitor = Visitor::new(plan.conversation, plan.path, program.addr());
    let rest = Cell::new(REST);
    let mut measurement =
        Measurement { plan, counters: &counters, visitor, rest, quiet: true, notes };
    let mut run = measurement.run(say).map_err(|error| program.blame(error))?;
    blind::look_at_helpers(&program, &mut run.notes)?;
    Ok(run)
}

struct Measurement<'a> {
    plan: &'a Plan<'a>,
    counters: &'a Counters,
    visitor: Visitor<'a>,
    /// Limit for the program to come to rest.
    rest: Cell<Duration>,
    /// Whether nothing was counted while nothing happened.
    quiet: bool,
    notes: Vec<String>,
}

impl<'a> Measurement<'a> {
    fn run(&mut self, say: &dyn Fn(&str)) -> Result<Run> {
        let Plan { messages, connections, .. } = *self.plan;
        say("rehearsing");
        self.visitor.exchange(2 * messages)?;
        self.visitor.connect(2 * connections)?;
        self.hold(connections)?;
        let live = self.live()?.unwrap_or_default().max(0) as u64;
        blind::look_at_memory(self.counters.mapped_bytes()?, live, &mut self.notes)?;
        say("watching the program while nothing happens");
        let (idle, _) = self.window(|_| {
            thread::sleep(IDLE);
            Ok(())
        })?;
        if idle.blocks > 0 || idle.reads > 0 || idle.writes > 0 {
            self.quiet = false;
            self.notes.push(format!(
                "the program does something by itself: {}, {} and {} in a second without a message",
                counted(idle.blocks, "block"),
                counted(idle.reads, "read"),
                counted(idle.writes, "write")
            ));
        }
        say("counting messages");
        let counts = self.slope(Visitor::exchange, messages)?;
        let mut message = self.row(&counts, messages);
        let sent = talk::bytes_sent(self.plan.conversation);
        let read = counts.0[READ_BYTES].figure(messages, self.quiet).unwrap_or_default();
        // Every message was answered, so it was read; if not through the C library, not here.
        if sent > 0 && (message[2] < Some(0.95) || read < sent as f64 - 0.5) {
            message[2] = None;
        }
        message[3] = message[3].filter(|writes| *writes >= 0.95);
        say("counting connections");
        let counts = self.slope(Visitor::connect, connections)?;
        let mut connection = self.row(&counts, connections);
        for unseen in &mut connection[2..4] {
            *unseen = unseen.filter(|transfers| *transfers >= 0.95);
        }
        say("counting idle connections");
        let held = self.held(connections)?;
        Ok(Run { message, connection, held, notes: std::mem::take(&mut self.notes) })
    }

    /// Windows of `operations` and of twice as many, until both are steady.
    fn slope(
        &mut self,
        work: fn(&mut Visitor<'a>, u64) -> Result<()>,
        operations: u64,
    ) -> Result<Windows> {
        let mut windows = Windows::default();
        let begin = Instant::now();
        for repeat in 0..REPEATS {
            if repeat >= 2 && begin.elapsed() > PATIENCE {
                break;
            }
            let once = self.window(|visitor| work(visitor, operations))?;
            let twice = self.window(|visitor| work(visitor, 2 * operations))?;
            windows.add(once, twice);
            if windows.0.iter().all(Samples::are_steady) {
                break;
            }
        }
        Ok(windows)
    }

    fn row(&self, windows: &Windows, operations: u64) -> Row {
        let [blocks, bytes, reads, writes, left, _] =
            windows.0.each_ref().map(|samples| samples.figure(operations, self.quiet));
        // Bytes without a block are those of a stray one.
        [blocks, if blocks == Some(0.0) { blocks } else { bytes }, reads, writes, left]
    }

    /// The bytes that an idle connection holds: the slope between so many and twice as many.
    fn held(&mut self, connections: u64) -> Result<Option<f64>> {
        let mut samples = Samples::default();
        let begin = Instant::now();
        for repeat in 0..REPEATS {
            if repeat >= 2 && begin.elapsed() > PATIENCE {
                break;
            }
            let Some((once, twice)) = self.hold(connections)? else { return Ok(None) };
            samples.once.push(once);
            samples.twice.push(twice);
            if samples.are_steady() {
                break;
            }
        }
        Ok(samples.figure(connections, self.quiet))
    }

    /// Live bytes with so many idle connections, and with twice as many; none if they cannot be told.
    fn hold(&mut self, connections: u64) -> Result<Option<(i64, i64)>> {
        let mut clients = Vec::new();
        let mut open = |measurement: &mut Self| -> Result<Option<i64>> {
            for _ in 0..connections {
                let client = measurement.visitor.open();
                clients.push(client.with_context(|| format!("connection {}", clients.len() + 1))?);
            }
            measurement.rest()?;
            measurement.live()
        };
        let (once, twice) = (open(self)?, open(self)?);
        for client in clients {
            // It may have heard that others have come; then it ends without a farewell.
            drop(client.leave());
        }
        self.rest()?;
        Ok(once.zip(twice))
    }

    /// What is counted until the program rests after `work`, and the bytes that it leaves alive.
    fn window(
        &mut self,
        work: impl FnOnce(&mut Visitor<'a>) -> Result<()>,
    ) -> Result<(Counts, Option<i64>)> {
        let (before, was_alive) = (self.rest()?, self.live()?);
        work(&mut self.visitor)?;
        let (after, is_alive) = (self.rest()?, self.live()?);
        Ok((after.since(before), is_alive.zip(was_alive).map(|(is, was)| is - was)))
    }

    /// Waits until the counts stand still and every thread sleeps.
    fn rest(&self) -> Result<Counts> {
        let deadline = Instant::now() + self.rest.get();
        let (mut last, mut equal) = (self.counters.read()?, 0);
        while equal < LOOKS {
            if Instant::now() > deadline {
                self.rest.set(RESTLESS);
                break;
            }
            thread::sleep(LOOK);
            let now = self.counters.read()?;
            let running = self.counters.running()?.unwrap_or_default();
            let rests = now == last && running.iter().all(|process| proc::sleeps(process.pid));
            equal = if rests { equal + 1 } else { 0 };
            last = now;
        }
        Ok(last)
    }

    /// The live bytes of all processes; none if they are too many to tell apart.
    fn live(&self) -> Result<Option<i64>> {
        let running = self.counters.running()?;
        Ok(running.map(|running| running.iter().map(|process| process.live_bytes).sum()))
    }
}

/// The totals of windows: those of a [`Row`], and the bytes of the reads.
#[derive(Default)]
struct Windows([Samples; 6]);

const READ_BYTES: usize = 5;

impl Windows {
    fn add(&mut self, once: (Counts, Option<i64>), twice: (Counts, Option<i64>)) {
        let of = |(counts, left): (Counts, Option<i64>)| {
            let Counts { blocks, bytes, reads, read_bytes, writes, .. } = counts;
            let [blocks, bytes, reads, writes, read_bytes] =
                [blocks, bytes, reads, writes, read_bytes].map(|total| Some(total as i64));
            [blocks, bytes, reads, writes, left, read_bytes]
        };
        for (samples, (once, twice)) in self.0.iter_mut().zip(of(once).into_iter().zip(of(twice))) {
            samples.once.extend(once);
            samples.twice.extend(twice);
        }
    }
}
