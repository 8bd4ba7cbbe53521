//! A target's allocations, as a server of ours shows them on `/metrics`.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use load_plan::model::TargetAllocations;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::{Instant, sleep, timeout};

use super::endpoint::Endpoint;

/// Longest wait for one answer.
const PATIENCE: Duration = Duration::from_secs(2);

/// Longest wait until no session is open and the counts stand still.
const SETTLE: Duration = Duration::from_secs(5);

/// Time between two looks.
const AGAIN: Duration = Duration::from_millis(50);

/// Longest answer that is read, in bytes.
const MOST_BYTES: u64 = 1 << 20;

/// Where to ask.
#[derive(Clone, Debug)]
pub(super) struct Scrape<'a> {
    endpoint: &'a Endpoint,
}

/// The four counts at one moment, and the sessions that are open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Heap {
    total_blocks: u64,
    total_bytes: u64,
    live_blocks: u64,
    live_bytes: u64,
    sessions: u64,
}

impl<'a> Scrape<'a> {
    /// The `/metrics` beside `endpoint`, if it is a server of ours that counts allocations.
    pub(super) async fn beside(endpoint: &'a Endpoint) -> Option<Self> {
        if endpoint.is_tls() {
            return None;
        }
        let scrape = Self { endpoint };
        scrape.read().await.ok()?;
        Some(scrape)
    }

    /// The counts once no session is open and two looks agree.
    ///
    /// # Errors
    ///
    /// If the target no longer answers.
    pub(super) async fn settled(&self) -> Result<Heap> {
        let deadline = Instant::now() + SETTLE;
        let mut last = self.read().await?;
        loop {
            sleep(AGAIN).await;
            let now = self.read().await?;
            let is_quiet = now.sessions == 0 && now.live_blocks == last.live_blocks;
            if is_quiet || Instant::now() > deadline {
                return Ok(now);
            }
            last = now;
        }
    }

    async fn read(&self) -> Result<Heap> {
        let host = self.endpoint.host();
        let request = format!("GET /metrics HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
        let answer = async {
            let mut stream = self.endpoint.stream().await?;
            stream.write_all(request.as_bytes()).await?;
            stream.flush().await?;
            let mut answer = String::new();
            stream.take(MOST_BYTES).read_to_string(&mut answer).await?;
            parse(&answer)
        };
        timeout(PATIENCE, answer).await.with_context(|| format!("{host} shows no metrics"))?
    }
}

impl Heap {
    /// Allocations between two moments, and how much of them remained.
    pub(super) fn until(self, after: Self) -> TargetAllocations {
        TargetAllocations {
            total_blocks: after.total_blocks.saturating_sub(self.total_blocks),
            total_bytes: after.total_bytes.saturating_sub(self.total_bytes),
            remaining_blocks: after.live_blocks.cast_signed() - self.live_blocks.cast_signed(),
            remaining_bytes: after.live_bytes.cast_signed() - self.live_bytes.cast_signed(),
        }
    }
}

fn parse(answer: &str) -> Result<Heap> {
    ensure!(answer.starts_with("HTTP/1.1 200"), "the target shows no metrics");
    let value = |name: &str| -> Result<u64> {
        let line = answer.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        let number: f64 =
            line.with_context(|| format!("the metrics lack {name}"))?.trim().parse()?;
        Ok(number as u64)
    };
    Ok(Heap {
        total_blocks: value("allocated_blocks_total")?,
        total_bytes: value("allocated_bytes_total")?,
        live_blocks: value("live_blocks")?,
        live_bytes: value("live_bytes")?,
        sessions: value("ws_sessions_open{route=\"echo\"}")?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANSWER: &str = "HTTP/1.1 200 OK\r\n\r\n# HELP x\nws_sessions_open{route=\"echo\"} 3.0\n\
        allocated_blocks_total 10\nallocated_bytes_total 100\nlive_blocks 4.0\nlive_bytes 40.0\n# EOF\n";

    #[test]
    fn metrics_are_read() {
        let heap = parse(ANSWER).expect("all of them are there");
        assert_eq!((heap.total_blocks, heap.live_bytes, heap.sessions), (10, 40, 3));
    }

    #[test]
    fn a_server_without_metrics_is_an_error() {
        assert!(parse("HTTP/1.1 404 Not Found\r\n\r\n").is_err());
        assert!(parse("HTTP/1.1 200 OK\r\n\r\nlive_blocks 4.0\n").is_err());
    }

    #[test]
    fn memory_freed_during_a_run_makes_remaining_blocks_negative() {
        let before = parse(ANSWER).expect("all of them are there");
        let after = Heap { live_blocks: 3, total_blocks: 12, ..before };
        assert_eq!(before.until(after).remaining_blocks, -1);
        assert_eq!(before.until(after).total_blocks, 2);
    }
}
