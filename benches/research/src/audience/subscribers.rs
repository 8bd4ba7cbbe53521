//! Subscribers of a dashboard that arrive and leave together, on a thread of their own.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use anyhow::{Result, anyhow, ensure};
use bench_kit::client::Client;

/// Stands for the number of subscribers while they arrive, read or leave.
const BUSY: usize = usize::MAX;

/// They read at the next command only, because real subscribers read on other machines. A socket buffers the snapshots
/// of the seconds between.
pub(super) struct Subscribers {
    commands: Sender<bool>,
    wanted: usize,
    present: Arc<AtomicUsize>,
    size: usize,
    thread: JoinHandle<Result<f64>>,
}

impl Subscribers {
    pub(super) fn start(addr: SocketAddr, size: usize) -> Result<Self> {
        let (commands, receiver) = channel();
        let present = Arc::new(AtomicUsize::new(0));
        let theirs = Arc::clone(&present);
        let thread = std::thread::Builder::new().name("audience".to_owned());
        let thread = thread.spawn(move || attend(addr, size, &receiver, &theirs))?;
        Ok(Self { commands, wanted: 0, present, size, thread })
    }

    /// Makes all of them arrive, or leave.
    pub(super) fn command(&mut self, present: bool) {
        self.wanted = if present { self.size } else { 0 };
        self.present.store(BUSY, Relaxed);
        // A thread that has ended gives its error in `stop`.
        let _ = self.commands.send(present);
    }

    /// Whether all are present; `None` while they arrive or leave.
    pub(super) fn are_present(&self) -> Option<bool> {
        (self.present.load(Relaxed) == self.wanted).then_some(self.wanted > 0)
    }

    /// Snapshots per second and subscriber.
    ///
    /// # Errors
    ///
    /// What ended a subscription.
    pub(super) fn stop(self) -> Result<f64> {
        drop(self.commands);
        self.thread.join().map_err(|_| anyhow!("a subscriber panicked"))?
    }
}

fn attend(
    addr: SocketAddr,
    size: usize,
    commands: &Receiver<bool>,
    present: &AtomicUsize,
) -> Result<f64> {
    let mut clients: Vec<Client> = Vec::new();
    let (mut snapshots, mut time) = (0, Duration::ZERO);
    let mut since = Instant::now();
    for wanted in commands {
        if !clients.is_empty() {
            time += since.elapsed();
            for client in &mut clients {
                snapshots += client.skip_texts()?;
            }
        }
        if !wanted {
            clients.clear();
        } else if clients.is_empty() {
            let client = |_| {
                let mut client = Client::upgrade(addr, "/ws/dashboard")?;
                // The greeting; only pushed snapshots count.
                client.text()?;
                Ok(client)
            };
            clients = (0..size).map(client).collect::<Result<_>>()?;
        }
        present.store(clients.len(), Relaxed);
        since = Instant::now();
    }
    ensure!(snapshots > 0, "no snapshot was pushed");
    Ok(snapshots as f64 / time.as_secs_f64() / size as f64)
}
