//! A `ws-server` process, and what it says of itself.

use std::fmt::{Display, Formatter};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use anyhow::{Context, Error, Result, anyhow, ensure};
use load::own_target::OwnTarget;

/// Longest wait for an answer of the server.
const PATIENCE: Duration = Duration::from_secs(10);

/// Looks of [`Target::held`], and the time between two of them: together some ticks of the dashboard, whose buffers take
/// turns.
const LOOKS: usize = 10;
const BETWEEN_LOOKS: Duration = Duration::from_millis(100);

/// A running server; dropping it kills it.
pub(super) struct Target {
    own: OwnTarget,
    pub(super) addr: SocketAddr,
}

/// The context of an error that is an attacked server's own, and none of the tool's.
#[derive(Debug)]
pub(super) struct Fault(pub(super) String);

impl Display for Fault {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// The server's own numbers at one moment.
pub(super) struct Metrics(String);

/// How a server ended.
pub(super) struct Ended {
    pub(super) code: Option<i32>,
    pub(super) after: Duration,
    pub(super) said: String,
}

impl Target {
    /// Starts `program` on a free port of the loopback interface, with one thread that serves: two of them would share
    /// an attack, and hide a connection that holds up all others of its thread.
    pub(super) fn start(program: &Path) -> Result<Self> {
        let mut command = Command::new(program);
        command.args(["--bind", "127.0.0.1:0", "--workers", "1"]);
        Self::spawn(command).context("no server; build it, or name it by --server")
    }

    fn spawn(mut command: Command) -> Result<Self> {
        command.stderr(Stdio::piped());
        let own = OwnTarget::spawn(command)?;
        Ok(Self { addr: own.addr(), own })
    }

    /// The server's numbers now.
    ///
    /// # Errors
    ///
    /// A [`Fault`] if it has ended or does not answer.
    pub(super) fn metrics(&mut self) -> Result<Metrics> {
        self.ask().map_err(|error| self.blame(error))
    }

    /// `error` as a [`Fault`], which says whether the server still runs, and else its last words.
    pub(super) fn blame(&mut self, error: Error) -> Error {
        let child = self.own.child();
        let fault = match (child.try_wait(), child.stderr.as_mut()) {
            (Ok(Some(status)), Some(stderr)) => {
                let said = std::io::read_to_string(stderr);
                let said = said.unwrap_or_else(|error| error.to_string());
                format!("the attacked server has ended ({status}) and said {:?}", said.trim_end())
            }
            _ => "the attacked server runs and cannot be reached".to_owned(),
        };
        error.context(Fault(fault))
    }

    fn ask(&self) -> Result<Metrics> {
        let mut socket = TcpStream::connect(self.addr)?;
        socket.set_read_timeout(Some(PATIENCE))?;
        let host = self.addr;
        write!(socket, "GET /metrics HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n")?;
        let mut answer = String::new();
        socket.read_to_string(&mut answer).context("the server does not answer /metrics")?;
        ensure!(
            answer.starts_with("HTTP/1.1 200 "),
            "/metrics answers {:?}",
            answer.lines().next()
        );
        Ok(Metrics(answer))
    }

    /// Waits until `open` connections are open beside the one that asks, for `patience` at most. Returns the numbers
    /// that were read last, and when.
    pub(super) fn until_open(
        &mut self,
        open: u64,
        patience: Duration,
    ) -> Result<(Metrics, Option<Duration>)> {
        let begin = Instant::now();
        loop {
            let metrics = self.metrics()?;
            let after = begin.elapsed();
            if metrics.get("ws_connections_open")? == open + 1 {
                return Ok((metrics, Some(after)));
            }
            if after > patience {
                return Ok((metrics, None));
            }
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Heap blocks and descriptors that the server holds when no other peer is connected: the least of a few looks, because
    /// what the last look's own connection held is released later.
    pub(super) fn held(&mut self) -> Result<[u64; 2]> {
        let mut least = [u64::MAX; 2];
        for _ in 0..LOOKS {
            std::thread::sleep(BETWEEN_LOOKS);
            let (metrics, _) = self.until_open(0, PATIENCE)?;
            for (least, sample) in least.iter_mut().zip(["live_blocks", "process_open_fds"]) {
                *least = metrics.get(sample)?.min(*least);
            }
        }
        Ok(least)
    }

    /// Bytes of memory that the kernel holds for the server's sockets.
    ///
    /// # Errors
    ///
    /// If `ss` of iproute2 is missing or fails.
    pub(super) fn kernel_bytes(&self) -> Result<u64> {
        let filter = format!("sport = :{}", self.addr.port());
        let output = Command::new("ss").args(["-tmnH", &filter]).output();
        let output = output.context("cannot run ss; try apt install iproute2")?;
        let said = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success() && said.is_empty(), "ss does not count the memory: {said}");
        let text = String::from_utf8_lossy(&output.stdout);
        let sockets = text.split("skmem:(").skip(1).filter_map(|rest| rest.split(')').next());
        // r: allocated for received bytes, w: for bytes to send, as sock_diag(7) says.
        let held = sockets.flat_map(|numbers| numbers.split(','));
        let held =
            held.filter_map(|part| part.strip_prefix('r').or_else(|| part.strip_prefix('w')));
        Ok(held.filter_map(|number| number.parse::<u64>().ok()).sum())
    }

    /// Asks it to drain, and waits for its end. It is killed if it has not ended after `limit`: then it has no exit code.
    pub(super) fn terminate(mut self, limit: Duration) -> Result<Ended> {
        use rustix::process::{Pid, Signal, kill_process, kill_process_group};
        let child = self.own.child();
        let pid = Pid::from_raw(i32::try_from(child.id())?).context("a process has a number")?;
        let mut stderr = child.stderr.take().context("the server has a stderr")?;
        let begin = Instant::now();
        kill_process(pid, Signal::TERM)?;
        // Its end closes the pipe.
        let reader = std::thread::spawn(move || {
            let mut said = String::new();
            stderr.read_to_string(&mut said).map(|_| said)
        });
        let ended = ends_within(limit, &reader);
        let after = begin.elapsed();
        if !ended {
            // If it has children, they hold the pipe too.
            kill_process_group(pid, Signal::KILL)?;
        }
        let code = child.wait()?.code();
        let said = reader.join().map_err(|_| anyhow!("the reader of stderr panicked"))??;
        Ok(Ended { code, after, said })
    }
}

/// Whether `thread` ends within `limit`.
pub(super) fn ends_within<T>(limit: Duration, thread: &JoinHandle<T>) -> bool {
    let begin = Instant::now();
    while !thread.is_finished() && begin.elapsed() < limit {
        std::thread::sleep(Duration::from_millis(10));
    }
    thread.is_finished()
}

impl Metrics {
    /// The value of `sample`, as in `ws_errors_total{kind="http"}`, without its fraction.
    pub(super) fn get(&self, sample: &str) -> Result<u64> {
        let value = |line: &str| line.strip_prefix(sample)?.strip_prefix(' ')?.parse::<f64>().ok();
        let value = self.0.lines().find_map(value);
        value
            .map(|value| value as u64)
            .ok_or_else(|| anyhow!("the server's /metrics has no {sample}"))
    }

    /// Errors of a kind; 0 if the server does not know the kind.
    pub(super) fn errors(&self, kind: &str) -> u64 {
        self.get(&format!("ws_errors_total{{kind=\"{kind}\"}}")).unwrap_or_default()
    }

    /// Resident memory, in bytes.
    pub(super) fn resident(&self) -> Result<u64> {
        self.get("process_resident_memory_bytes")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A shell that says that it listens where no server does.
    fn shell(script: &str) -> Target {
        let mut command = Command::new("sh");
        command
            .args(["-c", &format!("trap '' TERM; echo listening on http://127.0.0.1:1; {script}")]);
        Target::spawn(command).expect("it prints an address")
    }

    #[test]
    fn the_end_and_the_silence_of_an_attacked_server_are_faults_of_its_own() {
        let mut ended = shell("echo out of luck >&2; exit 7");
        ended.own.child().wait().expect("it is ours");
        let mut silent = shell("exec tail -f /dev/null >&2");
        for (target, words) in [
            (&mut ended, "(exit status: 7) and said \"out of luck\""),
            (&mut silent, "runs and cannot"),
        ] {
            let error = target.metrics().map(|_| ()).expect_err("it does not serve");
            let fault = error.downcast_ref::<Fault>().expect("it is the server's");
            assert!(fault.0.contains(words), "{fault}");
        }
    }

    #[test]
    fn a_server_that_never_ends_is_killed_and_has_no_exit_code() {
        let target = shell("tail -f /dev/null >&2; exit 0");
        let ended = target.terminate(Duration::ZERO).expect("it is ours");
        assert_eq!(ended.code, None);
    }
}
