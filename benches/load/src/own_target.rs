//! A server in a process of its own, as that of a run without a URL.

use std::convert::Infallible;
use std::io::{BufRead, BufReader};
use std::net::{Ipv4Addr, SocketAddr};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result, bail};
use bench_show::output::print;
use server::{Config, Embedded};

/// The hidden subcommand that calls [`serve`]; see [`OwnTarget::start`].
pub const SERVE: &str = "serve";

/// Serves on a free port of the loopback interface until the process is killed, and prints `listening on http://ADDR`.
/// One thread serves, so that the load has the other processors and allocations repeat exactly.
///
/// # Errors
///
/// If there is no free port, thread or descriptor.
pub fn serve() -> Result<Infallible> {
    bench_kit::descriptors::raise(64)?;
    // Embedded, because an async function would be compiled once more in this crate.
    let server = Embedded::start(Config::default())?;
    print(&format!("listening on http://{}\n", server.addr()))?;
    loop {
        std::thread::park();
    }
}

/// A running server. Dropping it kills the process.
#[derive(Debug)]
pub struct OwnTarget {
    child: Child,
    addr: SocketAddr,
    url: String,
}

impl OwnTarget {
    /// Starts this executable with [`SERVE`], which must call [`serve`]. A process of its own has its own allocations,
    /// descriptors and processor time. It is killed when this process ends.
    ///
    /// # Errors
    ///
    /// If the process cannot be started, or does not print its address.
    pub fn start() -> Result<Self> {
        let exe = std::env::current_exe().context("cannot find this executable")?;
        let mut command = Command::new(exe);
        command.arg(SERVE);
        Self::spawn(command).context("cannot start a server; give a URL instead")
    }

    /// Starts a server that prints `listening on http://ADDR` first. It is killed when this thread ends.
    ///
    /// # Errors
    ///
    /// If the process cannot be started, or does not print its address.
    pub fn spawn(mut command: Command) -> Result<Self> {
        command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            // Ctrl-C on the terminal must not end the server while this process still waits for answers.
            .process_group(0);
        // SAFETY: prctl is a system call that touches no memory; it may be made between fork and exec.
        unsafe {
            command.pre_exec(|| {
                libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL);
                Ok(())
            });
        }
        let program = command.get_program().display().to_string();
        let mut child = command.spawn().with_context(|| format!("cannot start {program}"))?;
        let stdout = child.stdout.take().context("the server has no stdout")?;
        let addr = (Ipv4Addr::LOCALHOST, 0).into();
        let mut own = Self { child, addr, url: String::new() };
        let mut line = String::new();
        BufReader::new(stdout)
            .read_line(&mut line)
            .context("cannot read the address of the server")?;
        let Some(addr) = line.trim_end().strip_prefix("listening on http://") else {
            bail!("{program} printed {line:?} instead of its address");
        };
        own.addr = addr.parse().with_context(|| format!("{addr:?} is not an address"))?;
        own.url = format!("ws://{addr}/ws/echo");
        Ok(own)
    }

    /// The address that the server listens on.
    #[must_use]
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// The URL of the echo endpoint.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The process id.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// The process.
    pub fn child(&mut self) -> &mut Child {
        &mut self.child
    }
}

impl Drop for OwnTarget {
    fn drop(&mut self) {
        // No connection is left to drain. Errors mean that the process has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
