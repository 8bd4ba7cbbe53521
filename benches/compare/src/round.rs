//! One round of one workload: fresh server processes side by side, and a driver that visits them in turn.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use bench_kit::cores;
use bench_kit::random::SplitMix64;
use bench_kit::scheduling::Policy;
use bench_kit::spinners::Spinners;
use bench_kit::statistics::{median, quantile};

use super::driver::Driver;
use super::server_process::{Program, ServerProcess, ServerSettings};
use super::workload::{Cores, Traffic, Workload};

/// Position of base among the arms; every ratio is to it.
pub const BASE: usize = 0;

/// Position of the null control, a second copy of base.
pub const CONTROL: usize = 1;

/// Position of head. A calibration has several heads, which follow each other.
pub const HEAD: usize = 2;

/// Wall-clock time of one chunk in nanoseconds: short enough for all arms of a cycle to meet the same conditions, long
/// enough for the switch between processes not to count.
const CHUNK_NS: f64 = 1e6;

/// Time after which a round may have fewer cycles than planned: a server that stalls does so in each of them.
const LONG_ENOUGH: Duration = Duration::from_millis(200);

/// Fewest cycles of a round.
const FEWEST_CYCLES: usize = 3;

/// Time between two readings of servers that push.
const WINDOW: Duration = Duration::from_millis(6);

/// Limit for all windows of a round.
const WINDOWS_TIMEOUT: Duration = Duration::from_secs(10);

/// One of the servers of a round.
#[derive(Clone, Debug)]
pub struct Arm {
    /// Its name in errors: `base`, `head`.
    pub name: String,
    /// How it is started.
    pub program: Program,
    /// More flags for it.
    pub flags: Vec<String>,
}

/// The result of a round: an entry per arm, at [`BASE`], [`CONTROL`] and [`HEAD`].
#[derive(Clone, Debug)]
pub struct Round {
    /// Wall-clock times; `None` if the workload has no such row.
    pub wall: Option<Vec<Measured>>,
    /// The servers' processor time; `None` if the workload has no such row or a clock stood still.
    pub cpu: Option<Vec<Measured>>,
}

/// The result of one arm in a round.
#[derive(Clone, Copy, Debug)]
pub struct Measured {
    /// Nanoseconds per operation: median over cycles.
    pub ns: f64,
    /// Natural logarithm of the ratio to base: median over cycles.
    pub log_ratio: f64,
    /// 99th percentile of all steps in nanoseconds; `None` if a step is many operations.
    pub p99_ns: Option<f64>,
}

/// Extent and place of a round.
#[derive(Clone, Copy, Debug)]
pub struct RoundPlan<'a> {
    /// Chunks per arm.
    pub cycles: usize,
    /// The path servers echo on or talk on.
    pub path: &'a str,
    /// Number of the round. It selects the core: cores differ, so rounds use them in turn.
    pub turn: usize,
}

impl Round {
    /// The round as if there had been one head: for wall-clock and for processor time the head at each of these places
    /// among the heads.
    #[must_use]
    pub fn of_heads(&self, [wall, cpu]: [usize; 2]) -> Self {
        let pick = |arms: &[Measured], nth| vec![arms[BASE], arms[CONTROL], arms[HEAD + nth]];
        Self {
            wall: self.wall.as_deref().map(|arms| pick(arms, wall)),
            cpu: self.cpu.as_deref().map(|arms| pick(arms, cpu)),
        }
    }
}

/// Starts every arm afresh and takes `plan.cycles` chunks of each, in random order.
///
/// # Errors
///
/// If a server cannot be started, ends, or gives a wrong answer; the message names it.
pub fn round(
    workload: &Workload,
    arms: &[Arm],
    plan: RoundPlan<'_>,
    rng: &mut SplitMix64,
) -> Result<Round> {
    let all = cores::allowed()?;
    let driver_core = all[plan.turn % all.len()];
    let (server_core, policy) = match workload.cores {
        Cores::One => (driver_core, Policy::Batch),
        Cores::Two => (all[(plan.turn + 1) % all.len()], Policy::Normal),
    };
    // A process inherits the cores and the policy of the thread that starts it.
    cores::stay_on(&[server_core])?;
    schedule(policy)?;
    let mut order: Vec<usize> = (0..arms.len()).collect();
    rng.shuffle(&mut order);
    let mut servers: Vec<Option<ServerProcess>> = arms.iter().map(|_| None).collect();
    for arm in order {
        servers[arm] = Some(start(workload, &arms[arm], rng)?);
    }
    let mut servers: Vec<ServerProcess> = servers.into_iter().flatten().collect();
    cores::stay_on(&[driver_core])?;
    let chunks = visit(workload, &mut servers, plan, rng);
    schedule(Policy::Normal)?;
    cores::stay_on(&all)?;
    let Chunks { wall, cpu, steps } = chunks?;
    let steps = workload.has_single_steps().then_some(&steps[..]);
    Ok(Round {
        wall: workload.wall.as_ref().map(|_| measured(&wall, steps)).transpose()?,
        cpu: workload.cpu.as_ref().map_or(Ok(None), |_| processor_time(&cpu, arms))?,
    })
}

/// `None` if the clock of a command stood still: it may serve from a process that it started later. A `ws-server` does not.
fn processor_time(chunks: &[Vec<f64>], arms: &[Arm]) -> Result<Option<Vec<Measured>>> {
    let still = chunks.iter().position(|own| own.iter().any(|ns| *ns <= 0.0));
    match still.map(|arm| &arms[arm]) {
        None => measured(chunks, None).map(Some),
        Some(Arm { program: Program::Command(_) | Program::Own { .. }, .. }) => Ok(None),
        Some(Arm { name, .. }) => bail!(
            "the processor time of {name} stood still while it served; look whether another process serves for it"
        ),
    }
}

fn schedule(policy: Policy) -> Result<()> {
    policy.apply().with_context(|| {
        format!("cannot be scheduled as {policy:?}, without which processor times mean little; see man 7 sched")
    })
}

fn start(workload: &Workload, arm: &Arm, rng: &mut SplitMix64) -> Result<ServerProcess> {
    let tick = match workload.traffic {
        Traffic::Dashboard { tick, .. } => Some(tick),
        _ => None,
    };
    let settings = ServerSettings { tick, flags: arm.flags.clone() };
    ServerProcess::start(&arm.name, &arm.program, &settings, rng)
}

/// Medians over the chunks of each arm, and percentiles over its `steps`.
fn measured(chunks: &[Vec<f64>], steps: Option<&[Vec<f64>]>) -> Result<Vec<Measured>> {
    let arms = chunks.iter().enumerate().map(|(arm, own)| {
        let ratios: Vec<f64> =
            own.iter().zip(&chunks[BASE]).map(|(own, base)| (own / base).ln()).collect();
        Some(Measured {
            ns: median(own)?,
            log_ratio: median(&ratios)?,
            p99_ns: steps.and_then(|steps| quantile(&steps[arm], 0.99)),
        })
    });
    arms.collect::<Option<_>>().context("a round has at least one cycle")
}

/// By arm: nanoseconds per operation of each chunk, and of each step.
struct Chunks {
    wall: Vec<Vec<f64>>,
    cpu: Vec<Vec<f64>>,
    steps: Vec<Vec<f64>>,
}

fn visit(
    workload: &Workload,
    servers: &mut [ServerProcess],
    plan: RoundPlan<'_>,
    rng: &mut SplitMix64,
) -> Result<Chunks> {
    let spins = workload.cores == Cores::Two && cores::allowed()?.len() > 1;
    let mut order: Vec<usize> = (0..servers.len()).collect();
    rng.shuffle(&mut order);
    let mut drivers: Vec<Option<Driver<'_>>> = servers.iter().map(|_| None).collect();
    for arm in order.iter().copied() {
        let driver = Driver::connect(&workload.traffic, plan.path, spins, &servers[arm]);
        drivers[arm] = Some(driver.map_err(|error| servers[arm].blame(error))?);
    }
    let mut drivers: Vec<Driver<'_>> = drivers.into_iter().flatten().collect();
    let mut chunks = Chunks {
        wall: vec![Vec::with_capacity(plan.cycles); servers.len()],
        cpu: vec![Vec::with_capacity(plan.cycles); servers.len()],
        steps: vec![Vec::new(); servers.len()],
    };
    if matches!(workload.traffic, Traffic::Dashboard { .. }) {
        watch(&mut drivers, servers, plan.cycles, &mut chunks.cpu)?;
        return Ok(chunks);
    }
    // The arm used to calibrate the chunk length has run slightly more than the others.
    let first = order[0];
    let begin = Instant::now();
    let warm = drivers[first].chunk(&servers[first], 4);
    warm.map_err(|error| servers[first].blame(error))?;
    let steps = (CHUNK_NS * 4.0 / begin.elapsed().as_nanos() as f64).clamp(1.0, 200.0) as usize;
    let begin = Instant::now();
    for cycle in 0..plan.cycles {
        if cycle >= FEWEST_CYCLES && begin.elapsed() > LONG_ENOUGH {
            break;
        }
        rng.shuffle(&mut order);
        for arm in order.iter().copied() {
            let chunk = drivers[arm].chunk(&servers[arm], steps);
            let chunk = chunk.map_err(|error| servers[arm].blame(error))?;
            chunks.wall[arm].push(chunk.wall_ns);
            chunks.cpu[arm].push(chunk.cpu_ns);
            chunks.steps[arm].extend_from_slice(drivers[arm].steps());
        }
    }
    for (driver, server) in drivers.into_iter().zip(servers) {
        driver.finish().map_err(|error| server.blame(error))?;
    }
    Ok(chunks)
}

/// Reads the dashboards of all arms once per window, and adds the processor time per snapshot of each window to `cpu`.
///
/// The driver sleeps between readings rather than wait for a snapshot. Otherwise the phase of the ticks would decide
/// which server pays for waking the driver.
fn watch(
    drivers: &mut [Driver<'_>],
    servers: &mut [ServerProcess],
    cycles: usize,
    cpu: &mut [Vec<f64>],
) -> Result<()> {
    let mut read = |arm: usize, server: &mut ServerProcess| {
        let reading = server.cpu_ns().and_then(|cpu| Ok((cpu, drivers[arm].skip()?)));
        reading.map_err(|error| server.blame(error))
    };
    let mut before = Vec::with_capacity(servers.len());
    for (arm, server) in servers.iter_mut().enumerate() {
        before.push(read(arm, server)?.0);
    }
    let _awake = Spinners::awake();
    let deadline = Instant::now() + WINDOWS_TIMEOUT;
    while cpu.iter().any(|windows| windows.len() < cycles) {
        std::thread::sleep(WINDOW);
        let late = Instant::now() > deadline;
        for (arm, server) in servers.iter_mut().enumerate() {
            let (now, snapshots) = read(arm, server)?;
            // Without a snapshot (the machine is busy), the processor time counts in the next window.
            if snapshots > 0 {
                cpu[arm].push((now - before[arm]) / snapshots as f64);
                before[arm] = now;
            } else if late {
                bail!("{} pushed nothing on its dashboard", server.name());
            }
        }
        ensure!(
            !late,
            "the servers pushed fewer than {cycles} windows of snapshots within {WINDOWS_TIMEOUT:?}; run again on a \
             quieter machine"
        );
    }
    for windows in cpu {
        windows.truncate(cycles);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_stands_still_is_an_error_unless_a_command_may_serve_from_another_process() {
        let arm = |program| Arm { name: "head".to_owned(), program, flags: Vec::new() };
        let server = arm(Program::Server("ws-server".into()));
        let command = arm(Program::Command("serve {port}".to_owned()));
        let chunks = [vec![5.0, 5.0], vec![5.0, 0.0]];
        let check = |arms: [&Arm; 2]| processor_time(&chunks, &arms.map(Clone::clone));
        let error =
            check([&server, &server]).expect_err("no ws-server serves from another process");
        assert!(error.to_string().contains("processor time of head stood still"), "{error}");
        assert!(check([&command, &command]).expect("it may").is_none());
    }
}
