//! A run from its first connection to its last.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result};
use tokio::runtime;

use super::conductor::{Performance, Progress, perform};
use super::endpoint::{Access, Endpoint};
use super::problem::Problem;
use super::scrape::Scrape;
use bench_kit::descriptors;
use load_plan::metrics::Tally;
use load_plan::model::{Run, SCHEMA, Shard};
use load_plan::outcome::Ending;
use load_plan::profile::{Conduct, Mode, Profile, Stage};

/// Descriptors beside those of the connections.
const OTHER_DESCRIPTORS: u64 = 64;

/// Connections that a rehearsal opens in a second.
const REHEARSED_PER_S: f64 = 2_000.0;

/// How often a signal is looked for before the run.
const LOOK: Duration = Duration::from_millis(20);

/// Workers get ready so long before a start that was agreed on.
const READY: Duration = Duration::from_millis(500);

/// What to run, and how.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The load, checked.
    pub profile: Profile,
    /// `ws://` or `wss://`.
    pub url: String,
    /// PEM file with certificates to trust beside the system's.
    pub ca_file: Option<String>,
    /// Addresses of this machine to connect from, in turn.
    pub sources: Vec<std::net::IpAddr>,
    /// Threads that generate the load.
    pub workers: usize,
    /// Which part of the load.
    pub shard: Shard,
    /// When; at once if there is none.
    pub start_at: Option<SystemTime>,
    /// Names the run.
    pub run_id: String,
}

/// Runs `settings.profile`; `seconds` hears of every second, and `stop` ends it early and cleanly.
///
/// # Errors
///
/// A [`super::problem::Problem`] if the target cannot be used at all, or an error of this machine.
pub fn run(
    settings: &Settings,
    stop: &AtomicBool,
    seconds: &mut dyn FnMut(&Progress<'_>),
) -> Result<Run> {
    let Settings { profile, shard, .. } = settings;
    let peak = peak(profile);
    let slow = profile.conduct.slow_readers.map_or(0, |slow| u64::from(slow.connections));
    let hostile = profile.conduct.hostile.as_ref().map_or(0, |_| 256);
    let mine = u64::from(peak.div_ceil(shard.of)) + slow + hostile + OTHER_DESCRIPTORS;
    descriptors::raise(mine)
        .map_err(|error| Problem::of(Ending::Descriptors, format!("{error:#}")))?;
    let access = Access {
        ca_file: settings.ca_file.clone(),
        sources: settings.sources.clone(),
        connections: peak.div_ceil(shard.of),
        longest: profile.traffic.sizes.iter().map(|size| size.bytes).max().unwrap_or_default(),
    };
    let asking = runtime::Builder::new_current_thread().enable_all().build()?;
    let (endpoint, mut seen) = asking.block_on(async {
        let endpoint = Endpoint::resolve(&settings.url, &profile.target, access).await?;
        // Whether there is anything to load is known before anything is.
        tokio::select! {
            knocked = knock(&endpoint, &profile.target.mode) => anyhow::Ok((Arc::new(endpoint), knocked?)),
            problem = stopped(stop) => Err(problem.into()),
        }
    })?;
    drop(asking);
    let perform = |profile: &Profile, start_at, seconds: &mut dyn FnMut(&Progress<'_>)| {
        let profile = Arc::new(profile.clone());
        perform(&profile, &endpoint, settings.workers, *shard, start_at, stop, seconds)
    };
    let scrape = Scrape::beside(&settings.url).filter(|_| shard.of == 1);
    let mut before = None;
    if let Some(scrape) = &scrape {
        // What is kept for ever after the first time (room in tables, buffers of the run-time) is no leak: that is
        // what grows with every time.
        let rehearsed = perform(&rehearsal(profile, peak), None, &mut |_| {})?;
        for interval in &rehearsed.intervals {
            seen.add(&interval.sample.counts);
        }
        before = Some(scrape.settled()?);
    }
    if let Some(start) = settings.start_at {
        wait_until(start - READY, stop)?;
    }
    // A rehearsal may have taken longer than there was time.
    let now = SystemTime::now();
    let started = settings.start_at.map_or(now, |at| at.max(now));
    let Performance { intervals, details, doubts, interrupted } =
        perform(profile, settings.start_at, seconds)?;
    let allocations = match (before, &scrape) {
        (Some(before), Some(scrape)) => scrape.settled().ok().map(|after| before.until(after)),
        _ => None,
    };
    Ok(Run {
        schema: SCHEMA,
        run_id: settings.run_id.clone(),
        shard: *shard,
        shards: vec![shard.index],
        started_unix_ns: started.duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos(),
        url: settings.url.clone(),
        profile: profile.public(),
        before: seen,
        intervals,
        error_samples: details,
        allocations,
        doubts,
        interrupted,
        workers: settings.workers as u32,
        processors: std::thread::available_parallelism().context("no processors")?.get() as u32,
    })
}

/// Opens a connection and closes it. Whoever pushes would count what it sends there, so it is only called on.
async fn knock(endpoint: &Endpoint, mode: &Mode) -> Result<Tally, Problem> {
    if matches!(mode, Mode::Subscribe { .. }) {
        endpoint.stream().await?;
        return Ok(Tally { attempted: 1, ..Tally::default() });
    }
    let mut first = endpoint.connect().await?;
    // What it does with connections that end is for the run to say.
    let _ = first.close(None).await;
    Ok(Tally { attempted: 1, opened: 1, ..Tally::default() })
}

/// Resolves once `stop` is true.
async fn stopped(stop: &AtomicBool) -> Problem {
    while !stop.load(Relaxed) {
        tokio::time::sleep(LOOK).await;
    }
    interrupted()
}

fn interrupted() -> Problem {
    Problem::of(Ending::Interrupted, "interrupted before anything was loaded".to_owned())
}

/// Sleeps, unless `stop` is or becomes true.
fn wait_until(at: SystemTime, stop: &AtomicBool) -> Result<(), Problem> {
    while let Ok(left) = at.duration_since(SystemTime::now()) {
        if stop.load(Relaxed) {
            return Err(interrupted());
        }
        std::thread::sleep(left.min(LOOK));
    }
    Ok(())
}

/// Most connections at a time.
fn peak(profile: &Profile) -> u32 {
    profile.stages.iter().map(|stage| stage.connections).max().unwrap_or_default()
}

/// As many connections and the same messages, for a moment, and nobody behaves badly.
fn rehearsal(profile: &Profile, peak: u32) -> Profile {
    let stage = Stage {
        name: "rehearsal".to_owned(),
        connections: peak,
        ramp: Duration::from_secs_f64(f64::from(peak) / REHEARSED_PER_S),
        hold: Duration::from_millis(300),
        pace: None,
        thresholds: Vec::new(),
    };
    let mut rehearsal = profile.clone();
    rehearsal.stages = vec![stage];
    rehearsal.conduct = Conduct::default();
    rehearsal.traffic.warm_up = Duration::ZERO;
    rehearsal
}
