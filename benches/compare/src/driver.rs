//! The client side of a workload against one server: its connections, and chunks of operations on them.

use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use bench_kit::client::Client;
use bench_kit::conversation::{Opener, Talk};
use bench_kit::payload::Exchange;
use bench_kit::statistics::mean_below;

use super::server_process::ServerProcess;
use super::workload::Traffic;

/// The path servers push snapshots on.
const DASHBOARD: &str = "/ws/dashboard";

/// Messages before the first timed one, so that buffers have grown and caches, pages and branch predictors are warm.
const WARM_UP: usize = 200;

/// Limit of the warm-up, for a server that is slower than expected.
const WARM_UP_LIMIT: Duration = Duration::from_millis(50);

/// Share of a chunk's steps that do not count, the slowest: those in which the machine did something else. Without the
/// slower half, a server that is slow every third time would seem as quick as base.
const CUT: f64 = 0.2;

/// Open connections to one server and the traffic for them.
#[derive(Debug)]
pub struct Driver<'a> {
    traffic: &'a Traffic,
    path: &'a str,
    clients: Vec<Client>,
    /// Opens the connections of a conversation.
    opener: Option<Opener>,
    /// The open connections of a conversation.
    talk: Option<Talk>,
    /// Wall-clock nanoseconds of each timed step of the last chunk.
    steps: Vec<f64>,
}

/// The result of a chunk.
#[derive(Clone, Copy, Debug)]
pub struct Chunk {
    /// Wall-clock nanoseconds per operation: mean over the chunk's steps but the slowest fifth, in which the machine may
    /// have done something else.
    pub wall_ns: f64,
    /// The server's processor time per operation in nanoseconds: mean over the chunk.
    pub cpu_ns: f64,
}

impl<'a> Driver<'a> {
    /// Connects to `server` and warms it up. With `spins`, the driver polls its sockets instead of sleeping.
    ///
    /// # Errors
    ///
    /// If the server does not upgrade, or gives a wrong answer.
    pub fn connect(
        traffic: &'a Traffic,
        path: &'a str,
        spins: bool,
        server: &ServerProcess,
    ) -> Result<Self> {
        let (path, connections) = match traffic {
            Traffic::Echo { connections, .. } => (path, *connections),
            Traffic::Connect | Traffic::Talk(_) | Traffic::Open(_) => (path, 0),
            Traffic::Dashboard { subscribers, .. } => (DASHBOARD, *subscribers),
        };
        let clients = (0..connections).map(|_| Client::upgrade(server.addr(), path));
        let clients = clients.collect::<Result<Vec<_>>>();
        let mut clients = clients.with_context(|| {
            format!("no WebSocket on {path}; set its path: --path, or path in plimsoll.toml")
        })?;
        if spins {
            clients.iter_mut().for_each(Client::spin);
        }
        let (opener, talk) = match traffic {
            Traffic::Talk(conversation) | Traffic::Open(conversation) => {
                let mut opener = Opener::new(conversation, Some(path)).spinning(spins);
                let talks = matches!(traffic, Traffic::Talk(_));
                let talk = talks.then(|| Talk::open(conversation, &mut opener, server.addr()));
                let talk = talk.transpose().with_context(|| {
                    format!(
                        "the conversation does not begin on {path}; see its open, or set --path"
                    )
                })?;
                (Some(opener), talk)
            }
            _ => (None, None),
        };
        let mut driver = Self { traffic, path, clients, opener, talk, steps: Vec::new() };
        let begin = Instant::now();
        let steps = WARM_UP.div_ceil(driver.operations()).max(4);
        for _ in 0..4 {
            driver.chunk(server, steps.div_ceil(4))?;
            if begin.elapsed() > WARM_UP_LIMIT {
                break;
            }
        }
        Ok(driver)
    }

    /// Operations in one timed step.
    fn operations(&self) -> usize {
        match self.traffic {
            Traffic::Echo { depth, connections, .. } => depth * connections,
            Traffic::Connect | Traffic::Talk(_) | Traffic::Open(_) => 1,
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
    /// If the server gives a wrong answer or none.
    pub fn chunk(&mut self, server: &ServerProcess, steps: usize) -> Result<Chunk> {
        self.steps.clear();
        let cpu_before = server.cpu_ns()?;
        if let Some(Exchange { out, .. }) = self.in_flight() {
            self.clients.iter_mut().try_for_each(|client| client.send(out))?;
        }
        for _ in 0..steps {
            let begin = Instant::now();
            self.step(server)?;
            self.steps.push(begin.elapsed().as_nanos() as f64);
        }
        if let Some(Exchange { answer, .. }) = self.in_flight() {
            self.clients.iter_mut().try_for_each(|client| client.expect(answer))?;
        }
        self.talk.as_mut().map_or(Ok(()), Talk::expect_nothing)?;
        let cpu = server.cpu_ns()? - cpu_before;
        let operations = self.operations() as f64;
        let wall = typical(&self.steps).context("a chunk has at least one step")?;
        // The batches in flight before the first step were answered as well.
        let answered = if self.in_flight().is_some() { steps + 1 } else { steps };
        Ok(Chunk { wall_ns: wall / operations, cpu_ns: cpu / (answered as f64 * operations) })
    }

    /// The batch that each of several connections always has in flight.
    fn in_flight(&self) -> Option<&'a Exchange> {
        match self.traffic {
            Traffic::Echo { exchange, connections: 2.., .. } => Some(exchange),
            _ => None,
        }
    }

    /// One step: every connection is written to and read from once.
    fn step(&mut self, server: &ServerProcess) -> Result<()> {
        match self.traffic {
            Traffic::Echo { exchange, connections: 1, .. } => {
                self.clients[0].exchange(&exchange.out, &exchange.answer)
            }
            // Every connection has a batch in flight at all times, so the server never runs out of work.
            Traffic::Echo { exchange, .. } => self.clients.iter_mut().try_for_each(|client| {
                client.expect(&exchange.answer)?;
                client.send(&exchange.out)
            }),
            Traffic::Connect => Client::upgrade(server.addr(), self.path)?.close(),
            Traffic::Talk(_) => self.talk.as_mut().context("the connections are open")?.operation(),
            Traffic::Open(_) => {
                let opener = self.opener.as_mut().context("a conversation has an opener")?;
                opener.open(server.addr())?.leave()
            }
            Traffic::Dashboard { .. } => {
                self.clients.iter_mut().try_for_each(|client| client.text().map(drop))
            }
        }
    }

    /// Ends a conversation, and demands that every answer was asked for.
    ///
    /// # Errors
    ///
    /// If a message more than expected arrives, or the server does not end the connection.
    pub fn finish(self) -> Result<()> {
        self.talk.map_or(Ok(()), Talk::close)
    }

    /// Reads the snapshots that have arrived and returns their number.
    ///
    /// # Errors
    ///
    /// If something else arrived, or the server is gone.
    pub fn skip(&mut self) -> Result<usize> {
        self.clients.iter_mut().map(Client::skip_texts).sum()
    }
}

/// What a step of a chunk takes.
fn typical(steps: &[f64]) -> Option<f64> {
    mean_below(steps, CUT)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Sixty steps of 10, of which every `nth` takes 1000.
    fn slow_every(nth: usize) -> f64 {
        let steps: Vec<f64> =
            (1..=60).map(|at| if at % nth == 0 { 1000.0 } else { 10.0 }).collect();
        typical(&steps).expect("there are steps")
    }

    #[test]
    fn a_server_that_is_slow_every_third_time_seems_slower_and_a_rare_disturbance_does_not_count() {
        assert!(slow_every(3) > 100.0);
        assert_eq!(slow_every(5), 10.0);
        assert_eq!(slow_every(60), 10.0);
    }
}
