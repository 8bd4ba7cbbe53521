//! What `ws-load` costs per message: its processor time beside that of the blocking driver over raw TCP, with as many
//! messages on their way.

use std::process::ExitCode;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use bench_kit::client::Client;
use bench_kit::payload::{Exchange, Kind};
use bench_kit::process_clock::ProcessClock;
use bench_kit::statistics::median;
use bench_kit::tcp_echo;
use bench_show::output::print;
use load::own_target::OwnTarget;
use load::settings;
use load::signals::stop_on_signals;
use load_engine::problem::Problem;
use load_engine::run::run as perform;
use load_plan::model::Phase;
use load_plan::profile::Profile;
use load_plan::thresholds::Unit;

#[derive(clap::Args)]
pub(crate) struct Args {
    /// Turns of the raw driver and the generator
    #[arg(long, value_name = "N", default_value_t = 5)]
    turns: usize,
}

/// Connections, and messages on their way on each.
const SHAPES: [(usize, usize); 3] = [(1, 1), (10, 1), (10, 16)];

/// Payload of a message, in bytes.
const BYTES: usize = 64;

/// Duration of a turn of the raw driver.
const TURN: Duration = Duration::from_secs(1);

pub(crate) fn run(args: &Args) -> Result<ExitCode> {
    if args.turns == 0 {
        return Err(Problem::usage("--turns must be at least 1; try --turns 5".to_owned()).into());
    }
    let stop = stop_on_signals()?;
    print(&format!(
        "{:<24}{:>12}{:>12}{:>8}{:>12}{:>10}{:>10}\n",
        "64 B, closed loop", "raw driver", "ws-load", "ratio", "messages/s", "ws-load", "server"
    ))?;
    for (connections, depth) in SHAPES {
        let mut turns = Vec::new();
        for _ in 0..args.turns {
            let raw_ns = raw_driver_ns(connections, depth)?;
            turns.push((raw_ns, generator(connections, depth, &stop)?));
        }
        print(&line(connections, depth, &turns))?;
    }
    print(
        "\nraw driver, ws-load: processor time per message; ratio: the median of the turns' ratios.\n\
         ws-load, server: share of one processor during the turn.\n",
    )?;
    Ok(ExitCode::SUCCESS)
}

/// A turn of the generator.
struct Turn {
    /// Processor time per message.
    own_ns: f64,
    messages_per_s: f64,
    own_share: f64,
    server_share: f64,
}

/// A line of the table; `turns` are those of the raw driver, in nanoseconds per message, and of the generator.
fn line(connections: usize, depth: usize, turns: &[(f64, Turn)]) -> String {
    let middle = |of: fn(&(f64, Turn)) -> f64| {
        median(&turns.iter().map(of).collect::<Vec<_>>()).unwrap_or_default()
    };
    format!(
        "{:<24}{:>12}{:>12}{:>8.2}{:>12}{:>9.0}%{:>9.0}%\n",
        format!("{connections} connections × {depth}"),
        Unit::Time.show(middle(|(raw_ns, _)| *raw_ns)),
        Unit::Time.show(middle(|(_, turn)| turn.own_ns)),
        middle(|(raw_ns, turn)| turn.own_ns / raw_ns),
        Unit::Count.show(middle(|(_, turn)| turn.messages_per_s).round()),
        middle(|(_, turn)| turn.own_share) * 100.0,
        middle(|(_, turn)| turn.server_share) * 100.0,
    )
}

/// Processor time of the raw driver's thread per message, in nanoseconds.
fn raw_driver_ns(connections: usize, depth: usize) -> Result<f64> {
    let server = tcp_echo::start()?;
    let mut clients =
        (0..connections).map(|_| Client::connect(server.addr())).collect::<Result<Vec<_>>>()?;
    let Exchange { out, answer } = Exchange::tcp(Kind::Text, BYTES).pipelined(depth);
    let (begin, used) = (Instant::now(), thread_ns());
    let mut messages = 0;
    while begin.elapsed() < TURN {
        for client in &mut clients {
            client.send(&out)?;
        }
        for client in &mut clients {
            client.expect(&answer)?;
        }
        messages += connections * depth;
    }
    let spent = thread_ns() - used;
    drop(clients);
    server.stop()?;
    Ok(spent / messages as f64)
}

/// The generator's turn against the server, which has a process of its own.
fn generator(connections: usize, depth: usize, stop: &AtomicBool) -> Result<Turn> {
    let profile = Profile::parse(
        &format!(
            "name = \"calibrate\"\n[traffic]\npace = {{ closed = {{ depth = {depth} }} }}\nsizes = [{{ bytes = {BYTES} }}]\n\
             [[stage]]\nconnections = {connections}\nhold = \"4s\"\n[thresholds]\nlost = \"== 0\"\n"
        ),
        "calibrate",
    )?;
    let own = OwnTarget::start()?;
    let clock = ProcessClock::of_group(own.pid())?;
    let settings = settings::whole(profile, own.url().to_owned());
    let mut server = Vec::new();
    let run = perform(&settings, stop, &mut |_| {
        server.push((Instant::now(), clock.read().unwrap_or_default()));
    })?;
    // The first and the last second of a hold may be cut short; the second one is whole.
    let second = run.intervals.iter().find(|one| one.phase == Phase::Hold && one.second == 1);
    let second = second.context("the run was too short")?;
    let messages = second.sample.counts.received as f64;
    ensure!(messages > 0.0, "no message came back");
    let server_share = match server[..] {
        [_, (from, used), (to, spent), ..] => {
            spent.saturating_sub(used).as_secs_f64() / (to - from).as_secs_f64()
        }
        _ => 0.0,
    };
    Ok(Turn {
        own_ns: second.generator_cpu * second.length_ns as f64 / messages,
        messages_per_s: messages / (second.length_ns as f64 / 1e9),
        own_share: second.generator_cpu,
        server_share,
    })
}

/// Processor time of this thread, in nanoseconds.
fn thread_ns() -> f64 {
    let clock = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    clock.tv_sec as f64 * 1e9 + clock.tv_nsec as f64
}
