//! One round of one workload: fresh processes side by side, and a driver that goes from one to the next.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};

use super::driver::Driver;
use super::server_process::{Program, ServerProcess, Settings};
use super::workload::{Cores, Traffic, Workload};
use bench_kit::cores;
use bench_kit::random::SplitMix64;
use bench_kit::spinners::Spinners;
use bench_kit::statistics::{median, quantile};

/// Wall-clock time of one chunk: short, so that the weather is the same for all arms of a cycle; long enough for the
/// switch from one process to the next not to be seen.
const CHUNK_NS: f64 = 1e6;

/// Time after which a round of fewer cycles than planned will do: a server that stalls is slow in every one of them.
const ENOUGH: Duration = Duration::from_millis(200);

/// Cycles that every round has.
const FEWEST: usize = 3;

/// Between two looks at servers that push.
const WINDOW: Duration = Duration::from_millis(6);

/// Time for all windows of a round.
const PATIENCE: Duration = Duration::from_secs(10);

/// Most bytes that a process's environment is made longer by, to move its stack.
const PADDING: u64 = 4096;

/// One of the servers of a round.
#[derive(Clone, Debug)]
pub struct Arm {
    /// What errors call it: `base`, `head`.
    pub name: String,
    /// How it is started.
    pub program: Program,
    /// More flags for it.
    pub flags: Vec<String>,
}

/// What a round came to. Every list has an entry an arm, in their order; the first one is what the others are held to.
#[derive(Clone, Debug)]
pub struct Round {
    /// Wall-clock times; `None` where the workload has no such row.
    pub wall: Option<Vec<Measured>>,
    /// The servers' processor time; `None` likewise, or where a clock stood still.
    pub cpu: Option<Vec<Measured>>,
}

/// One arm's share in a round.
#[derive(Clone, Copy, Debug)]
pub struct Measured {
    /// Nanoseconds per operation: over the cycles the middle one.
    pub ns: f64,
    /// Natural logarithm of its ratio to the first arm: of the cycles' ratios the middle one.
    pub log_ratio: f64,
    /// 99th percentile of all steps in nanoseconds; steps of many operations have none that means something.
    pub p99_ns: Option<f64>,
}

/// How much of it, and where.
#[derive(Clone, Copy, Debug)]
pub struct Plan<'a> {
    /// Chunks an arm.
    pub cycles: usize,
    /// The path servers echo on.
    pub path: &'a str,
    /// Which of the allowed cores is the first: rounds take turns, because no core is like the other.
    pub turn: usize,
}

impl Round {
    /// The same round as if only these arms had taken part.
    #[must_use]
    pub fn of_arms(&self, arms: &[usize]) -> Self {
        let pick = |all: &Vec<Measured>| arms.iter().map(|arm| all[*arm]).collect();
        Self { wall: self.wall.as_ref().map(pick), cpu: self.cpu.as_ref().map(pick) }
    }
}

/// Starts every arm afresh, and takes `plan.cycles` chunks of each in random order.
///
/// # Errors
///
/// If a server cannot be started, ends, or does not answer as it should: with its name.
pub fn round(
    workload: &Workload,
    arms: &[Arm],
    plan: Plan<'_>,
    rng: &mut SplitMix64,
) -> Result<Round> {
    let all = cores::allowed()?;
    let driver_core = all[plan.turn % all.len()];
    let server_core = match workload.cores {
        Cores::One => driver_core,
        Cores::Two => all[(plan.turn + 1) % all.len()],
    };
    // Processes inherit the place of the thread that starts them.
    cores::stay_on(&[server_core])?;
    let mut order: Vec<usize> = (0..arms.len()).collect();
    rng.shuffle(&mut order);
    let mut servers: Vec<Option<ServerProcess>> = arms.iter().map(|_| None).collect();
    for arm in order {
        servers[arm] = Some(start(workload, &arms[arm], rng)?);
    }
    let mut servers: Vec<ServerProcess> = servers.into_iter().flatten().collect();
    cores::stay_on(&[driver_core])?;
    let taken = take(workload, &mut servers, plan, rng);
    cores::stay_on(&all)?;
    let Taken { wall, cpu, steps } = taken?;
    let measured = |chunks: &[Vec<f64>], steps: Option<&[Vec<f64>]>| {
        let first = &chunks[0];
        let arms = chunks.iter().enumerate().map(|(arm, own)| {
            let ratios: Vec<f64> =
                own.iter().zip(first).map(|(own, first)| (own / first).ln()).collect();
            Some(Measured {
                ns: median(own)?,
                log_ratio: median(&ratios)?,
                p99_ns: steps.and_then(|steps| quantile(&steps[arm], 0.99)),
            })
        });
        arms.collect::<Option<Vec<_>>>().context("a round has at least one cycle")
    };
    Ok(Round {
        wall: match workload.wall {
            Some(_) => Some(measured(&wall, workload.has_single_steps().then_some(&steps))?),
            None => None,
        },
        cpu: match workload.cpu {
            // A command may serve from a process that it starts later: its clock is not known.
            Some(_) if cpu.iter().flatten().all(|ns| *ns > 0.0) => Some(measured(&cpu, None)?),
            _ => None,
        },
    })
}

fn start(workload: &Workload, arm: &Arm, rng: &mut SplitMix64) -> Result<ServerProcess> {
    let tick = match workload.traffic {
        Traffic::Dashboard { tick, .. } => Some(tick),
        _ => None,
    };
    let settings = Settings { tick, flags: arm.flags.clone() };
    let padding = usize::try_from(rng.draw() % PADDING).unwrap_or(0);
    ServerProcess::start(&arm.name, &arm.program, &settings, padding)
}

/// Nanoseconds per operation of each chunk, by arm; and of each step.
struct Taken {
    wall: Vec<Vec<f64>>,
    cpu: Vec<Vec<f64>>,
    steps: Vec<Vec<f64>>,
}

fn take(
    workload: &Workload,
    servers: &mut [ServerProcess],
    plan: Plan<'_>,
    rng: &mut SplitMix64,
) -> Result<Taken> {
    let spins = workload.cores == Cores::Two && cores::allowed()?.len() > 1;
    let mut order: Vec<usize> = (0..servers.len()).collect();
    rng.shuffle(&mut order);
    let mut drivers: Vec<Option<Driver<'_>>> = servers.iter().map(|_| None).collect();
    for arm in order.iter().copied() {
        let driver = Driver::connect(&workload.traffic, plan.path, spins, &servers[arm]);
        drivers[arm] = Some(driver.map_err(|error| servers[arm].blame(error))?);
    }
    let mut drivers: Vec<Driver<'_>> = drivers.into_iter().flatten().collect();
    let mut taken = Taken {
        wall: vec![Vec::with_capacity(plan.cycles); servers.len()],
        cpu: vec![Vec::with_capacity(plan.cycles); servers.len()],
        steps: vec![Vec::new(); servers.len()],
    };
    if matches!(workload.traffic, Traffic::Dashboard { .. }) {
        together(&mut drivers, servers, plan.cycles, &mut taken)?;
        return Ok(taken);
    }
    // Whoever it is that tells how long a step takes is a little warmer than the others.
    let first = order[0];
    let begin = Instant::now();
    let warm = drivers[first].chunk(&servers[first], 4);
    warm.map_err(|error| servers[first].blame(error))?;
    let steps = (CHUNK_NS * 4.0 / begin.elapsed().as_nanos() as f64).clamp(1.0, 200.0) as usize;
    let begin = Instant::now();
    for cycle in 0..plan.cycles {
        if cycle >= FEWEST && begin.elapsed() > ENOUGH {
            break;
        }
        rng.shuffle(&mut order);
        for arm in order.iter().copied() {
            let chunk = drivers[arm].chunk(&servers[arm], steps);
            let chunk = chunk.map_err(|error| servers[arm].blame(error))?;
            taken.wall[arm].push(chunk.wall_ns);
            taken.cpu[arm].push(chunk.cpu_ns);
            taken.steps[arm].extend_from_slice(drivers[arm].steps());
        }
    }
    Ok(taken)
}

/// Dashboards push whether they are read or not, all arms at the same time. Nobody waits for a snapshot, or it would
/// depend on the phase of the ticks which server pays for the wake-up: the driver sleeps, and takes what has come.
fn together(
    drivers: &mut [Driver<'_>],
    servers: &mut [ServerProcess],
    cycles: usize,
    taken: &mut Taken,
) -> Result<()> {
    let mut look = |arm: usize, server: &mut ServerProcess| {
        let looked = server.cpu_ns().and_then(|cpu| Ok((cpu, drivers[arm].skip()?)));
        looked.map_err(|error| server.blame(error))
    };
    let mut before = Vec::with_capacity(servers.len());
    for (arm, server) in servers.iter_mut().enumerate() {
        before.push(look(arm, server)?.0);
    }
    let _awake = Spinners::awake();
    let deadline = Instant::now() + PATIENCE;
    while taken.cpu.iter().any(|windows| windows.len() < cycles) {
        std::thread::sleep(WINDOW);
        let late = Instant::now() > deadline;
        for (arm, server) in servers.iter_mut().enumerate() {
            let (cpu, snapshots) = look(arm, server)?;
            // A busy machine may not have let it run; what it did then counts to the next window.
            if snapshots > 0 {
                taken.cpu[arm].push((cpu - before[arm]) / snapshots as f64);
                before[arm] = cpu;
            } else if late {
                bail!("{} pushed nothing on its dashboard", server.name());
            }
        }
        ensure!(!late, "the servers pushed too little within {PATIENCE:?}; is the machine busy?");
    }
    for windows in &mut taken.cpu {
        windows.truncate(cycles);
    }
    Ok(())
}
