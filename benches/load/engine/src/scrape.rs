//! A target's allocations, as a server of ours shows them on `/metrics`.

use std::fmt;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
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

/// How often a target that answers with a server error is asked whether it shows metrics.
const TRIES: usize = 5;

/// Where to ask.
#[derive(Clone, Debug)]
pub(super) struct Scrape<'a> {
    endpoint: &'a Endpoint,
    /// Sessions that were open before the first of ours: of other clients, such as an open dashboard.
    others: u64,
}

/// The four counts at one moment, and the sessions that are open.
#[derive(Clone, Copy, Debug)]
pub(super) struct Heap {
    at: Instant,
    uptime: Duration,
    total_blocks: u64,
    total_bytes: u64,
    live_blocks: u64,
    live_bytes: u64,
    sessions: u64,
}

/// The target answered with a server error, which may pass.
#[derive(Debug)]
struct Unavailable(String);

impl<'a> Scrape<'a> {
    /// The `/metrics` beside `endpoint`, if it is a server of ours that counts allocations.
    pub(super) async fn beside(endpoint: &'a Endpoint) -> Option<Self> {
        if endpoint.is_tls() {
            return None;
        }
        let scrape = Self { endpoint, others: 0 };
        for _ in 0..TRIES {
            match scrape.read().await {
                Ok(heap) => return Some(Self { others: heap.sessions, ..scrape }),
                Err(error) if error.is::<Unavailable>() => sleep(AGAIN).await,
                Err(_) => return None,
            }
        }
        None
    }

    /// The counts once our sessions have ended and two looks agree. A look that fails is repeated.
    ///
    /// # Errors
    ///
    /// If the target no longer answers.
    pub(super) async fn settled(&self) -> Result<Heap> {
        let deadline = Instant::now() + SETTLE;
        let mut last = None;
        loop {
            let now = self.read().await;
            let is_over = Instant::now() > deadline;
            match now {
                Ok(now) => {
                    let is_still = last == Some(now.live_blocks);
                    if is_over || is_still && now.sessions <= self.others {
                        return Ok(now);
                    }
                    last = Some(now.live_blocks);
                }
                Err(error) if is_over => return Err(error),
                Err(_) => last = None,
            }
            sleep(AGAIN).await;
        }
    }

    /// With the credentials of the load, if it has some: our server guards its numbers with the token of its sockets.
    fn request(&self) -> Vec<u8> {
        let host = self.endpoint.host();
        let mut request =
            format!("GET /metrics HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n").into_bytes();
        if let Some(credentials) = self.endpoint.authorization() {
            request.extend_from_slice(b"Authorization: ");
            request.extend_from_slice(credentials.as_bytes());
            request.extend_from_slice(b"\r\n");
        }
        request.extend_from_slice(b"\r\n");
        request
    }

    async fn read(&self) -> Result<Heap> {
        let host = self.endpoint.host();
        let request = self.request();
        let answer = async {
            let mut stream = self.endpoint.stream().await?;
            stream.write_all(&request).await?;
            stream.flush().await?;
            let mut answer = String::new();
            stream.take(MOST_BYTES).read_to_string(&mut answer).await?;
            parse(&answer, Instant::now())
        };
        timeout(PATIENCE, answer).await.with_context(|| format!("{host} shows no metrics"))?
    }
}

impl fmt::Display for Unavailable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the target answered GET /metrics with {}", self.0)
    }
}

impl std::error::Error for Unavailable {}

impl Heap {
    /// Allocations between two moments, and how much of them remained.
    ///
    /// # Errors
    ///
    /// If the two moments cannot be compared.
    pub(super) fn until(self, after: Self) -> Result<TargetAllocations> {
        let again = "the target was started again during the run";
        let total = |before: u64, after: u64| after.checked_sub(before).context(again);
        ensure!(after.uptime + PATIENCE > self.uptime + (after.at - self.at), again);
        ensure!(
            after.sessions >= self.sessions,
            "of {} sessions that other clients held before the run, {} had ended after it, with \
             their memory",
            self.sessions,
            self.sessions - after.sessions
        );
        Ok(TargetAllocations {
            total_blocks: total(self.total_blocks, after.total_blocks)?,
            total_bytes: total(self.total_bytes, after.total_bytes)?,
            remaining_blocks: after.live_blocks.cast_signed() - self.live_blocks.cast_signed(),
            remaining_bytes: after.live_bytes.cast_signed() - self.live_bytes.cast_signed(),
        })
    }
}

/// The metrics in an answer that came at `at`.
fn parse(answer: &str, at: Instant) -> Result<Heap> {
    let status = answer.lines().next().unwrap_or_default();
    if status.starts_with("HTTP/1.1 5") {
        bail!(Unavailable(status.to_owned()));
    }
    ensure!(status.starts_with("HTTP/1.1 200"), "the target shows no metrics");
    let number = |text: &str| -> Result<f64> {
        let number: f64 = text.trim().parse().with_context(|| format!("{text:?} is no number"))?;
        // A cast would make 0 of NaN and of numbers below 0.
        ensure!((0.0..1e18).contains(&number), "{text:?} is no count");
        Ok(number)
    };
    let find = |name: &str| -> Result<f64> {
        let line = answer.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        number(line.with_context(|| format!("the metrics lack {name}"))?)
    };
    let value = |name: &str| find(name).map(|number| number as u64);
    let sessions = answer.lines().filter_map(|line| line.strip_prefix("ws_sessions_open{"));
    let sessions: Vec<_> = sessions.filter_map(|line| line.split_once("} ")).collect();
    ensure!(!sessions.is_empty(), "the metrics lack ws_sessions_open");
    Ok(Heap {
        at,
        uptime: Duration::try_from_secs_f64(find("uptime_seconds")?)?,
        total_blocks: value("allocated_blocks_total")?,
        total_bytes: value("allocated_bytes_total")?,
        live_blocks: value("live_blocks")?,
        live_bytes: value("live_bytes")?,
        sessions: sessions.into_iter().map(|(_, count)| number(count)).sum::<Result<f64>>()? as u64,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANSWER: &str = "HTTP/1.1 200 OK\r\n\r\n# HELP x\nuptime_seconds 9.5\n\
        ws_sessions_open{route=\"echo\"} 3.0\nws_sessions_open{route=\"dashboard\"} 2\n\
        allocated_blocks_total 10\nallocated_bytes_total 100\nlive_blocks 4.0\nlive_bytes 40.0\n# EOF\n";

    fn heap() -> Heap {
        parse(ANSWER, Instant::now()).expect("all of them are there")
    }

    #[test]
    fn metrics_are_read_and_sessions_of_all_routes_are_added() {
        let heap = heap();
        assert_eq!((heap.total_blocks, heap.live_bytes, heap.sessions), (10, 40, 5));
    }

    #[test]
    fn a_server_without_metrics_is_an_error() {
        let is_error = |answer: &str| parse(answer, Instant::now()).is_err();
        assert!(is_error("HTTP/1.1 404 Not Found\r\n\r\n"));
        assert!(is_error("HTTP/1.1 200 OK\r\n\r\nlive_blocks 4.0\n"));
        for wrong in ["NaN", "-1", "+Inf", ""] {
            assert!(is_error(&ANSWER.replace("live_blocks 4.0", &format!("live_blocks {wrong}"))));
        }
    }

    #[test]
    fn memory_freed_during_a_run_makes_remaining_blocks_negative() {
        let before = heap();
        let after = Heap { live_blocks: 3, total_blocks: 12, ..before };
        let allocations = before.until(after).expect("they can be compared");
        assert_eq!((allocations.remaining_blocks, allocations.total_blocks), (-1, 2));
    }

    #[test]
    fn allocations_across_a_restart_or_the_end_of_another_client_are_unknown() {
        let before = heap();
        let why = |after| before.until(after).expect_err("unknown").to_string();
        assert!(why(Heap { total_blocks: 9, ..before }).contains("started again"));
        let later = before.at + Duration::from_mins(1);
        assert!(why(Heap { at: later, ..before }).contains("started again"));
        assert!(why(Heap { sessions: 1, ..before }).contains("of 5 sessions that other clients"));
    }
}
