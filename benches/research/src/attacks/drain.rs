//! The end of a server under all attacks at once.

use std::io::{Read, Write};
use std::net::SocketAddr;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, ensure};
use bench_kit::client::Client;
use bench_kit::payload::Kind;
use server::{Config, Embedded};

use super::attackers::Attackers;
use super::kinds::Attack;
use super::target::{Fault, Target, ends_within};
use super::watched::Book;
use super::{Args, Row};
use crate::answer::Answer;

pub(super) const NAME: &str = "drain";

/// Clients that keep the rules, and the time between two messages of each.
const CLIENTS: u64 = 100;
const PACE: Duration = Duration::from_millis(10);

/// Peers of each attack.
const OF_EACH: usize = 10;

/// Longest time from the signal to the end.
const WITHIN: Duration = Duration::from_secs(6);

/// Time under attack before the drain.
const BEFORE: Duration = Duration::from_secs(2);

/// Bytes of a message.
const BYTES: usize = 64;

/// What a client saw until the server closed the connection.
struct Seen {
    port: u16,
    echoes: u64,
    code: u16,
}

/// A process is ended by SIGTERM; then a server of this process is ended, every byte of which is counted.
pub(super) fn run(attacks: &[Arc<Attack>], args: &Args) -> Result<Row> {
    let mut problems = Vec::new();
    let mut target = Target::start(&args.server)?;
    let (clients, attackers) =
        under_attack(attacks, target.addr, &mut problems).map_err(|error| target.blame(error))?;
    let ended = target.terminate(WITHIN * 2)?;
    if ended.code != Some(0) || ended.after > WITHIN {
        problems.push(format!(
            "exit code {:?} after {:.2?}: {}",
            ended.code,
            ended.after,
            ended.said.trim_end()
        ));
    }
    judge(clients, attackers, |_| None, &mut problems)?;

    let book = Arc::new(Book::default());
    let theirs = Arc::clone(&book);
    let server = Embedded::start_wrapped(Config::default(), move |stream| theirs.watch(stream))?;
    let here = || Fault("the attacked server of this process".to_owned());
    let (clients, attackers) =
        under_attack(attacks, server.addr(), &mut problems).with_context(here)?;
    let begin = Instant::now();
    let end = std::thread::spawn(move || server.stop());
    if !ends_within(WITHIN * 2, &end) {
        // Its clients would not end either.
        problems.push(format!("a server of this process has not ended after {:?}", WITHIN * 2));
        let words = "not ended".to_owned();
        return Ok(Row { name: NAME, answer: Answer::Within, words, problems });
    }
    let took = begin.elapsed();
    end.join()
        .map_err(|_| anyhow!("the thread that ends a server panicked"))?
        .with_context(here)?;
    if took > WITHIN {
        problems.push(format!("a server of this process ended after {took:.2?}"));
    }
    let request = Kind::Text.client_frame(&Kind::Text.payload(BYTES)).len() as u64;
    let echoes = judge(clients, attackers, |port| Some(book.read(port) / request), &mut problems)?;
    let words = format!(
        "exit code {:?} after {:.2?} and {took:.2?}; {echoes} echoes, beside {OF_EACH} peers of {} attacks",
        ended.code,
        ended.after,
        attacks.len(),
    );
    Ok(Row { name: NAME, answer: Answer::Within, words, problems })
}

type Clients = Vec<JoinHandle<Result<Seen>>>;

/// Every attack, with a few peers of each, beside the clients. A problem of each that is none by the end of [`BEFORE`].
fn under_attack(
    attacks: &[Arc<Attack>],
    addr: SocketAddr,
    problems: &mut Vec<String>,
) -> Result<(Clients, Vec<Attackers>)> {
    let clients =
        (0..CLIENTS).map(|_| std::thread::spawn(move || echo_until_closed(addr))).collect();
    let few: Vec<_> = attacks.iter().map(|attack| Arc::new(attack.few(OF_EACH))).collect();
    let start = |attack: &Arc<Attack>| Attackers::start(attack, addr);
    let attackers = few.iter().map(start).collect::<Result<Vec<_>>>()?;
    for attackers in &attackers {
        attackers.come_back(OF_EACH * attacks.len());
    }
    std::thread::sleep(BEFORE);
    problems.extend(absent(&few, &attackers));
    Ok((clients, attackers))
}

/// Why the server was not under some of `attacks`, if it was not.
fn absent(attacks: &[Arc<Attack>], attackers: &[Attackers]) -> Vec<String> {
    let each = attacks.iter().zip(attackers);
    each.filter_map(|(attack, peers)| attack.absent(peers.sent(), peers.came_back())).collect()
}

/// Compares what each client saw with the requests that `owed` says the server had read before it closed. Returns the
/// echoes of all.
fn judge(
    clients: Clients,
    attackers: Vec<Attackers>,
    owed: impl Fn(u16) -> Option<u64>,
    problems: &mut Vec<String>,
) -> Result<u64> {
    let mut echoes = 0;
    for client in clients {
        let seen = client.join().map_err(|_| anyhow!("a client panicked"))?;
        let seen = match seen {
            Ok(seen) => seen,
            Err(error) => {
                problems.push(format!("a client: {error:#}"));
                continue;
            }
        };
        echoes += seen.echoes;
        if seen.code != 1001 || seen.echoes == 0 {
            problems.push(format!(
                "a client had {} echoes and was closed with {}",
                seen.echoes, seen.code
            ));
        }
        if let Some(owed) = owed(seen.port).filter(|owed| *owed != seen.echoes) {
            problems.push(format!(
                "{owed} requests of a client were read and {} answered",
                seen.echoes
            ));
        }
    }
    for attackers in attackers {
        attackers.stop()?;
    }
    Ok(echoes)
}

fn echo_until_closed(addr: SocketAddr) -> Result<Seen> {
    let mut socket = Client::upgrade(addr, "/ws/echo")?.into_stream();
    socket.set_read_timeout(Some(WITHIN * 2))?;
    let port = socket.local_addr()?.port();
    let payload = Kind::Text.payload(BYTES);
    let (request, answer) = (Kind::Text.client_frame(&payload), Kind::Text.server_frame(&payload));
    let (mut due, mut echoes) = (Instant::now(), 0);
    let mut frame = vec![0; answer.len()];
    loop {
        std::thread::sleep(due.saturating_duration_since(Instant::now()));
        due += PACE;
        // A server that has closed may have reset the connection; what it sent before is read all the same.
        let gone = socket.write_all(&request).is_err();
        socket
            .read_exact(&mut frame[..2])
            .with_context(|| format!("no close frame; write failed: {gone}"))?;
        let rest = usize::from(frame[1]);
        ensure!(rest + 2 <= frame.len(), "a frame of {rest} bytes");
        socket.read_exact(&mut frame[2..2 + rest])?;
        if frame[0] == 0x88 {
            let code = u16::from_be_bytes([frame[2], frame[3]]);
            return Ok(Seen { port, echoes, code });
        }
        ensure!(frame == answer, "a wrong echo: {frame:?}");
        echoes += 1;
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;
    use crate::attacks::kinds;

    #[test]
    fn a_drain_beside_attackers_that_do_nothing_names_them() -> Result<()> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let named = |name: &str, sockets| {
            let attack = kinds::all().into_iter().find(|attack| attack.name == name);
            Arc::new(attack.expect("it exists").few(sockets))
        };
        // No peer, which sends nothing, and a peer that stays away.
        let attacks = [named("pings", 0), named("silent_tcp", 1)];
        let start = |attack| Attackers::start(attack, listener.local_addr()?);
        let attackers = attacks.iter().map(start).collect::<Result<Vec<_>>>()?;
        assert_eq!(
            absent(&attacks, &attackers),
            [
                "no attack: pings sent nothing",
                "no attack: 1 peers of silent_tcp were dropped and 0 came back"
            ]
        );
        attackers.into_iter().try_for_each(Attackers::stop)
    }
}
