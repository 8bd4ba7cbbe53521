//! `ws-server`: serves an address until a signal stops it.

mod systemd;

use std::io::Write;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use clap::builder::RangedU64ValueParser;
use clap::{Parser, value_parser};
use server::access::{HostName, Origin, Token};
use server::{Access, Config, socket};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::Layer as _;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

#[global_allocator]
static ALLOCATOR: server::allocations::Counting = server::allocations::Counting;

const DEFAULT_BIND: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 9001);

/// A WebSocket echo and dashboard server.
///
/// Echo on /ws/echo, live numbers on / and /ws/dashboard, OpenMetrics on /metrics. SIGTERM or SIGINT drains it; a
/// second signal ends it at once. Logs go to stderr, filtered by RUST_LOG.
#[derive(Debug, Parser)]
#[command(name = "ws-server", version, max_term_width = 80)]
struct Flags {
    /// Address to listen on; port 0 takes a free port, and the first line of output names it. A socket that systemd
    /// passes is served instead [default: 127.0.0.1:9001]
    #[arg(long, value_name = "ADDR:PORT")]
    bind: Option<SocketAddr>,

    /// Open connections beyond which requests are answered with 503 [default: 10000, or 0.8 of the descriptor limit]
    #[arg(long, value_name = "N", value_parser = RangedU64ValueParser::<usize>::new().range(1..))]
    max_connections: Option<usize>,

    /// Longest message and longest frame of an echo client, in bytes; at most 16777216 (16 MiB)
    #[arg(long, value_name = "BYTES", default_value_t = Config::default().max_message)]
    #[arg(value_parser = RangedU64ValueParser::<usize>::new().range(125..=16_777_216))]
    max_message: usize,

    /// Milliseconds between two dashboard snapshots
    #[arg(long, value_name = "MS", default_value_t = 250, value_parser = value_parser!(u64).range(1..))]
    tick_ms: u64,

    /// Longest wait, in seconds, for connections to end on SIGTERM
    #[arg(long, value_name = "S", default_value_t = 10)]
    drain_s: u64,

    /// Let pages of this origin connect: https://host or https://host:port; repeatable
    #[arg(long, value_name = "ORIGIN")]
    allow_origin: Vec<Origin>,

    /// Answer requests to this host, beside loopback names, the bound address and hosts of allowed origins; repeatable
    #[arg(long, value_name = "HOST")]
    allow_host: Vec<HostName>,

    /// Demand the token in this file of every client of /ws/*, /metrics and /history; make one with openssl rand -hex 16
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,

    /// Serve beyond loopback even without an allowed origin or a token
    #[arg(long)]
    insecure: bool,

    /// Threads that serve [default: one per processor]
    #[arg(long, value_name = "N", value_parser = RangedU64ValueParser::<usize>::new().range(1..))]
    workers: Option<usize>,
}

impl Flags {
    fn access(&self) -> anyhow::Result<Access> {
        let token = self.token_file.as_deref().map(Token::read).transpose();
        Ok(Access {
            origins: self.allow_origin.clone(),
            hosts: self.allow_host.clone(),
            token: token.context("--token-file")?,
            insecure: self.insecure,
        })
    }
}

fn main() -> ExitCode {
    let flags = match Flags::try_parse() {
        Ok(flags) => flags,
        Err(error) if !error.use_stderr() => error.exit(),
        Err(error) => {
            eprintln!("{}", one_line(&error.to_string()));
            return ExitCode::from(2);
        }
    };
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

/// The text of an error of clap in one line, with what to type.
fn one_line(error: &str) -> String {
    let said = error.split("\n\nUsage:").next().unwrap_or_default();
    let said = said.split("\n\nFor more information").next().unwrap_or_default();
    let lines = said.lines().map(str::trim).filter(|line| !line.is_empty());
    let lines = lines.filter(|line| !line.starts_with("tip: to pass"));
    let line = lines.collect::<Vec<_>>().join("; ");
    format!("{line}; ws-server --help says what to write")
}

fn run(flags: &Flags) -> anyhow::Result<bool> {
    let mut builder = match flags.workers {
        Some(1) => tokio::runtime::Builder::new_current_thread(),
        _ => tokio::runtime::Builder::new_multi_thread(),
    };
    if let Some(workers) = flags.workers.filter(|workers| *workers > 1) {
        builder.worker_threads(workers);
    }
    builder.enable_all().build().context("cannot start the runtime")?.block_on(serve(flags))
}

/// Serves until a signal. Returns whether the drain ended within its time.
async fn serve(flags: &Flags) -> anyhow::Result<bool> {
    let defaults = Config::default();
    let config = Config {
        max_connections: flags.max_connections.unwrap_or(defaults.max_connections),
        max_message: flags.max_message,
        tick: Duration::from_millis(flags.tick_ms),
        drain: Duration::from_secs(flags.drain_s),
        access: flags.access()?,
        ..defaults
    };
    let watchdog = systemd::watchdog(config.tick)?;
    let context = server::Context::new(config.clone())?;
    let listener = listen(flags.bind, &config)?;
    let addr = listener.local_addr().context("a listening socket has no address")?;
    config.access.check_bind(addr)?;
    if let Some(missing) = config.access.lacks(addr.ip()) {
        tracing::warn!("everyone who reaches {addr} may use this server: it has no {missing}");
    }
    let listener =
        TcpListener::from_std(listener).context("the runtime does not take the socket")?;
    // Before the address is printed: its reader may send a signal at once.
    let stop = stop_signal()?;
    // The only line on stdout: a caller that chose port 0 reads the address from it.
    writeln!(std::io::stdout(), "listening on http://{addr}").context("cannot write to stdout")?;
    systemd::ready(&format!("serving http://{addr}"));
    if let Some(within) = watchdog {
        let context = Arc::clone(&context);
        tokio::spawn(async move { systemd::feed_watchdog(within, &context).await });
    }
    let report = server::serve_wrapped(listener, context, stop, |stream| stream).await?;
    let ended = match (report.drained, report.dropped) {
        (true, 0) => "stopped",
        (true, _) => "stopped; peers that did not end their connections were dropped",
        (false, _) => "stopped; the drain ran out of time",
    };
    let (connections, messages) = (report.counters.connections_total, report.counters.messages_in);
    let (drained, dropped) = (report.drained, report.dropped);
    tracing::info!(connections, messages, drained, dropped, "{ended}");
    Ok(report.drained)
}

/// The socket that a service manager passed. Without one, a new one at `bind` or the default address.
fn listen(bind: Option<SocketAddr>, config: &Config) -> anyhow::Result<std::net::TcpListener> {
    let Some(passed) = systemd::passed_socket()? else {
        let addr = bind.unwrap_or(DEFAULT_BIND);
        return socket::listen(addr, config).with_context(|| format!("--bind {addr}"));
    };
    if let Some(bind) = bind {
        tracing::warn!("a socket was passed: --bind {bind} is ignored");
    }
    socket::prepare(&passed, config)
        .context("cannot set the options of the passed socket; use ListenStream=ADDRESS:PORT")?;
    Ok(passed)
}

/// Resolves at the first SIGTERM or SIGINT. A later one ends the process at once.
fn stop_signal() -> anyhow::Result<impl Future<Output = ()>> {
    let mut terminate = signal(SignalKind::terminate()).context("cannot handle SIGTERM")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("cannot handle SIGINT")?;
    Ok(async move {
        tokio::select! { _ = terminate.recv() => {}, _ = interrupt.recv() => {} }
        tracing::info!("draining; a second signal ends the server at once");
        systemd::stopping("draining: waiting for open connections to end");
        tokio::spawn(async move {
            tokio::select! { _ = terminate.recv() => {}, _ = interrupt.recv() => {} }
            tracing::warn!("ended by a second signal");
            std::process::exit(1);
        });
    })
}
