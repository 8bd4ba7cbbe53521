//! The live page with a made-up run, for whoever wants to look at it or test it.
//!
//! `cargo run --package server --example live -- [ADDR [SPEED]]` prints where it listens; the run lasts a minute, or as
//! many times less. Each line on stdin is a state (`pass`, `fail`, `invalid`, `incomplete`, `interrupted`, or `running`
//! for a new run) or `quit`.

use std::collections::BTreeMap;
use std::io::Write;
use std::net::SocketAddr;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use server::Live;
use server::live::{Errors, Latency, Load, Mark, Phase, Stage, State, Threshold};

const EVERY: Duration = Duration::from_millis(250);

const SECOND: u64 = 1_000_000_000;

/// How long the made-up run is: two stages of a ramp and a hold.
const PLANNED: u64 = 60 * SECOND;
const PLAN: [(u64, &str, Phase); 5] = [
    (0, "ten", Phase::Ramp),
    (5, "ten", Phase::Hold),
    (25, "hundred", Phase::Ramp),
    (35, "hundred", Phase::WarmUp),
    (38, "hundred", Phase::Hold),
];

fn main() -> anyhow::Result<()> {
    let mut flags = std::env::args().skip(1);
    let addr = flags.next().unwrap_or_else(|| "127.0.0.1:0".to_owned());
    let addr: SocketAddr = addr.parse().context("an address is 127.0.0.1:9002")?;
    let speed = flags.next().unwrap_or_else(|| "1".to_owned());
    let speed: u32 = speed.parse().context("a speed is a whole number")?;
    let live = Live::start(addr)?;
    writeln!(std::io::stdout(), "listening on http://{}", live.addr())?;
    let words = words();
    let mut run = Run::start(1, speed);
    loop {
        run.publish(&live);
        match words.recv_timeout(EVERY / speed) {
            Err(RecvTimeoutError::Timeout) => {}
            Ok(word) if word != "quit" => run.hear(&word)?,
            Ok(_) | Err(RecvTimeoutError::Disconnected) => return Ok(live.stop()?),
        }
    }
}

/// The lines of stdin, from a thread that waits for them.
fn words() -> Receiver<String> {
    let (send, words) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        for line in std::io::stdin().lines().map_while(Result::ok) {
            if send.send(line.trim().to_owned()).is_err() {
                return;
            }
        }
    });
    words
}

struct Run {
    number: u32,
    speed: u32,
    started: Instant,
    state: State,
    /// Nanoseconds since the start.
    ended: Option<u64>,
}

impl Run {
    fn start(number: u32, speed: u32) -> Self {
        Self { number, speed, started: Instant::now(), state: State::Running, ended: None }
    }

    fn hear(&mut self, word: &str) -> anyhow::Result<()> {
        let state = match word {
            "running" => {
                *self = Self::start(self.number + 1, self.speed);
                return Ok(());
            }
            "pass" => State::Pass,
            "fail" => State::Fail,
            "invalid" => State::Invalid,
            "incomplete" => State::Incomplete,
            "interrupted" => State::Interrupted,
            _ => anyhow::bail!("{word} is no state; try pass, fail, invalid, running or quit"),
        };
        (self.ended, self.state) = (Some(self.elapsed()), state);
        Ok(())
    }

    fn elapsed(&self) -> u64 {
        let since = || u64::try_from((self.started.elapsed() * self.speed).as_nanos());
        self.ended.unwrap_or_else(|| since().unwrap_or(u64::MAX)).min(PLANNED)
    }

    fn publish(&self, live: &Live) {
        let elapsed_ns = self.elapsed();
        let seconds = elapsed_ns as f64 / SECOND as f64;
        let begun = PLAN.iter().take_while(|(at, ..)| at * SECOND <= elapsed_ns);
        let marks: Vec<_> =
            begun.map(|&(at, name, phase)| Mark { at_ns: at * SECOND, name, phase }).collect();
        let index = usize::from(marks.len() > 2);
        let stage = marks.last().map(|mark| Stage { index, name: mark.name, phase: mark.phase });
        let target = if index == 0 { 10.0 } else { 10.0 + 9.0 * (seconds - 25.0).min(10.0) };
        let offered = 50.0 * target;
        // Waves of different lengths, so that no two lines move alike.
        let wave = |length: f64| (seconds / length).sin();
        let p50 = 110_000.0 + 30_000.0 * wave(3.0) + 400.0 * target;
        let p99 = p50 * (4.0 + 2.0 * wave(5.0));
        let latency = Latency {
            p50_ns: p50 as u64,
            p95_ns: (p50 * (2.0 + 0.5 * wave(7.0))) as u64,
            p99_ns: p99 as u64,
            max_ns: (p99 * (3.0 + 2.0 * wave(1.3))) as u64,
        };
        // What fails has a reason to.
        let violated = self.state == State::Fail;
        let of_hundred =
            (index > 0).then_some(if violated { 800_000.0 } else { latency.p99_ns as f64 });
        let lost = (seconds as u64).saturating_sub(30) / 6;
        let reasons = match self.state {
            State::Running | State::Pass => vec![],
            State::Invalid => vec!["the generator was late: 12 ms at p99, 1 ms allowed".to_owned()],
            _ => vec!["latency_p99 is 0.8 ms, 0.6 ms allowed, first at 31 s".to_owned()],
        };
        live.publish(&Load {
            run_id: &format!("example-{}", self.number),
            profile: "example",
            url: "ws://127.0.0.1:9001/ws/echo",
            state: self.state,
            reasons: &reasons,
            elapsed_ns,
            planned_ns: PLANNED,
            stage,
            marks,
            judged: "rtt_intended",
            latency: Some(latency),
            thresholds: thresholds(latency, of_hundred, lost, offered),
            offered_per_s: Some(offered),
            achieved_per_s: offered * (0.985 + 0.01 * wave(2.0)),
            sent_mbps: offered * 512.0 / 1e6,
            received_mbps: offered * 505.0 / 1e6,
            open: (target * (0.97 + 0.03 * wave(0.7))) as u64,
            target: target as u64,
            errors: Errors { total: lost, by_kind: BTreeMap::from([("lost", lost)]) },
            backpressure_events: lost / 2,
            lag_p99_ns: Some((60_000.0 + 25_000.0 * wave(4.0)) as u64),
            generator_cpu: 0.12 + target / 400.0 + 0.02 * wave(1.0),
        });
    }
}

fn thresholds(
    latency: Latency,
    of_hundred: Option<f64>,
    lost: u64,
    offered: f64,
) -> Vec<Threshold<'static>> {
    let below = |metric, stage, unit, limit: f64, value: Option<f64>| Threshold {
        metric,
        stage,
        op: "<",
        limit,
        unit,
        value,
        margin: value.map(|value| (limit - value) / limit),
        met: value.map(|value| value < limit),
    };
    vec![
        below("latency_p50", None, "ns", 250_000.0, Some(latency.p50_ns as f64)),
        below("latency_p99", None, "ns", 10_000_000.0, Some(latency.p99_ns as f64)),
        below("latency_max", None, "ns", 10_000_000.0, Some(latency.max_ns as f64)),
        below("latency_p99", Some("hundred"), "ns", 600_000.0, of_hundred),
        below("errors", None, "share", 0.01, Some(lost as f64 / 2_000.0)),
        below("remaining_blocks", None, "count", 1.0, None),
        Threshold {
            metric: "messages_rate",
            stage: None,
            op: ">=",
            limit: 400.0,
            unit: "per_s",
            value: Some(offered),
            margin: Some((offered - 400.0) / 400.0),
            met: Some(offered >= 400.0),
        },
    ]
}
