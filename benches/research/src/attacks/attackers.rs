//! Peers that attack, a few threads for all of them.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
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

pub(super) struct Attackers {
    stop: Arc<AtomicBool>,
    moved: Arc<AtomicU64>,
    threads: Vec<JoinHandle<Result<()>>>,
}

struct Peer {
    socket: TcpStream,
    /// Bytes of the attack that were sent in this turn of it.
    at: usize,
    next: Instant,
    over: bool,
}

impl Attackers {
    /// Connects all of them, one after the other, and then lets them attack until [`Attackers::stop`].
    pub(super) fn start(attack: &Arc<Attack>, addr: SocketAddr) -> Result<Self> {
        let (stop, sent) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
        let mut groups: Vec<Vec<Peer>> =
            (0..THREADS.min(attack.sockets)).map(|_| Vec::new()).collect();
        for number in 0..attack.sockets {
            let at = number % groups.len();
            groups[at].push(Peer::connect(attack, addr)?);
        }
        let spawn = |peers: Vec<Peer>| {
            let (attack, stop, sent) = (Arc::clone(attack), Arc::clone(&stop), Arc::clone(&sent));
            let thread = std::thread::Builder::new().name("attacker".to_owned());
            thread.spawn(move || run(&attack, addr, peers, &stop, &sent))
        };
        let threads = groups.into_iter().map(spawn).collect::<Result<_, _>>()?;
        Ok(Self { stop, moved: sent, threads })
    }

    /// Bytes that were sent and received.
    pub(super) fn moved(&self) -> u64 {
        self.moved.load(Relaxed)
    }

    /// Ends an attack on a server that has ended, so that attackers that come back could not connect.
    pub(super) fn stop_after_the_server(self) {
        self.stop.store(true, Relaxed);
        for thread in self.threads {
            if thread.join().is_err() {
                eprintln!("calibrate: an attacker panicked");
            }
        }
    }

    /// Ends the attack; connections that are still open are closed.
    pub(super) fn stop(self) -> Result<()> {
        self.stop.store(true, Relaxed);
        for thread in self.threads {
            thread.join().map_err(|_| anyhow!("an attacker panicked"))??;
        }
        Ok(())
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

    /// Sends what is due and reads what is there. Returns the bytes that moved, also if the server then ended it.
    fn act(&mut self, attack: &Attack, buffer: &mut [u8]) -> usize {
        let mut moved = 0;
        self.over = self.exchange(attack, buffer, &mut moved).is_err();
        moved
    }

    fn exchange(
        &mut self,
        attack: &Attack,
        buffer: &mut [u8],
        moved: &mut usize,
    ) -> std::io::Result<()> {
        let due = match attack.pace {
            Pace::Endless | Pace::Once | Pace::Reset => attack.bytes.len() - self.at,
            Pace::Drip if Instant::now() < self.next => 0,
            Pace::Drip => 1.min(attack.bytes.len() - self.at),
        };
        if due > 0 {
            *moved += unless_blocked(self.socket.write(&attack.bytes[self.at..self.at + due]))?
                .unwrap_or(0);
            self.at += *moved;
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
            *moved += read;
        }
        Ok(())
    }
}

fn run(
    attack: &Attack,
    addr: SocketAddr,
    mut peers: Vec<Peer>,
    stop: &AtomicBool,
    sent: &AtomicU64,
) -> Result<()> {
    let mut buffer = vec![0; 64 * 1024];
    while !stop.load(Relaxed) {
        let mut moved = 0;
        for peer in &mut peers {
            if peer.over {
                continue;
            }
            moved += peer.act(attack, &mut buffer);
            let sent = peer.at == attack.bytes.len();
            if matches!(attack.pace, Pace::Reset) && sent && Instant::now() >= peer.next {
                // With a linger of 0 s the kernel sends a reset.
                rustix::net::sockopt::set_socket_linger(&peer.socket, Some(Duration::ZERO))?;
                *peer = Peer::connect(attack, addr)?;
            }
        }
        sent.fetch_add(moved as u64, Relaxed);
        if moved == 0 {
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
        assert_eq!(peer.act(&attack, &mut [0; 64]), attack.bytes.len());
        assert!(peer.over);
        Ok(())
    }
}
