//! A run from its first connection to its last.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, ensure};
use bench_kit::descriptors;
use load_plan::metrics::Tally;
use load_plan::model::{Run, SCHEMA, Shard};
use load_plan::outcome::Ending;
use load_plan::profile::{Conduct, Mode, Profile, Stage};
use load_plan::url::Url;
use tokio::runtime;
use tokio::time::sleep;

use super::connection_numbers;
use super::coordinator::Recording;
use super::endpoint::Endpoint;
use super::execution::Execution;
use super::host::Host;
use super::hostile;
use super::problem::Problem;
use super::progress::Progress;
use super::scrape::Scrape;
use super::transport::{Tcp, Transport};

pub use super::tls::Trust;

/// Descriptors beside those of the connections.
const OTHER_DESCRIPTORS: u64 = 64;

/// Connections that the probe load opens in a second.
const PROBED_PER_S: f64 = 2_000.0;

/// How often an interruption is looked for before the run.
const LOOK: Duration = Duration::from_millis(20);

/// Workers are started this long before a start that was agreed on.
const READY: Duration = Duration::from_millis(500);

/// A load, and how to run it.
#[derive(Clone, Debug)]
pub struct RunSettings {
    /// The load, checked.
    pub profile: Profile,
    /// `ws://` or `wss://`.
    pub url: String,
    /// The certificates to trust beside the system's.
    pub trust: Trust,
    /// Addresses of this machine to connect from, in turn.
    pub sources: Vec<IpAddr>,
    /// Threads that generate the load.
    pub workers: usize,
    /// Which part of the load.
    pub shard: Shard,
    /// When to start; `None` starts at once.
    pub start_at: Option<SystemTime>,
    /// Names the run.
    pub run_id: String,
}

/// Runs `settings.profile`. Calls `progress` once a second; ends early and cleanly once `stop` is true.
///
/// # Errors
///
/// A [`Problem`] if the target cannot be used at all, or an error of this machine.
pub fn run(
    settings: &RunSettings,
    stop: &AtomicBool,
    progress: &mut dyn FnMut(&Progress<'_>),
) -> Result<Run> {
    let RunSettings { profile, url, shard, .. } = settings;
    let connections = peak(profile).div_ceil(shard.of);
    let slow = profile.conduct.slow_readers.map_or(0, |slow| u64::from(slow.connections));
    let hostile = profile.conduct.hostile.as_ref().map_or(0, |_| hostile::AT_ONCE as u64);
    descriptors::raise(u64::from(connections) + slow + hostile + OTHER_DESCRIPTORS)
        .map_err(|error| Problem::of(Ending::Descriptors, format!("{error:#}")))?;
    let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let Url { host, port, .. } = parse(url)?;
        let sources = settings.sources.clone();
        let tcp = Tcp::resolve(url, (&host, port), sources, connections).await?;
        run_over(Transport::Tcp(tcp), Host::Machine, settings, stop, progress).await
    })
}

/// Runs `settings.profile` over `transport`. Time, processor time and threads come from `host`.
pub(crate) async fn run_over(
    transport: Transport,
    host: Host,
    settings: &RunSettings,
    stop: &AtomicBool,
    progress: &mut dyn FnMut(&Progress<'_>),
) -> Result<Run> {
    let RunSettings { profile, url, shard, workers, .. } = settings;
    let endpoint = &Arc::new(Endpoint::new(url, parse(url)?, transport, profile, &settings.trust)?);
    let mut before = tokio::select! {
        probed = probe(endpoint, &profile.target.mode) => probed?,
        problem = interrupted(stop) => return Err(problem.into()),
    };
    let (workers, shard) = (*workers, *shard);
    let execution = Execution { host, endpoint, workers, shard, first_connection: 0, stop };
    let scrape = match shard.of {
        1 => Scrape::beside(endpoint).await,
        _ => None,
    };
    let mut heap_before = None;
    if let Some(scrape) = &scrape {
        // Some of the target's memory is allocated once and kept: tables, buffers of its runtime. Only what grows with
        // every load is a leak.
        let rehearsal = Execution { first_connection: connection_numbers::PROBE, ..execution };
        let probed = rehearsal.execute(&probe_load(profile), None, &mut |_| {}).await?;
        for interval in &probed.intervals {
            before.add(&interval.sample.counts);
        }
        heap_before = Some(scrape.settled().await);
    }
    let start_at = settings.start_at.map(|at| at.duration_since(UNIX_EPOCH).unwrap_or_default());
    if let Some(start_at) = start_at {
        tokio::select! {
            () = wait_until(start_at.saturating_sub(READY), host) => {}
            problem = interrupted(stop) => return Err(problem.into()),
        }
    }
    let late = start_at.and_then(|at| host.unix().checked_sub(at)).unwrap_or_default();
    ensure!(
        late <= profile.allowed_skew(),
        "the agreed start passed {late:.1?} ago, while the target was probed; give all shards a later --start-at"
    );
    let recording = execution.execute(profile, start_at, progress).await?;
    let allocations = match (heap_before, &scrape) {
        (Some(Ok(before)), Some(scrape)) => {
            Some(scrape.settled().await.and_then(|after| before.until(after)))
        }
        (Some(Err(error)), _) => Some(Err(error)),
        _ => None,
    };
    let (allocations, allocations_unknown) = match allocations {
        Some(Ok(allocations)) => (Some(allocations), None),
        Some(Err(error)) => (None, Some(format!("{error:#}"))),
        None => (None, None),
    };
    let Recording { started, intervals, error_samples, doubts, interrupted } = recording;
    Ok(Run {
        schema: SCHEMA,
        run_id: settings.run_id.clone(),
        shard,
        shards: vec![shard.index],
        started_unix_ns: started.as_nanos(),
        url: url.clone(),
        profile: profile.public(),
        before,
        intervals,
        error_samples,
        allocations,
        allocations_unknown,
        insecure: endpoint.is_tls() && settings.trust.insecure,
        doubts,
        parts: Vec::new(),
        interrupted,
        workers: workers as u32,
        processors: std::thread::available_parallelism().context("no processors")?.get() as u32,
    })
}

fn parse(url: &str) -> Result<Url, Problem> {
    url.parse().map_err(|error: anyhow::Error| Problem::usage(format!("{error:#}")))
}

/// Opens a connection and closes it, to find out whether there is a target. A subscription would show up in the counts
/// of a target that pushes, so the connection to it is not upgraded.
async fn probe(endpoint: &Endpoint, mode: &Mode) -> Result<Tally, Problem> {
    if matches!(mode, Mode::Subscribe { .. }) {
        endpoint.stream().await?;
        return Ok(Tally { attempted: 1, ..Tally::default() });
    }
    let mut first = endpoint.connect().await?;
    // The run finds out how the target closes connections.
    let _ = first.close(None).await;
    Ok(Tally { attempted: 1, opened: 1, ..Tally::default() })
}

/// Resolves once `stop` is true.
async fn interrupted(stop: &AtomicBool) -> Problem {
    while !stop.load(Relaxed) {
        sleep(LOOK).await;
    }
    Problem::of(Ending::Interrupted, "interrupted before the load began".to_owned())
}

/// Resolves at `at`, in wall-clock time since 1970. Looks again and again, as the wall clock may be set meanwhile.
async fn wait_until(at: Duration, host: Host) {
    while let left = at.saturating_sub(host.unix())
        && !left.is_zero()
    {
        sleep(left.min(LOOK)).await;
    }
}

/// Most connections at a time.
fn peak(profile: &Profile) -> u32 {
    profile.stages.iter().map(|stage| stage.connections).max().unwrap_or_default()
}

/// As many connections and the same messages, for a moment and without hostile peers.
fn probe_load(profile: &Profile) -> Profile {
    let peak = peak(profile);
    let stage = Stage {
        name: "probe".to_owned(),
        connections: peak,
        ramp: Duration::from_secs_f64(f64::from(peak) / PROBED_PER_S),
        hold: Duration::from_millis(300),
        pace: None,
        thresholds: Vec::new(),
    };
    let mut probe = profile.clone();
    probe.stages = vec![stage];
    probe.conduct = Conduct::default();
    probe.traffic.warm_up = Duration::ZERO;
    probe
}
