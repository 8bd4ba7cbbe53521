//! A server of our own, in a process of its own, for a run without a URL.

use std::io::{BufRead, BufReader, Write};
use std::net::{Ipv4Addr, SocketAddr};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result, bail};
use server::Config;
use tokio::net::TcpListener;
use tokio::runtime;

/// The hidden subcommand that calls [`serve`]; see [`OwnTarget::start`].
pub const SERVE: &str = "serve";

/// Serves on a free port of the loopback interface until the process is killed, and prints `listening on http://ADDR`.
/// One thread serves, so that the load has the other processors and allocations repeat exactly.
///
/// # Errors
///
/// If there is no free port or no descriptor to listen with.
pub fn serve() -> Result<()> {
    bench_kit::descriptors::raise(64)?;
    let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.context("no port is free")?;
        let mut stdout = std::io::stdout().lock();
        writeln!(stdout, "listening on http://{}", listener.local_addr()?)?;
        stdout.flush()?;
        drop(stdout);
        server::serve(listener, Config::default(), std::future::pending()).await?;
        Ok(())
    })
}

/// A running server. Dropping it ends it.
#[derive(Debug)]
pub struct OwnTarget {
    child: Child,
    addr: SocketAddr,
    url: String,
}

impl OwnTarget {
    /// Starts this executable again with [`SERVE`], which must print `listening on http://ADDR` as `ws-server` does. A
    /// process of its own has its own allocations, descriptors and processor time, and is killed if we are.
    ///
    /// # Errors
    ///
    /// If it cannot be started or does not say where it listens.
    pub fn start() -> Result<Self> {
        let exe = std::env::current_exe().context("cannot find this executable")?;
        let mut command = Command::new(exe);
        command
            .arg(SERVE)
            .env("RUST_LOG", "error")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            // A Ctrl-C on the terminal is for us: it must not end the server while answers are awaited.
            .process_group(0);
        // SAFETY: prctl is a system call that touches no memory; it may be made between fork and exec.
        unsafe {
            command.pre_exec(|| {
                libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL);
                Ok(())
            });
        }
        let mut child = command.spawn().context("cannot start a server; give a URL instead")?;
        let stdout = child.stdout.take().context("stdout was asked for")?;
        let addr = (Ipv4Addr::LOCALHOST, 0).into();
        let mut own = Self { child, addr, url: String::new() };
        let mut line = String::new();
        BufReader::new(stdout).read_line(&mut line).context("the server says nothing")?;
        let Some(addr) = line.trim_end().strip_prefix("listening on http://") else {
            bail!("the server did not begin to listen; give a URL instead");
        };
        own.addr = addr.parse().with_context(|| format!("{addr:?} is no address"))?;
        own.url = format!("ws://{addr}/ws/echo");
        Ok(own)
    }

    /// Where it listens.
    #[must_use]
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Where it echoes.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Its process.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for OwnTarget {
    fn drop(&mut self) {
        // Everybody has left it: there is nothing to drain. One that has ended already is as good.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
