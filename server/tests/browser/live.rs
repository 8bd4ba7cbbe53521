//! The live page with a made-up run, to look at it or to test it.
//!
//! `cargo run --package server --example live -- [ADDR [SPEED [TOKEN_FILE]]]` prints where it listens. The run lasts a minute
//! divided by the speed. Each line on stdin is a state (`pass`, `fail`, `invalid`, `incomplete`, `interrupted`, or
//! `running` for a new run) or `quit`.

use std::io::Write;
use std::net::SocketAddr;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use serde_json::{Value, json};
use server::access::Token;
use server::live::Point;
use server::{Access, LivePage};

const EVERY: Duration = Duration::from_millis(250);

const SECOND: u64 = 1_000_000_000;

/// The length of the run: two stages with a ramp and a hold each.
const PLANNED: u64 = 60 * SECOND;
const PLAN: [(u64, &str, &str); 5] = [
    (0, "ten", "ramp"),
    (5, "ten", "hold"),
    (25, "hundred", "ramp"),
    (35, "hundred", "warm_up"),
    (38, "hundred", "hold"),
];

/// The page's series, and where in [`Run::message`] their values are.
const SERIES: [(&str, &str); 14] = [
    ("p50", "/latency/p50_ns"),
    ("p95", "/latency/p95_ns"),
    ("p99", "/latency/p99_ns"),
    ("max", "/latency/max_ns"),
    ("offered", "/offered_per_s"),
    ("achieved", "/achieved_per_s"),
    ("target", "/target"),
    ("open", "/open"),
    ("sent", "/sent_mbps"),
    ("received", "/received_mbps"),
    ("lag", "/lag_p99_ns"),
    ("cpu", "/generator_cpu"),
    ("errors", "/errors/total"),
    ("backpressure", "/backpressure_events"),
];

/// The series that are rates of a count.
const RATES: std::ops::Range<usize> = 12..14;

fn main() -> anyhow::Result<()> {
    let mut flags = std::env::args().skip(1);
    let addr = flags.next().unwrap_or_else(|| "127.0.0.1:0".to_owned());
    let addr: SocketAddr = addr.parse().context("ADDR must look like 127.0.0.1:9002")?;
    let speed = flags.next().unwrap_or_else(|| "1".to_owned());
    let speed: u32 = speed.parse().context("SPEED must be a whole number")?;
    let token = flags.next().map(|file| Token::read(file.as_ref())).transpose()?;
    let access = Access { token, ..Access::default() };
    let live = LivePage::start(addr, SERIES.map(|(name, _)| name).to_vec().leak(), access)?;
    writeln!(std::io::stdout(), "listening on http://{}", live.addr())?;
    let lines = lines();
    let mut run = Run::start(1, speed);
    loop {
        run.publish(&live);
        match lines.recv_timeout(EVERY / speed) {
            Err(RecvTimeoutError::Timeout) => {}
            Ok(line) if line != "quit" => run.obey(&line)?,
            Ok(_) | Err(RecvTimeoutError::Disconnected) => return Ok(live.stop().map(drop)?),
        }
    }
}

/// The lines of stdin, read by a thread.
fn lines() -> Receiver<String> {
    let (send, lines) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        for line in std::io::stdin().lines().map_while(Result::ok) {
            if send.send(line.trim().to_owned()).is_err() {
                return;
            }
        }
    });
    lines
}

struct Run {
    id: String,
    number: u32,
    speed: u32,
    started: Instant,
    state: String,
    /// Nanoseconds since the start.
    ended: Option<u64>,
    /// The time and the numbers of the last point.
    last: Option<(f64, [f64; SERIES.len()])>,
}

impl Run {
    fn start(number: u32, speed: u32) -> Self {
        Self {
            id: format!("example-{number}"),
            number,
            speed,
            started: Instant::now(),
            state: "running".to_owned(),
            ended: None,
            last: None,
        }
    }

    fn obey(&mut self, line: &str) -> anyhow::Result<()> {
        match line {
            "running" => *self = Self::start(self.number + 1, self.speed),
            "pass" | "fail" | "invalid" | "incomplete" | "interrupted" => {
                (self.ended, self.state) = (Some(self.elapsed()), line.to_owned());
            }
            _ => anyhow::bail!("unknown state {line}; try pass, fail, invalid, running or quit"),
        }
        Ok(())
    }

    fn elapsed(&self) -> u64 {
        let since = || u64::try_from((self.started.elapsed() * self.speed).as_nanos());
        self.ended.unwrap_or_else(|| since().unwrap_or(u64::MAX)).min(PLANNED)
    }

    fn publish(&mut self, live: &LivePage) {
        let elapsed_ns = self.elapsed();
        let message = self.message(elapsed_ns);
        if self.state != "running" {
            return live.publish(&message, None);
        }
        let seconds = elapsed_ns as f64 / SECOND as f64;
        let number = |path| message.pointer(path).and_then(Value::as_f64).unwrap_or(f64::NAN);
        let now = SERIES.map(|(_, path)| number(path));
        let mut values = now.map(|value| value as f32);
        let (then, before) = self.last.replace((seconds, now)).unwrap_or((0.0, [f64::NAN; 14]));
        for at in RATES {
            values[at] = ((now[at] - before[at]) / (seconds - then)) as f32;
        }
        live.publish(&message, Some(Point { run_id: &self.id, seconds, values: &values }));
    }

    fn message(&self, elapsed_ns: u64) -> Value {
        let seconds = elapsed_ns as f64 / SECOND as f64;
        let begun = PLAN.iter().take_while(|(at, ..)| at * SECOND <= elapsed_ns);
        let marks: Vec<_> = begun
            .map(|(at, name, phase)| json!({ "at_ns": at * SECOND, "name": name, "phase": phase }))
            .collect();
        let index = usize::from(marks.len() > 2);
        let (_, name, phase) = PLAN[marks.len() - 1];
        let target = if index == 0 { 10.0 } else { 10.0 + 9.0 * (seconds - 25.0).min(10.0) };
        let offered = 50.0 * target;
        // Waves of different lengths, so that no two lines move alike.
        let wave = |length: f64| (seconds / length).sin();
        let p50 = 110_000.0 + 30_000.0 * wave(3.0) + 400.0 * target;
        let p99 = p50 * (4.0 + 2.0 * wave(5.0));
        let max = p99 * (3.0 + 2.0 * wave(1.3));
        let lost = (seconds as u64).saturating_sub(30) / 6;
        // A run that fails has a violated threshold.
        let violated = self.state == "fail";
        let p99_of_hundred = (index > 0).then_some(if violated { 800_000.0 } else { p99 });
        let reasons = match self.state.as_str() {
            "running" | "pass" => vec![],
            "invalid" => vec!["the generator was late: 12 ms at p99, 1 ms allowed"],
            _ => vec!["latency_p99 is 0.8 ms, 0.6 ms allowed, first at 31 s"],
        };
        json!({
            "view": "load",
            "run_id": self.id,
            "profile": "example",
            "url": "ws://127.0.0.1:9001/ws/echo",
            "state": self.state,
            "reasons": reasons,
            "elapsed_ns": elapsed_ns,
            "planned_ns": PLANNED,
            "stage": { "index": index, "name": name, "phase": phase },
            "marks": marks,
            "judged": "rtt_intended",
            "latency": {
                "p50_ns": p50 as u64,
                "p95_ns": (p50 * (2.0 + 0.5 * wave(7.0))) as u64,
                "p99_ns": p99 as u64,
                "max_ns": max as u64,
            },
            "thresholds": [
                limit("latency_p50", None, "<", 250_000.0, "ns", Some(p50)),
                limit("latency_p99", None, "<", 10_000_000.0, "ns", Some(p99)),
                limit("latency_max", None, "<", 10_000_000.0, "ns", Some(max)),
                limit("latency_p99", Some("hundred"), "<", 600_000.0, "ns", p99_of_hundred),
                limit("errors", None, "<", 0.01, "share", Some(lost as f64 / 2_000.0)),
                limit("remaining_blocks", None, "<", 1.0, "count", None),
                limit("messages_rate", None, ">=", 400.0, "per_s", Some(offered)),
            ],
            "offered_per_s": offered,
            "achieved_per_s": offered * (0.985 + 0.01 * wave(2.0)),
            "sent_mbps": offered * 512.0 / 1e6,
            "received_mbps": offered * 505.0 / 1e6,
            "sent": (seconds * 1000.0) as u64,
            "opened": target as u64,
            "open": (target * (0.97 + 0.03 * wave(0.7))) as u64,
            "target": target as u64,
            "errors": { "total": lost, "by_kind": { "lost": lost } },
            "backpressure_events": lost / 2,
            "lag_p99_ns": (60_000.0 + 25_000.0 * wave(4.0)) as u64,
            "generator_cpu": 0.12 + target / 400.0 + 0.02 * wave(1.0),
        })
    }
}

fn limit(
    metric: &str,
    stage: Option<&str>,
    op: &str,
    limit: f64,
    unit: &str,
    value: Option<f64>,
) -> Value {
    let left = value.map(|value| if op == "<" { limit - value } else { value - limit });
    json!({
        "metric": metric, "stage": stage, "op": op, "limit": limit, "unit": unit, "value": value,
        "margin": left.map(|left| left / limit),
        "met": left.map(|left| left > 0.0),
    })
}
