use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::process::{Child, ChildStderr, ChildStdout, Command, ExitStatus, Stdio};

use rustix::process::{Pid, Signal, kill_process};

use super::get;

/// A running `ws-server`; dropping it kills it.
pub(crate) struct Process {
    child: Child,
    stdout: BufReader<ChildStdout>,
    pub(crate) stderr: BufReader<ChildStderr>,
}

pub(crate) fn command(program: &str) -> Command {
    let mut command = Command::new(program);
    command.env_remove("RUST_LOG").stdin(Stdio::null());
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

pub(crate) fn ws_server() -> Command {
    command(env!("CARGO_BIN_EXE_ws-server"))
}

impl Process {
    pub(crate) fn start(mut command: Command) -> Self {
        let mut child = command.spawn().expect("the binary is built");
        let stdout = BufReader::new(child.stdout.take().expect("stdout is piped"));
        let stderr = BufReader::new(child.stderr.take().expect("stderr is piped"));
        Self { child, stdout, stderr }
    }

    /// Started at a free port, with `flags`.
    pub(crate) fn listening(flags: &[&str]) -> (Self, SocketAddr) {
        let mut command = ws_server();
        command.args(["--bind", "127.0.0.1:0"]).args(flags);
        let mut process = Self::start(command);
        let addr = process.announced();
        // Once it answers, it also handles signals.
        assert_eq!(get(addr, "/healthz").status, 200);
        (process, addr)
    }

    /// The address in the next line on stdout.
    pub(crate) fn announced(&mut self) -> SocketAddr {
        let mut line = String::new();
        self.stdout.read_line(&mut line).expect("stdout is open");
        let addr =
            line.strip_prefix("listening on http://").and_then(|line| line.strip_suffix('\n'));
        let addr: SocketAddr = addr.and_then(|addr| addr.parse().ok()).expect(&line);
        assert!(addr.port() > 0);
        addr
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).expect("the process is there");
    }

    /// How it ended, and what else it wrote to stdout and stderr.
    pub(crate) fn ended(mut self) -> (ExitStatus, String, String) {
        let (mut stdout, mut stderr) = (String::new(), String::new());
        self.stdout.read_to_string(&mut stdout).expect("stdout is text");
        self.stderr.read_to_string(&mut stderr).expect("stderr is text");
        (self.child.wait().expect("the process is ours"), stdout, stderr)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // The process has already ended unless the test failed.
        if self.child.kill().is_ok() {
            self.child.wait().expect("the process is ours");
        }
    }
}
