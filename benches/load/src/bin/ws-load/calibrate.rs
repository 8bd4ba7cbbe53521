use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use bench_kit::client::Client;
use bench_kit::payload::{Exchange, Kind};
use bench_kit::process_clock::ProcessClock;
use bench_kit::statistics::median;
use bench_kit::tcp_echo;
use load::own_target::OwnTarget;
use load::settings;
use load::signals::stop_on_signals;
use load_engine::problem::Problem;
use load_engine::run::run as perform;
use load_plan::model::Phase;
use load_plan::profile::Profile;
use load_plan::thresholds::Unit;

use bench_show::output::print;

#[derive(clap::Args)]
pub(crate) struct Args {
    /// Times that raw driver and generator take turns
    #[arg(long, value_name = "N", default_value_t = 5)]
    turns: usize,
}

/// Messages on their way at a time: connections, and messages on each.
const SHAPES: [(usize, usize); 3] = [(1, 1), (10, 1), (10, 16)];

/// Payload of a message, in bytes.
const BYTES: usize = 64;

/// One turn of the raw driver.
const TURN: Duration = Duration::from_secs(1);

/// What the generator costs, beside the blocking driver of the benches over raw TCP with the same messages on their way.
pub(crate) fn run(args: &Args) -> Result<ExitCode> {
    if args.turns == 0 {
        let words = "nothing to measure in 0 turns; try --turns 5";
        return Err(Problem::usage(words.to_owned()).into());
    }
    let stop = stop_on_signals()?;
    print(&format!(
        "{:<24}{:>12}{:>12}{:>8}{:>12}{:>10}{:>10}\n",
        "64 B, closed loop", "raw driver", "ws-load", "ratio", "messages/s", "ws-load", "server"
    ))?;
    for (connections, depth) in SHAPES {
        let mut turns = Vec::new();
        for _ in 0..args.turns {
            let raw_ns = raw(connections, depth)?;
            turns.push(generator(connections, depth, raw_ns, &stop)?);
        }
        let middle = |of: fn(&Turn) -> f64| {
            median(&turns.iter().map(of).collect::<Vec<_>>()).unwrap_or_default()
        };
        print(&format!(
            "{:<24}{:>12}{:>12}{:>8.2}{:>12}{:>9.0}%{:>9.0}%\n",
            format!("{connections} connections × {depth}"),
            Unit::Time.show(middle(|turn| turn.raw_ns)),
            Unit::Time.show(middle(|turn| turn.own_ns)),
            middle(|turn| turn.own_ns / turn.raw_ns),
            Unit::Count.show(middle(|turn| turn.per_s).round()),
            middle(|turn| turn.own_share) * 100.0,
            middle(|turn| turn.server_share) * 100.0,
        ))?;
    }
    print(
        "\nraw driver, ws-load: processor time a message; ratio: of the two, the middle of all turns.\n\
         ws-load, server: share of one processor while it ran.\n",
    )?;
    Ok(ExitCode::SUCCESS)
}

struct Turn {
    raw_ns: f64,
    own_ns: f64,
    per_s: f64,
    own_share: f64,
    server_share: f64,
}

/// Processor time of the driver's thread for a message, in nanoseconds.
fn raw(connections: usize, depth: usize) -> Result<f64> {
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

/// The same by the generator, against the server, each in its own process.
fn generator(
    connections: usize,
    depth: usize,
    raw_ns: f64,
    stop: &std::sync::atomic::AtomicBool,
) -> Result<Turn> {
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
    // The second in the middle is whole.
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
    let seconds = second.length_ns as f64 / 1e9;
    Ok(Turn {
        raw_ns,
        own_ns: second.generator_cpu * second.length_ns as f64 / messages,
        per_s: messages / seconds,
        own_share: second.generator_cpu,
        server_share,
    })
}

/// Processor time of this thread, in nanoseconds.
fn thread_ns() -> f64 {
    let clock = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    clock.tv_sec as f64 * 1e9 + clock.tv_nsec as f64
}
