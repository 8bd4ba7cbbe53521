//! The driver's half of a workload against one server: connections that stay, and chunks of operations on them.

use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use super::server_process::ServerProcess;
use super::workload::Traffic;
use bench_kit::client::Client;
use bench_kit::statistics::median;

/// Where servers echo and push.
const DASHBOARD: &str = "/ws/dashboard";

/// Messages that a server has seen before it is timed: buffers have grown, branches and pages are known.
const WARM_UP: usize = 200;

/// Time after which a server that is slower than expected counts as warm.
const WARM_ENOUGH: Duration = Duration::from_millis(50);

/// Connections that stay open to one server, and what is sent on them.
#[derive(Debug)]
pub struct Driver<'a> {
    traffic: &'a Traffic,
    path: &'a str,
    clients: Vec<Client>,
    /// Wall-clock nanoseconds of each timed step of the last chunk.
    steps: Vec<f64>,
}

/// What a chunk came to.
#[derive(Clone, Copy, Debug)]
pub struct Chunk {
    /// Wall-clock nanoseconds of an operation: of the chunk's steps the middle one, so that a step in which the machine
    /// did something else does not count.
    pub wall_ns: f64,
    /// The server's processor time for an operation, the chunk's mean.
    pub cpu_ns: f64,
}

impl<'a> Driver<'a> {
    /// Connects to `server` and exchanges enough for it to be warm.
    ///
    /// # Errors
    ///
    /// If it does not upgrade, or does not answer as it should.
    pub fn connect(
        traffic: &'a Traffic,
        path: &'a str,
        spins: bool,
        server: &ServerProcess,
    ) -> Result<Self> {
        let (path, connections) = match traffic {
            Traffic::Echo { connections, .. } => (path, *connections),
            Traffic::Connect => (path, 0),
            Traffic::Dashboard { subscribers, .. } => (DASHBOARD, *subscribers),
        };
        let clients = (0..connections).map(|_| Client::upgrade(server.addr(), path));
        let clients = clients.collect::<Result<Vec<_>>>();
        let mut clients = clients.with_context(|| format!("no WebSocket on {path}; see --path"))?;
        if spins {
            clients.iter_mut().for_each(Client::spin);
        }
        let mut driver = Self { traffic, path, clients, steps: Vec::new() };
        let begin = Instant::now();
        let steps = WARM_UP.div_ceil(driver.operations()).max(4);
        for _ in 0..4 {
            driver.chunk(server, steps.div_ceil(4))?;
            if begin.elapsed() > WARM_ENOUGH {
                break;
            }
        }
        Ok(driver)
    }

    /// Operations in one timed step.
    #[must_use]
    pub fn operations(&self) -> usize {
        match self.traffic {
            Traffic::Echo { depth, connections, .. } => depth * connections,
            Traffic::Connect => 1,
            Traffic::Dashboard { subscribers, .. } => *subscribers,
        }
    }

    /// Wall-clock nanoseconds of each step of the last chunk.
    #[must_use]
    pub fn steps(&self) -> &[f64] {
        &self.steps
    }

    /// Times `steps` steps.
    ///
    /// # Errors
    ///
    /// If the server does not answer as it should.
    pub fn chunk(&mut self, server: &ServerProcess, steps: usize) -> Result<Chunk> {
        self.steps.clear();
        let cpu_before = server.cpu_ns()?;
        self.fill()?;
        for _ in 0..steps {
            let begin = Instant::now();
            self.step(server)?;
            self.steps.push(begin.elapsed().as_nanos() as f64);
        }
        self.drain()?;
        let cpu = server.cpu_ns()? - cpu_before;
        let operations = self.operations() as f64;
        let wall = median(&self.steps).context("a chunk has at least one step")?;
        // What was put under way before the first step was answered as well.
        let answered = if self.is_kept_full() { steps + 1 } else { steps };
        Ok(Chunk { wall_ns: wall / operations, cpu_ns: cpu / (answered as f64 * operations) })
    }

    /// Whether every connection has a batch under way all the time.
    fn is_kept_full(&self) -> bool {
        matches!(self.traffic, Traffic::Echo { connections: 2.., .. })
    }

    /// Puts a batch under way on each of several connections.
    fn fill(&mut self) -> Result<()> {
        match self.traffic {
            Traffic::Echo { exchange, connections: 2.., .. } => {
                self.clients.iter_mut().try_for_each(|client| client.send(&exchange.out))
            }
            _ => Ok(()),
        }
    }

    /// Waits for the batches under way.
    fn drain(&mut self) -> Result<()> {
        match self.traffic {
            Traffic::Echo { exchange, connections: 2.., .. } => {
                self.clients.iter_mut().try_for_each(|client| client.expect(&exchange.answer))
            }
            _ => Ok(()),
        }
    }

    /// One step: every connection is written to and read from once.
    ///
    /// # Errors
    ///
    /// As [`Driver::chunk`].
    pub fn step(&mut self, server: &ServerProcess) -> Result<()> {
        match self.traffic {
            Traffic::Echo { exchange, connections: 1, .. } => {
                self.clients[0].exchange(&exchange.out, &exchange.answer)
            }
            // As many batches as connections are on their way all the time: the server finds work whenever it looks.
            Traffic::Echo { exchange, .. } => self.clients.iter_mut().try_for_each(|client| {
                client.expect(&exchange.answer)?;
                client.send(&exchange.out)
            }),
            Traffic::Connect => Client::upgrade(server.addr(), self.path)?.close(),
            Traffic::Dashboard { .. } => {
                self.clients.iter_mut().try_for_each(|client| client.text().map(drop))
            }
        }
    }

    /// Takes the snapshots that have come, and says how many.
    ///
    /// # Errors
    ///
    /// If what came is no snapshot, or the server is gone.
    pub fn skip(&mut self) -> Result<usize> {
        self.clients.iter_mut().map(Client::skip_texts).sum()
    }
}
