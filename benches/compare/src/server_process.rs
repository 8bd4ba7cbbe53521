//! A server under comparison, as a process: start, address, processor time, end.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use bench_kit::client::Client;
use bench_kit::process_clock::ProcessClock;
use bench_kit::random::SplitMix64;

use super::cleanup::{self, Child};
use super::layout::{PrivateImage, padding};
use super::subject::{CommandLine, Service};

/// Limit for the start, until the server accepts connections.
const START_TIMEOUT: Duration = Duration::from_secs(10);

/// Time between two attempts to connect to a server that does not announce itself.
const POLL_INTERVAL: Duration = Duration::from_millis(5);

/// Length of the end of a server's stderr that an error quotes, in bytes.
const STDERR_TAIL: usize = 2048;

/// What helps a server that does not announce its address.
const NO_WS_SERVER: &str = "unless it is a ws-server, say how it is started: command = \"{bin} --port {port}\" in \
                            plimsoll.toml, or --base-cmd and --head-cmd";

/// How to start a server.
#[derive(Clone, Debug)]
pub enum Program {
    /// A `ws-server`, which prints its address on stdout.
    Server(PathBuf),
    /// A server with a command line of its own.
    Own {
        /// Its program.
        bin: PathBuf,
        /// How it is started.
        line: CommandLine,
        /// The folder that it is started in.
        folder: PathBuf,
    },
    /// Any server: a shell command with `{port}` in the place of the port.
    Command(String),
}

/// Settings of a `ws-server` for a workload; a command is started unchanged.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ServerSettings {
    /// Time between two dashboard snapshots; `None` is the server's default.
    pub tick: Option<Duration>,
    /// More flags.
    pub flags: Vec<String>,
}

/// A running server. Dropping it kills it.
#[derive(Debug)]
pub struct ServerProcess {
    /// Its name in errors.
    name: String,
    child: Child,
    addr: SocketAddr,
    clock: ProcessClock,
    stderr: File,
}

impl ServerProcess {
    /// Starts `program` on a free port of 127.0.0.1 and waits until it accepts connections. `rng` places its stack.
    ///
    /// # Errors
    ///
    /// If the program cannot be started or ends before it serves; the message quotes its stderr.
    pub fn start(
        name: &str,
        program: &Program,
        settings: &ServerSettings,
        rng: &mut SplitMix64,
    ) -> Result<Self> {
        let stderr = tempfile::tempfile()
            .context("cannot keep a server's stderr; check the disk with df -h /tmp")?;
        let image;
        let (mut command, port) = match program {
            Program::Server(path) => {
                image = PrivateImage::of(path).with_context(|| format!("cannot start {name}"))?;
                (server_command(image.command(), settings), None)
            }
            Program::Own { bin, line, folder } => {
                let port = free_port()?;
                image = PrivateImage::of(bin).with_context(|| format!("cannot start {name}"))?;
                let mut command = image.command();
                command.args(line.arguments(port)).current_dir(folder);
                // One thread serves, as of a `ws-server`. The server's own variables win.
                command.env("TOKIO_WORKER_THREADS", "1").envs(line.environment(port));
                (command, Some(port))
            }
            Program::Command(script) => {
                let port = free_port()?;
                (shell_command(script, port), Some(port))
            }
        };
        command
            .envs([padding(rng)])
            .stdin(Stdio::null())
            // Only an address is read.
            .stdout(if port.is_none() { Stdio::piped() } else { Stdio::null() })
            .stderr(stderr.try_clone()?);
        let mut child = cleanup::spawn(&mut command)
            .with_context(|| format!("cannot start {name}: {}", program.name()))?;
        let addr = match port {
            None => announced_address(name, &mut child, &stderr)?,
            Some(port) => first_connection(name, &mut child, &stderr, port)?,
        };
        let clock = ProcessClock::of_group(child.id())
            .with_context(|| format!("cannot read the processor time of {name}"))?;
        Ok(Self { name: name.to_owned(), child, addr, clock, stderr })
    }

    /// Its name in errors.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The address it listens on.
    #[must_use]
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Processor time since its start, in nanoseconds.
    ///
    /// # Errors
    ///
    /// If the process has ended.
    pub fn cpu_ns(&self) -> Result<f64> {
        Ok(self.clock.read().context("the process has ended")?.as_nanos() as f64)
    }

    /// Adds to an error the name of the server, whether it still runs, and the end of its stderr.
    pub fn blame(&mut self, error: anyhow::Error) -> anyhow::Error {
        // The connection breaks slightly before the process has ended.
        std::thread::sleep(POLL_INTERVAL);
        let state = match self.child.try_wait() {
            Ok(Some(status)) => format!("{} ended during the measurement ({status})", self.name),
            _ => format!("{} gave a wrong answer or none", self.name),
        };
        error.context(format!("{state}{}", stderr_tail(&self.stderr)))
    }
}

impl Program {
    /// The server of a service, built as `bin`, in the folder of its workspace.
    #[must_use]
    pub fn of_service(service: &Service, bin: &Path, folder: &Path) -> Self {
        match &service.command {
            None => Self::Server(bin.to_owned()),
            Some(line) => {
                Self::Own { bin: bin.to_owned(), line: line.clone(), folder: folder.to_owned() }
            }
        }
    }

    /// The path or command that the user typed.
    #[must_use]
    pub fn name(&self) -> String {
        match self {
            Self::Server(path) => path.display().to_string(),
            Self::Own { line, .. } => line.text().to_owned(),
            Self::Command(command) => command.clone(),
        }
    }
}

/// The address in `listening on http://127.0.0.1:43121`.
fn announced_address(name: &str, child: &mut Child, stderr: &File) -> Result<SocketAddr> {
    let stdout = child.take_stdout().context("stdout is a pipe")?;
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || {
        let mut line = String::new();
        let read = BufReader::new(stdout).read_line(&mut line);
        // The receiver is gone after the timeout.
        drop(sender.send(read.map(|_| line)));
    });
    let line = match receiver.recv_timeout(START_TIMEOUT) {
        Ok(line) => line?,
        Err(_) => {
            bail!("{name} printed no address within {} s; {NO_WS_SERVER}", START_TIMEOUT.as_secs())
        }
    };
    let addr = line.trim_end().strip_prefix("listening on http://");
    match addr.and_then(|addr| addr.parse().ok()) {
        Some(addr) => Ok(addr),
        None if line.is_empty() => {
            bail!("{name} ended before it served; {NO_WS_SERVER}{}", stderr_tail(stderr))
        }
        None => bail!("{name} printed {line:?} instead of its address; {NO_WS_SERVER}"),
    }
}

/// Tries `port` until it accepts a connection.
fn first_connection(name: &str, child: &mut Child, stderr: &File, port: u16) -> Result<SocketAddr> {
    let addr = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let deadline = Instant::now() + START_TIMEOUT;
    loop {
        // First, because another process may have taken the port.
        if let Some(status) = child.try_wait()? {
            bail!("{name} ended before it served ({status}){}", stderr_tail(stderr));
        }
        if Client::connect(addr).is_ok() {
            return Ok(addr);
        }
        ensure!(
            Instant::now() < deadline,
            "{name} does not listen on port {port} after {} s; check that its command uses {{port}}{}",
            START_TIMEOUT.as_secs(),
            stderr_tail(stderr)
        );
        std::thread::sleep(POLL_INTERVAL);
    }
}

fn server_command(mut command: Command, settings: &ServerSettings) -> Command {
    // One thread serves. The runtime's distribution of work over cores is not compared.
    command.args(["--bind", "127.0.0.1:0", "--workers", "1"]).args(&settings.flags);
    if let Some(tick) = settings.tick {
        command.arg("--tick-ms").arg(tick.as_millis().to_string());
    }
    command.env("RUST_LOG", "error");
    command
}

fn shell_command(script: &str, port: u16) -> Command {
    let mut command = Command::new("sh");
    command.arg("-c").arg(script.replace("{port}", &port.to_string()));
    command
}

/// A port that is free now. If another process takes it before the server does, the server reports that.
fn free_port() -> Result<u16> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("no port is free")?;
    Ok(listener.local_addr()?.port())
}

/// The end of the server's stderr, on lines of its own.
fn stderr_tail(stderr: &File) -> String {
    let mut bytes = vec![0; STDERR_TAIL];
    let length = stderr.metadata().map_or(0, |metadata| metadata.len());
    // The server writes at the position of the same open file, so the position must not move.
    let read = stderr.read_at(&mut bytes, length.saturating_sub(STDERR_TAIL as u64));
    let text = String::from_utf8_lossy(&bytes[..read.unwrap_or(0)]);
    match text.trim() {
        "" => String::new(),
        text => format!("; its stderr ends with:\n{text}"),
    }
}
