//! `ws-server`: serves an address until a signal stops it.

use std::io::Write;
use std::net::SocketAddr;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context as _;
use clap::Parser;
use server::{Config, socket};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::Layer as _;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

#[global_allocator]
static ALLOCATOR: server::allocations::Counting = server::allocations::Counting;

/// A WebSocket echo and dashboard server.
///
/// Echo on /ws/echo, live numbers on / and /ws/dashboard, OpenMetrics on /metrics. SIGTERM or SIGINT drains it; a
/// second signal ends it at once. Logs go to stderr, filtered by RUST_LOG.
#[derive(Debug, Parser)]
#[command(version)]
struct Flags {
    /// Address to listen on; port 0 takes a free port, and the first line of output names it
    #[arg(long, default_value = "127.0.0.1:9001", value_name = "ADDR:PORT")]
    bind: SocketAddr,

    /// Open connections beyond which requests are answered with 503 [default: 10000, or 0.8 of the descriptor limit]
    #[arg(long, value_name = "N")]
    max_connections: Option<usize>,

    /// Longest message and longest frame of an echo client, in bytes; at most 16777216 (16 MiB)
    #[arg(long, value_name = "BYTES", default_value_t = Config::default().max_message)]
    max_message: usize,

    /// Milliseconds between two dashboard snapshots
    #[arg(long, value_name = "MS", default_value_t = 250)]
    tick_ms: u64,

    /// Longest wait, in seconds, for connections to end on SIGTERM
    #[arg(long, value_name = "S", default_value_t = 10)]
    drain_s: u64,

    /// Threads that serve [default: one per processor]
    #[arg(long, value_name = "N")]
    workers: Option<usize>,
}

fn main() -> ExitCode {
    let flags = Flags::parse();
    let asked = std::env::var("RUST_LOG").ok().and_then(|text| text.parse().ok());
    let filter = asked.unwrap_or_else(|| Targets::new().with_default(LevelFilter::INFO));
    let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
    tracing_subscriber::registry().with(lines.with_filter(filter)).init();
    match run(&flags) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(1),
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::from(1)
        }
    }
}

fn run(flags: &Flags) -> anyhow::Result<bool> {
    let mut builder = match flags.workers {
        Some(0) => anyhow::bail!("--workers must be at least 1"),
        Some(1) => tokio::runtime::Builder::new_current_thread(),
        _ => tokio::runtime::Builder::new_multi_thread(),
    };
    if let Some(workers) = flags.workers.filter(|workers| *workers > 1) {
        builder.worker_threads(workers);
    }
    builder.enable_all().build().context("cannot start the runtime")?.block_on(serve(flags))
}

/// Serves until a signal. Returns whether every connection ended within the drain.
async fn serve(flags: &Flags) -> anyhow::Result<bool> {
    let defaults = Config::default();
    let config = Config {
        max_connections: flags.max_connections.unwrap_or(defaults.max_connections),
        max_message: flags.max_message,
        tick: Duration::from_millis(flags.tick_ms),
        drain: Duration::from_secs(flags.drain_s),
        ..defaults
    };
    config.check()?;
    let named = || format!("--bind {}", flags.bind);
    let listener = socket::listen(flags.bind, &config).with_context(named)?;
    let addr = listener.local_addr().with_context(named)?;
    let listener = TcpListener::from_std(listener).with_context(named)?;
    // Before the address is printed: its reader may send a signal at once.
    let stop = stop_signal()?;
    // The only line on stdout: a caller that chose port 0 reads the address from it.
    writeln!(std::io::stdout(), "listening on http://{addr}").context("cannot write to stdout")?;
    let report = server::serve(listener, config, stop).await?;
    tracing::info!(
        connections = report.counters.connections_total,
        messages = report.counters.messages_in,
        drained = report.drained,
        "stopped"
    );
    Ok(report.drained)
}

/// Resolves at the first SIGTERM or SIGINT. A later one ends the process at once.
fn stop_signal() -> anyhow::Result<impl Future<Output = ()>> {
    let mut terminate = signal(SignalKind::terminate()).context("cannot handle SIGTERM")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("cannot handle SIGINT")?;
    Ok(async move {
        tokio::select! { _ = terminate.recv() => {}, _ = interrupt.recv() => {} }
        tracing::info!("draining; a second signal ends the server at once");
        tokio::spawn(async move {
            tokio::select! { _ = terminate.recv() => {}, _ = interrupt.recv() => {} }
            tracing::warn!("ended by a second signal");
            std::process::exit(1);
        });
    })
}
