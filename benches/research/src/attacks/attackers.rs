//! Peers that attack, a few threads for all of them.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, OnceLock};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow};
use bench_kit::client::Client;

use super::kinds::{Attack, Pace};

/// Most threads that attack at once.
const THREADS: usize = 4;

/// Receive buffer of a peer that never reads, in bytes; Linux doubles it.
const NARROW: usize = 4096;

/// Pause of a thread none of whose sockets took or gave a byte.
const PAUSE: Duration = Duration::from_millis(5);

/// Time between two connections of peers that come back: few beside the attack itself, which is no storm of connections.
const BETWEEN_CONNECTIONS: Duration = Duration::from_millis(2);

pub(super) struct Attackers {
    shared: Arc<Shared>,
    threads: Vec<JoinHandle<Result<()>>>,
}

#[derive(Default)]
struct Shared {
    stop: AtomicBool,
    sent: AtomicU64,
    back: AtomicU64,
    /// Time in which each peer that is over tries once to come back; unset while they stay away.
    every: OnceLock<Duration>,
}

struct Peer {
    socket: TcpStream,
    /// Bytes of the attack that were sent in this turn of it.
    at: usize,
    next: Instant,
    over: bool,
}

/// Bytes of one act of a peer.
#[derive(Default)]
struct Moved {
    sent: usize,
    received: usize,
}

impl Attackers {
    /// Connects all of them, one after the other, and then lets them attack until [`Attackers::stop`].
    pub(super) fn start(attack: &Arc<Attack>, addr: SocketAddr) -> Result<Self> {
        let shared = Arc::new(Shared::default());
        let mut groups: Vec<Vec<Peer>> =
            (0..THREADS.min(attack.sockets)).map(|_| Vec::new()).collect();
        for number in 0..attack.sockets {
            let at = number % groups.len();
            groups[at].push(Peer::connect(attack, addr)?);
        }
        let spawn = |peers: Vec<Peer>| {
            let (attack, shared) = (Arc::clone(attack), Arc::clone(&shared));
            let thread = std::thread::Builder::new().name("attacker".to_owned());
            thread.spawn(move || run(&attack, addr, peers, &shared))
        };
        let threads = groups.into_iter().map(spawn).collect::<Result<_, _>>()?;
        Ok(Self { shared, threads })
    }

    /// Each comes back now, because one that neither sends nor reads cannot see that the server dropped it, and each that is
    /// dropped later. `peers` share the pauses, of this attack and of others beside it.
    pub(super) fn come_back(&self, peers: usize) {
        self.shared.every.get_or_init(|| BETWEEN_CONNECTIONS * peers as u32);
    }

    /// Bytes that were sent.
    pub(super) fn sent(&self) -> u64 {
        self.shared.sent.load(Relaxed)
    }

    /// Times that one came back.
    pub(super) fn came_back(&self) -> u64 {
        self.shared.back.load(Relaxed)
    }

    /// Ends the attack; connections that are still open are closed.
    pub(super) fn stop(mut self) -> Result<()> {
        self.shared.stop.store(true, Relaxed);
        for thread in std::mem::take(&mut self.threads) {
            thread.join().map_err(|_| anyhow!("an attacker panicked"))??;
        }
        Ok(())
    }
}

impl Drop for Attackers {
    fn drop(&mut self) {
        self.shared.stop.store(true, Relaxed);
    }
}

impl Peer {
    fn connect(attack: &Attack, addr: SocketAddr) -> Result<Self> {
        let client = match attack.upgrade {
            Some(route) => Client::upgrade(addr, route),
            None => Client::connect(addr),
        };
        let socket = client.context("an attacker cannot connect")?.into_stream();
        if !attack.reads {
            rustix::net::sockopt::set_socket_recv_buffer_size(&socket, NARROW)?;
        }
        socket.set_nonblocking(true)?;
        Ok(Self { socket, at: 0, next: Instant::now(), over: false })
    }

    /// If it is refused, it is over.
    fn come_back(&mut self, attack: &Attack, addr: SocketAddr, shared: &Shared) {
        self.over = true;
        if let Ok(again) = Self::connect(attack, addr) {
            *self = again;
            shared.back.fetch_add(1, Relaxed);
        }
    }

    /// Sends what is due and reads what is there, and counts both, also if the server then ended it.
    fn act(&mut self, attack: &Attack, buffer: &mut [u8]) -> Moved {
        let mut moved = Moved::default();
        self.over = self.exchange(attack, buffer, &mut moved).is_err();
        moved
    }

    fn exchange(
        &mut self,
        attack: &Attack,
        buffer: &mut [u8],
        moved: &mut Moved,
    ) -> std::io::Result<()> {
        let due = match attack.pace {
            Pace::Endless | Pace::Once | Pace::Reset => attack.bytes.len() - self.at,
            Pace::Drip if Instant::now() < self.next => 0,
            Pace::Drip => 1.min(attack.bytes.len() - self.at),
        };
        if due > 0 {
            moved.sent = unless_blocked(self.socket.write(&attack.bytes[self.at..self.at + due]))?
                .unwrap_or(0);
            self.at += moved.sent;
            self.next = Instant::now() + attack.pace.pause();
            if self.at == attack.bytes.len() && matches!(attack.pace, Pace::Endless) {
                self.at = 0;
            }
        }
        if attack.reads
            && let Some(read) = unless_blocked(self.socket.read(buffer))?
        {
            if read == 0 {
                return Err(ErrorKind::UnexpectedEof.into());
            }
            moved.received = read;
        }
        Ok(())
    }
}

fn run(attack: &Attack, addr: SocketAddr, mut peers: Vec<Peer>, shared: &Shared) -> Result<()> {
    let mut buffer = vec![0; 64 * 1024];
    let of_these = peers.len() as u32;
    let mut attempt = Instant::now();
    let mut returning = false;
    while !shared.stop.load(Relaxed) {
        if !returning && shared.every.get().is_some() {
            returning = true;
            peers.iter_mut().for_each(|peer| peer.over = true);
        }
        let (mut sent, mut received) = (0, 0);
        for peer in &mut peers {
            if peer.over {
                let Some(every) = shared.every.get() else { continue };
                if Instant::now() < attempt {
                    continue;
                }
                attempt = Instant::now() + *every / of_these;
                peer.come_back(attack, addr, shared);
                continue;
            }
            let moved = peer.act(attack, &mut buffer);
            sent += moved.sent;
            received += moved.received;
            let all_sent = peer.at == attack.bytes.len();
            if matches!(attack.pace, Pace::Reset) && all_sent && Instant::now() >= peer.next {
                // With a linger of 0 s the kernel sends a reset.
                rustix::net::sockopt::set_socket_linger(&peer.socket, Some(Duration::ZERO))?;
                peer.come_back(attack, addr, shared);
            }
        }
        shared.sent.fetch_add(sent as u64, Relaxed);
        if sent + received == 0 {
            std::thread::sleep(PAUSE);
        }
    }
    Ok(())
}

fn unless_blocked(moved: std::io::Result<usize>) -> std::io::Result<Option<usize>> {
    match moved {
        Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(None),
        other => other.map(Some),
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;
    use crate::attacks::kinds;

    fn attack_by_one() -> Attack {
        let mut attacks = kinds::all().into_iter();
        let attack = attacks.find(|attack| attack.name == "declared_2_to_62");
        Attack { upgrade: None, ..attack.expect("it exists").few(1) }
    }

    #[test]
    fn bytes_of_an_attacker_count_though_the_server_ends_it_at_once() -> Result<()> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let attack = attack_by_one();
        let mut peer = Peer::connect(&attack, listener.local_addr()?)?;
        drop(listener.accept()?);
        assert_eq!(peer.act(&attack, &mut [0; 64]).sent, attack.bytes.len());
        assert!(peer.over);
        Ok(())
    }

    #[test]
    fn an_attacker_that_neither_sends_nor_reads_comes_back() -> Result<()> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let attack = Attack { bytes: Vec::new(), reads: false, ..attack_by_one() };
        let attackers = Attackers::start(&Arc::new(attack), listener.local_addr()?)?;
        drop(listener.accept()?);
        attackers.come_back(1);
        drop(listener.accept()?);
        attackers.stop()
    }

    #[test]
    fn an_attacker_that_was_dropped_comes_back_again_and_again() -> Result<()> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let attackers = Attackers::start(&Arc::new(attack_by_one()), listener.local_addr()?)?;
        drop(listener.accept()?);
        attackers.come_back(1);
        drop(listener.accept()?);
        drop(listener.accept()?);
        assert!(attackers.came_back() > 0);
        attackers.stop()
    }
}
