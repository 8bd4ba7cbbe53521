//! A server under comparison: a process that is started, spoken to, asked for its processor time, and ended.

use std::ffi::OsString;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::os::unix::fs::FileExt;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};

use super::cleanup::{self, Child};
use super::own_copy::OwnCopy;
use bench_kit::client::Client;
use bench_kit::process_clock::ProcessClock;

/// Time a server has until it can be connected to.
const START_WITHIN: Duration = Duration::from_secs(10);

/// Between two looks at a server that does not say when it is ready.
const LOOK_EVERY: Duration = Duration::from_millis(5);

/// Bytes of a server's stderr that an error shows, from the end.
const LAST_WORDS: usize = 2048;

/// How to start a server.
#[derive(Clone, Debug)]
pub enum Program {
    /// A `ws-server`, which says on stdout where it listens.
    Server(PathBuf),
    /// Any server: a shell command with `{port}` where the port belongs.
    Command(String),
}

/// What a workload wants of a `ws-server`; a command is started as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settings {
    /// Between two dashboard snapshots; the server's own default if `None`.
    pub tick: Option<Duration>,
    /// More flags.
    pub flags: Vec<String>,
}

/// A running server. Dropping it ends it.
#[derive(Debug)]
pub struct ServerProcess {
    /// What errors call it.
    name: String,
    child: Child,
    addr: SocketAddr,
    clock: ProcessClock,
    stderr: File,
}

impl ServerProcess {
    /// Starts `program` on a free port of 127.0.0.1 and waits until it takes connections. `padding` bytes more of
    /// environment move its stack: a process is a sample of one memory layout.
    ///
    /// # Errors
    ///
    /// If it cannot be started or ends before it serves: with what it said on stderr.
    pub fn start(
        name: &str,
        program: &Program,
        settings: &Settings,
        padding: usize,
    ) -> Result<Self> {
        let stderr =
            tempfile::tempfile().context("cannot keep a server's stderr; look with df -h /tmp")?;
        let copy;
        let (mut command, port) = match program {
            Program::Server(path) => {
                copy = OwnCopy::of(path).with_context(|| format!("cannot start {name}"))?;
                (server_command(copy.command(), settings), None)
            }
            Program::Command(words) => {
                let port = free_port()?;
                (shell_command(words, port), Some(port))
            }
        };
        command
            .env("PLIMSOLL_PADDING", OsString::from("x".repeat(padding)))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(stderr.try_clone()?);
        let child = cleanup::spawn(&mut command)
            .with_context(|| format!("cannot start {name}: {}", program.words()))?;
        let mut starting = Starting { name, child, stderr };
        let addr = match port {
            None => starting.said()?,
            Some(port) => starting.answers(SocketAddr::from((Ipv4Addr::LOCALHOST, port)))?,
        };
        let Starting { child, stderr, .. } = starting;
        let clock = ProcessClock::of_group(child.id())
            .with_context(|| format!("cannot read the processor time of {name}"))?;
        Ok(Self { name: name.to_owned(), child, addr, clock, stderr })
    }

    /// What errors call it.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Where it listens.
    #[must_use]
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Nanoseconds it has spent on a processor.
    ///
    /// # Errors
    ///
    /// If it is gone.
    pub fn cpu_ns(&self) -> Result<f64> {
        Ok(self.clock.read().context("it has ended")?.as_nanos() as f64)
    }

    /// Says of an error which server it is about, and whether that one is still there.
    pub fn blame(&mut self, error: anyhow::Error) -> anyhow::Error {
        // A connection breaks a moment before the process that held it is gone.
        std::thread::sleep(LOOK_EVERY);
        let state = match self.child.try_wait() {
            Ok(Some(status)) => format!("{} ended in the middle ({status})", self.name),
            _ => format!("{} did not answer as it should", self.name),
        };
        error.context(format!("{state}{}", last_words(&self.stderr)))
    }
}

impl Program {
    /// What a person typed.
    #[must_use]
    pub fn words(&self) -> String {
        match self {
            Self::Server(path) => path.display().to_string(),
            Self::Command(words) => words.clone(),
        }
    }
}

struct Starting<'a> {
    name: &'a str,
    child: Child,
    stderr: File,
}

impl Starting<'_> {
    /// The address in `listening on http://127.0.0.1:43121`.
    fn said(&mut self) -> Result<SocketAddr> {
        let stdout = self.child.take_stdout().context("stdout was asked for")?;
        let (sender, receiver) = mpsc::channel();
        std::thread::spawn(move || {
            let mut line = String::new();
            let read = BufReader::new(stdout).read_line(&mut line);
            // Nobody waits any more if it took too long.
            drop(sender.send(read.map(|_| line)));
        });
        let line = match receiver.recv_timeout(START_WITHIN) {
            Ok(line) => line?,
            Err(_) => bail!(
                "{} says nothing; is it a ws-server? Other servers: --base-cmd and --head-cmd",
                self.name
            ),
        };
        let addr = line.trim_end().strip_prefix("listening on http://");
        match addr.and_then(|addr| addr.parse().ok()) {
            Some(addr) => Ok(addr),
            None if line.is_empty() => {
                bail!("{} ended before it served{}", self.name, last_words(&self.stderr))
            }
            None => bail!(
                "{} did not say where it listens but {line:?}; is it a ws-server? Other servers: --base-cmd and \
                 --head-cmd",
                self.name
            ),
        }
    }

    fn answers(&mut self, addr: SocketAddr) -> Result<SocketAddr> {
        // Nobody reads what a command prints; a full pipe must not stop it.
        if let Some(mut stdout) = self.child.take_stdout() {
            std::thread::spawn(move || std::io::copy(&mut stdout, &mut std::io::sink()));
        }
        let deadline = Instant::now() + START_WITHIN;
        loop {
            if let Some(status) = self.child.try_wait()? {
                bail!(
                    "{} ended before it served ({status}){}",
                    self.name,
                    last_words(&self.stderr)
                );
            }
            if Client::connect(addr).is_ok() {
                return Ok(addr);
            }
            ensure!(
                Instant::now() < deadline,
                "{} does not listen on port {} after {} s; does its command use {{port}}?{}",
                self.name,
                addr.port(),
                START_WITHIN.as_secs(),
                last_words(&self.stderr)
            );
            std::thread::sleep(LOOK_EVERY);
        }
    }
}

fn server_command(mut command: Command, settings: &Settings) -> Command {
    // One thread serves: how a run-time spreads its work over cores is not what is compared.
    command.args(["--bind", "127.0.0.1:0", "--workers", "1"]).args(&settings.flags);
    if let Some(tick) = settings.tick {
        command.arg("--tick-ms").arg(tick.as_millis().to_string());
    }
    command.env("RUST_LOG", "error");
    command
}

fn shell_command(words: &str, port: u16) -> Command {
    let mut command = Command::new("sh");
    command.arg("-c").arg(words.replace("{port}", &port.to_string()));
    command
}

/// A port that nobody has at the moment; whoever takes it before the server does makes the server say so.
fn free_port() -> Result<u16> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("no port is free")?;
    Ok(listener.local_addr()?.port())
}

/// The end of what was written to stderr, on lines of its own.
fn last_words(stderr: &File) -> String {
    let mut bytes = vec![0; LAST_WORDS];
    let length = stderr.metadata().map_or(0, |metadata| metadata.len());
    // The server writes at the position of the same open file: it must stay where it is.
    let read = stderr.read_at(&mut bytes, length.saturating_sub(LAST_WORDS as u64));
    let text = String::from_utf8_lossy(&bytes[..read.unwrap_or(0)]);
    match text.trim() {
        "" => String::new(),
        words => format!("; it said:\n{words}"),
    }
}
