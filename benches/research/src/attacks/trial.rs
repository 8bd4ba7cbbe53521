//! One attack, with clients beside it and beside a server that is not attacked.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use bench_kit::statistics::{hodges_lehmann, median, walsh_interval};
use load_plan::thresholds::Unit;

use super::attackers::Attackers;
use super::honest::{Honest, Trip};
use super::kinds::{Attack, Due, Pace};
use super::target::{Metrics, Target};
use super::{Args, Row};
use crate::answer::Answer;

/// Time between two messages of a client that keeps the rules.
const PACE: Duration = Duration::from_millis(50);

/// Medians are compared over blocks of this length.
const BLOCK: Duration = Duration::from_millis(100);

/// Fewest blocks that are compared: so many are needed for an interval.
const FEWEST: u32 = 6;

/// Latency of a block in which no message came back.
const STALLED: Duration = Duration::from_secs(10);

/// Level of the confidence interval of the ratio.
const CONFIDENCE: f64 = 0.95;

/// What a limit of the server may be exceeded by: the timers of 1 000 peers, and the look that sees them gone.
const GRACE: Duration = Duration::from_secs(2);

/// Longest wait for the end of connections whose peers have left.
const LEAVING: Duration = Duration::from_secs(10);

pub(super) fn run(attack: &Arc<Attack>, args: &Args) -> Result<Row> {
    let mut problems = Vec::new();
    let [mut attacked, control] = [Target::start(&args.server)?, Target::start(&args.server)?];
    for target in [&attacked, &control] {
        // What a server makes once is made now.
        Honest::start(target.addr, args.clients, PACE)?.stop()?;
    }
    let held_before = attacked.held()?;
    let clients =
        [&attacked, &control].map(|target| Honest::start(target.addr, args.clients, PACE));
    let [at_attacked, at_control] = clients;
    let (at_attacked, at_control) = (at_attacked?, at_control?);
    let honest = u64::from(args.clients);
    let (beside, _) = attacked.until_open(honest, LEAVING)?;

    let mut since = Instant::now();
    let attackers =
        Attackers::start(attack, attacked.addr).map_err(|error| attacked.blame(error))?;
    let begin = Instant::now();
    if matches!(attack.pace, Pace::Reset) {
        attackers.come_back(attack.sockets);
    }
    // By then every buffer of a peer that never reads is full.
    std::thread::sleep(Duration::from_secs(2));
    let during = attacked.metrics()?;
    let kernel = attacked.kernel_bytes()?;
    let sockets = attack.sockets as u64;
    let each = |bytes: u64| bytes / sockets;
    let memory = [each(during.resident()?.saturating_sub(beside.resident()?)), each(kernel)];
    let connected = |metrics: &Metrics| {
        metrics.get("ws_connections_open").map(|open| open.saturating_sub(honest + 1))
    };
    if let Some(most) = attack.most_bytes {
        let there = connected(&during)?;
        if there < sockets {
            problems.push(format!("memory not measured: {there} of {sockets} are connected"));
        } else if memory[0] + memory[1] > most {
            problems.push(format!("{} bytes of memory for each attacker", memory[0] + memory[1]));
        }
    }
    let mut gone = String::new();
    let mut sent = 0;
    if let Due::Dropped { within, kinds } = attack.due {
        let (after, when) = attacked.until_open(honest, within + GRACE)?;
        let open = connected(&after)?;
        let took = begin.elapsed();
        match when {
            Some(_) => gone = format!(", gone after {:.1} s", took.as_secs_f64()),
            None => problems.push(format!("{open} of {sockets} still connected after {took:.1?}")),
        }
        let counted: u64 = kinds.iter().map(|kind| after.errors(kind) - beside.errors(kind)).sum();
        if counted != sockets {
            problems.push(format!("{counted} of {sockets} counted as {}", kinds.join(" or ")));
        }
        // Latencies are compared in a second wave: attackers that are dropped at once are none for most of the first.
        sent = attackers.sent();
        since = Instant::now();
        attackers.come_back(attack.sockets);
    }
    let time = Duration::from_secs(args.seconds);
    std::thread::sleep((since + time).saturating_duration_since(Instant::now()));
    let window = [since, Instant::now()];
    let there = connected(&attacked.metrics()?)?;
    if matches!((&attack.due, attack.pace), (Due::Kept, Pace::Endless)) && there < sockets {
        problems.push(format!("{} of {sockets} that break no rule were dropped", sockets - there));
    }
    let (sent, back) = (attackers.sent() - sent, attackers.came_back());
    problems.extend(attack.absent(sent, back));
    attackers.stop()?;
    let trips = at_attacked.stop();
    let control_trips = at_control.stop().context("at the server that is not attacked")?;
    let trips = match trips {
        Ok(trips) => trips,
        Err(error) => {
            problems.push(format!("{error:#}"));
            Vec::new()
        }
    };
    let [[blocks_before, descriptors_before], [blocks, descriptors]] =
        [held_before, attacked.held()?];
    // A server makes a few things once, as for its first error. What is left of each attacker is a leak; the allocation
    // scenarios say so to the block.
    let left = blocks.saturating_sub(blocks_before);
    if left >= sockets || descriptors != descriptors_before {
        problems.push(format!(
            "{left} blocks more than before, {descriptors} descriptors where there were {descriptors_before}"
        ));
    }
    let (answer, ratio) =
        compare(&medians(&trips, window), &medians(&control_trips, window), args.within / 100.0);
    let words = format!(
        "{ratio}; {sockets} attackers{gone}, then {back} connections and {} KiB, {} + {} bytes of memory and kernel each, {left} blocks left",
        sent / 1024,
        memory[0],
        memory[1],
    );
    Ok(Row { name: attack.name, answer, words, problems })
}

/// The median latency of each block of the window, in nanoseconds; none for a block in which no message was due.
fn medians(trips: &[Trip], [begin, end]: [Instant; 2]) -> Vec<Option<f64>> {
    let blocks = ((end - begin).as_nanos() / BLOCK.as_nanos()) as usize;
    let mut took = vec![Vec::new(); blocks];
    for trip in trips {
        let Some(since) = trip.due.checked_duration_since(begin) else { continue };
        if let Some(block) = took.get_mut((since.as_nanos() / BLOCK.as_nanos()) as usize) {
            block.push(trip.took.as_nanos() as f64);
        }
    }
    took.iter().map(|took| median(took)).collect()
}

/// Pairs the blocks of both servers. A block without an echo of the attacked server counts as [`STALLED`].
fn compare(attacked: &[Option<f64>], control: &[Option<f64>], within: f64) -> (Answer, String) {
    let blocks = attacked.iter().zip(control);
    let paired = blocks.filter_map(|(a, b)| Some((a.unwrap_or(STALLED.as_nanos() as f64), (*b)?)));
    let (attacked, control): (Vec<f64>, Vec<f64>) = paired.unzip();
    let ratios: Vec<f64> = attacked.iter().zip(&control).map(|(a, b)| (a / b).ln()).collect();
    let enough = ratios.len() >= FEWEST as usize;
    let (true, Some(ratio), Some(interval)) =
        (enough, hodges_lehmann(&ratios), walsh_interval(&ratios, CONFIDENCE))
    else {
        return (Answer::TooNoisy, format!("only {} blocks with messages", ratios.len()));
    };
    let [a, b] = [&attacked, &control]
        .map(|side| median(side).map_or_else(String::new, |ns| Unit::Time.show(ns)));
    let [ratio, low, high] = [ratio, interval.low, interval.high].map(f64::exp);
    let words = format!("p50 {a}, {b} without: {ratio:.2} ({low:.2} to {high:.2})");
    (Answer::of(&interval, within), words)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: f64 = 1e6;

    fn answer(attacked: &[Option<f64>], control: &[Option<f64>]) -> Answer {
        compare(attacked, control, 0.3).0
    }

    #[test]
    fn equal_latencies_hold_and_doubled_ones_do_not() {
        let control: Vec<_> =
            (0..20).map(|block| Some(MS * (1.0 + 0.01 * f64::from(block)))).collect();
        let doubled: Vec<_> = control.iter().map(|ns| ns.map(|ns| ns * 2.0)).collect();
        assert_eq!(answer(&control, &control), Answer::Within);
        assert_eq!(answer(&doubled, &control), Answer::Beyond);
    }

    #[test]
    fn a_server_that_stops_to_answer_does_not_hold() {
        let control = vec![Some(MS); 20];
        let stalls: Vec<_> = (0..20).map(|block| (block < 8).then_some(MS)).collect();
        assert_eq!(answer(&stalls, &control), Answer::Beyond);
    }

    #[test]
    fn without_messages_there_is_no_answer() {
        assert_eq!(answer(&[], &[]), Answer::TooNoisy);
        assert_eq!(answer(&[Some(MS); 20], &[None; 20]), Answer::TooNoisy);
        assert_eq!(answer(&[Some(MS); 3], &[Some(MS); 3]), Answer::TooNoisy);
    }

    #[test]
    fn a_message_belongs_to_the_block_in_which_it_was_due() {
        let begin = Instant::now();
        let trip = |due_ms, took_ms| Trip {
            due: begin + Duration::from_millis(due_ms),
            took: Duration::from_millis(took_ms),
        };
        let trips = [trip(0, 1), trip(99, 3), trip(99, 2), trip(250, 500), trip(300, 1)];
        let found = medians(&trips, [begin, begin + 3 * BLOCK]);
        assert_eq!(found, [Some(2.0 * MS), None, Some(500.0 * MS)]);
    }
}
