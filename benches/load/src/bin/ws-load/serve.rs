use std::io::Write;
use std::process::ExitCode;

use anyhow::{Context, Result};
use server::Config;
use tokio::net::TcpListener;
use tokio::runtime;

/// The server of a run without a URL: one thread, so that the load has the other processors, and the same allocations
/// every time. It ends when whoever started it ends it.
pub(crate) fn run() -> Result<ExitCode> {
    bench_kit::descriptors::raise(64)?;
    let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.context("no port is free")?;
        let mut stdout = std::io::stdout().lock();
        writeln!(stdout, "listening on http://{}", listener.local_addr()?)?;
        stdout.flush()?;
        drop(stdout);
        server::serve(listener, Config::default(), std::future::pending()).await?;
        Ok(ExitCode::SUCCESS)
    })
}
