//! The program that is counted: its start, the port that it serves, its end.

use std::fs::File;
use std::io::{self, ErrorKind};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, TcpStream};
use std::os::unix::fs::FileExt;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use compare::cleanup::{self, Child, Guard};
use rustix::process::{Pid, Signal, kill_process};

use super::counters::{Counters, is_loaded};
use super::distrust::{IN_PROCESS, blind};
use super::proc;
use crate::error::Usage;

/// Time between two attempts to connect.
const POLL_INTERVAL: Duration = Duration::from_millis(5);

/// Length of the end of the program's output that an error quotes, in bytes.
const TAIL: usize = 600;

/// The port in a command line.
const PORT: &str = "{port}";

/// Variables that make runs alike: one worker thread of tokio; no heap of Python's beside `malloc`, no random hashes.
const STEADY: [(&str, &str); 3] =
    [("TOKIO_WORKER_THREADS", "1"), ("PYTHONMALLOC", "malloc"), ("PYTHONHASHSEED", "0")];

/// Refuses a command that cannot be told its port.
pub(super) fn check(command: &[String], port: Option<u16>) -> Result<(), Usage> {
    if port.is_some() || command.iter().any(|word| word.contains(PORT)) {
        return Ok(());
    }
    let name = command.first().map_or("", String::as_str);
    Err(Usage(format!(
        "the command has no {PORT}: write {PORT} where {name} takes its port, or say --port N if it has a fixed one"
    )))
}

/// A running program. Dropping it kills it, and every process that it has started.
pub(super) struct Program {
    child: Child,
    addr: SocketAddr,
    output: File,
    mark: String,
    /// On a signal, too.
    _strays: Guard,
}

impl Program {
    /// Starts `command` on `port`, or on a free one, and waits at most for `limit` until it accepts connections.
    pub(super) fn start(
        command: &[String],
        port: Option<u16>,
        limit: Duration,
        counters: &Counters,
    ) -> Result<Self> {
        let (name, arguments) = command.split_first().context("the command is empty")?;
        let port = port.map_or_else(free_port, Ok)?;
        ensure!(
            [IpAddr::from(Ipv4Addr::LOCALHOST), Ipv6Addr::LOCALHOST.into()]
                .iter()
                .all(|host| TcpStream::connect((*host, port)).is_err()),
            "port {port} is in use; end the program that serves it (ss -ltnp 'sport = :{port}' shows it), or say another --port"
        );
        let output = tempfile::tempfile()
            .context("cannot keep the program's output; check the disk with df -h /tmp")?;
        let number = port.to_string();
        let mut started = Command::new(name.replace(PORT, &number));
        started.args(arguments.iter().map(|word| word.replace(PORT, &number)));
        for (variable, value) in STEADY {
            if std::env::var_os(variable).is_none() {
                started.env(variable, value);
            }
        }
        started.env("PORT", &number).envs(counters.environment());
        started.stdin(Stdio::null()).stdout(output.try_clone()?).stderr(output.try_clone()?);
        let mark = counters.mark();
        let strays = Guard::new({
            let mark = mark.clone();
            move || kill_marked(&mark)
        });
        let child = cleanup::spawn(&mut started).map_err(|error| cannot_start(name, error))?;
        let addr = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let mut program = Self { child, addr, output, mark, _strays: strays };
        program.wait_for_port(limit)?;
        Ok(program)
    }

    pub(super) fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// The processes that listen on its port.
    pub(super) fn serving(&self) -> Result<Vec<u32>> {
        let port = self.addr.port();
        let serving = proc::listening_on(port)?;
        for pid in &serving {
            let is_ours = proc::group(*pid) == Some(self.child.id())
                || proc::was_started_with(*pid, &self.mark);
            ensure!(
                is_ours,
                "port {port} is served by process {pid} ({}), which this command did not start; end it, or say another --port",
                proc::name(*pid)
            );
        }
        Ok(serving)
    }

    /// The processes that it has started and that have no library of ours: what they do is not counted.
    pub(super) fn uncounted(&self) -> Result<Vec<u32>> {
        let is_one = |pid: &u32| {
            let started = proc::is_alive(*pid) && proc::was_started_with(*pid, &self.mark);
            // A process that has just ended has no mappings.
            started && proc::mapped(*pid).is_ok_and(|files| !files.is_empty() && !is_loaded(&files))
        };
        Ok(proc::all()?.into_iter().filter(is_one).collect())
    }

    /// Adds to an error whether the program still runs, and the end of its output.
    pub(super) fn blame(&mut self, error: anyhow::Error) -> anyhow::Error {
        // A connection breaks slightly before the process has ended.
        std::thread::sleep(POLL_INTERVAL);
        match self.has_ended() {
            Ok(true) => {
                let status = self
                    .child
                    .wait()
                    .map_or_else(|error| error.to_string(), |status| status.to_string());
                error.context(format!(
                    "the program ended while it was measured ({status}{})",
                    self.tail()
                ))
            }
            _ => error,
        }
    }

    /// Whether the program has ended, and every process that it has left behind. It is not reaped: that would kill a
    /// process that becomes a daemon and is still in its group.
    fn has_ended(&self) -> Result<bool> {
        let is_marked = |pid| proc::is_alive(pid) && proc::was_started_with(pid, &self.mark);
        Ok(!proc::is_alive(self.child.id()) && !proc::all()?.into_iter().any(is_marked))
    }

    /// Tries the port until it accepts a connection.
    fn wait_for_port(&mut self, limit: Duration) -> Result<()> {
        let port = self.addr.port();
        let deadline = Instant::now() + limit;
        loop {
            for host in [IpAddr::from(Ipv4Addr::LOCALHOST), Ipv6Addr::LOCALHOST.into()] {
                if TcpStream::connect((host, port)).is_ok() {
                    self.addr = SocketAddr::from((host, port));
                    return Ok(());
                }
            }
            if self.has_ended()? {
                let (status, tail) = (self.child.wait()?, self.tail());
                if tail.contains("Error relocating") {
                    return blind(format!(
                        "the program is linked with musl, which cannot load the counting library; build it for \
                         a target with glibc, or {IN_PROCESS}"
                    ));
                }
                bail!("the program ended before it served port {port} ({status}{tail})");
            }
            ensure!(
                Instant::now() < deadline,
                "the program does not listen on port {port} of this machine after {} s{}; check that its command \
                 uses {PORT} or the variable PORT, say --port N if it has a fixed one, or --start-within if it is \
                 slow",
                limit.as_secs(),
                self.tail()
            );
            std::thread::sleep(POLL_INTERVAL);
        }
    }

    /// The last lines of its output, in one.
    fn tail(&self) -> String {
        let mut bytes = vec![0; TAIL];
        let length = self.output.metadata().map_or(0, |metadata| metadata.len());
        let read = self.output.read_at(&mut bytes, length.saturating_sub(TAIL as u64));
        let text = String::from_utf8_lossy(&bytes[..read.unwrap_or(0)]);
        let lines: Vec<&str> =
            text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
        match &lines[lines.len().saturating_sub(4)..] {
            [] => ", and printed nothing".to_owned(),
            last => format!("; it printed: {}", last.join(" / ")),
        }
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // An error means that it has ended.
        drop(self.child.kill());
        kill_marked(&self.mark);
    }
}

/// Kills every process that was started to count here, whatever group it is in now.
fn kill_marked(mark: &str) {
    let marked = proc::all().unwrap_or_default();
    for pid in marked.into_iter().filter(|pid| proc::was_started_with(*pid, mark)) {
        if let Some(pid) = Pid::from_raw(pid as i32) {
            // An error means that it has just ended.
            _ = kill_process(pid, Signal::KILL);
        }
    }
}

fn cannot_start(name: &str, error: io::Error) -> anyhow::Error {
    let cure = match error.kind() {
        ErrorKind::NotFound => "there is no such program; build it, or correct its path",
        ErrorKind::PermissionDenied => {
            "it is not executable; name the program, not its folder or source"
        }
        _ => "see whether it runs by itself",
    };
    anyhow::Error::new(error).context(format!("cannot start {name}: {cure}"))
}

/// A port that is free now. If another process takes it before the program does, the program ends and says so.
fn free_port() -> Result<u16> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("no port is free")?;
    Ok(listener.local_addr()?.port())
}
