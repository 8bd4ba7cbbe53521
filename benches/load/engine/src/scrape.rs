//! What a target of ours says of its own allocations, on `/metrics`.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};

use load_plan::model::TargetAllocations;
use load_plan::url::Url;

/// Longest wait for one answer.
const PATIENCE: Duration = Duration::from_secs(2);

/// Longest wait until everybody has left and nothing moves any more.
const SETTLE: Duration = Duration::from_secs(5);

/// Between two looks.
const AGAIN: Duration = Duration::from_millis(50);

/// Where to ask.
#[derive(Clone, Debug)]
pub(super) struct Scrape {
    host: String,
    port: u16,
}

/// The four counts at one moment, and who is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Heap {
    total_blocks: u64,
    total_bytes: u64,
    live_blocks: u64,
    live_bytes: u64,
    sessions: u64,
}

impl Scrape {
    /// The `/metrics` beside `url`, if it is ours and counts allocations.
    #[must_use]
    pub(super) fn beside(url: &str) -> Option<Self> {
        let Url { is_tls: false, host, port, .. } = url.parse().ok()? else { return None };
        let scrape = Self { host, port };
        scrape.read().ok()?;
        Some(scrape)
    }

    /// The counts once no session is open and two looks agree.
    ///
    /// # Errors
    ///
    /// If it does not answer any more.
    pub(super) fn settled(&self) -> Result<Heap> {
        let deadline = Instant::now() + SETTLE;
        let mut last = self.read()?;
        loop {
            std::thread::sleep(AGAIN);
            let now = self.read()?;
            let is_quiet = now.sessions == 0 && now.live_blocks == last.live_blocks;
            if is_quiet || Instant::now() > deadline {
                return Ok(now);
            }
            last = now;
        }
    }

    fn read(&self) -> Result<Heap> {
        let Self { host, port } = self;
        let mut stream = TcpStream::connect((host.as_str(), *port))
            .with_context(|| format!("cannot ask {host} for its metrics"))?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        let host = if host.contains(':') { format!("[{host}]") } else { host.clone() };
        let request =
            format!("GET /metrics HTTP/1.1\r\nHost: {host}:{port}\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes())?;
        let mut answer = String::new();
        stream.take(1 << 20).read_to_string(&mut answer)?;
        parse(&answer)
    }
}

impl Heap {
    /// What came to be between two moments, and what stayed.
    #[must_use]
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
    ensure!(answer.starts_with("HTTP/1.1 200"), "no metrics there");
    let value = |name: &str| -> Result<u64> {
        let line = answer.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        let number: f64 = line.with_context(|| format!("no {name} there"))?.trim().parse()?;
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
    fn the_counts_are_read() {
        let heap = parse(ANSWER).expect("all of them are there");
        assert_eq!((heap.total_blocks, heap.live_bytes, heap.sessions), (10, 40, 3));
    }

    #[test]
    fn another_server_has_none() {
        assert!(parse("HTTP/1.1 404 Not Found\r\n\r\n").is_err());
        assert!(parse("HTTP/1.1 200 OK\r\n\r\nlive_blocks 4.0\n").is_err());
    }

    #[test]
    fn what_was_freed_meanwhile_remains_as_less_than_nothing() {
        let before = parse(ANSWER).expect("all of them are there");
        let after = Heap { live_blocks: 3, total_blocks: 12, ..before };
        assert_eq!(before.until(after).remaining_blocks, -1);
        assert_eq!(before.until(after).total_blocks, 2);
    }
}
