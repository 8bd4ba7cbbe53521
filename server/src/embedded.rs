//! A server on a thread of its own, to be measured or tested.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::thread::JoinHandle;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::runtime;

use crate::listener::{Report, serve_wrapped};
use crate::signal::Signal;
use crate::socket::Accepted;
use crate::{Clock, Config, Context, Error, socket};

/// A running server on 127.0.0.1 at a free port, with its own thread and current-thread runtime.
///
/// [`Embedded::stop`] drains it and returns the outcome. Dropping it ends it at once, with all connections: a drop
/// without a stop usually follows a failure, and a drain would wait for peers that never answer.
#[derive(Debug)]
pub struct Embedded {
    addr: SocketAddr,
    context: Arc<Context>,
    stop: Arc<Signal>,
    thread: Option<JoinHandle<Result<Stopped, Error>>>,
}

/// The outcome of an embedded server.
#[derive(Debug)]
pub struct Stopped {
    /// Final counters, and whether the drain was clean.
    pub report: Report,
    /// Tasks that were still alive in the runtime when the server returned; 0 unless there is a leak.
    pub alive_tasks: usize,
}

impl Embedded {
    /// # Errors
    ///
    /// [`Error::Config`] as [`Config::check`]; [`Error::Bind`] or [`Error::Io`] if the machine has no port, descriptor
    /// or thread left.
    pub fn start(config: Config) -> Result<Self, Error> {
        Self::start_wrapped(config, |stream| stream)
    }

    /// [`Embedded::start`] with every accepted stream passed through `wrap`; see [`serve_wrapped`].
    ///
    /// # Errors
    ///
    /// As [`Embedded::start`].
    pub fn start_wrapped<S, W>(config: Config, wrap: W) -> Result<Self, Error>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
        W: Fn(Accepted) -> S + Send + 'static,
    {
        Self::launch(Context::new(config)?, (Ipv4Addr::LOCALHOST, 0).into(), wrap)
    }

    pub(crate) fn launch<S, W>(
        context: Arc<Context>,
        addr: SocketAddr,
        wrap: W,
    ) -> Result<Self, Error>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
        W: Fn(Accepted) -> S + Send + 'static,
    {
        let listener = socket::listen(addr, &context.config)?;
        let addr = listener.local_addr()?;
        context.bind_to(addr)?;
        let stop = Arc::new(Signal::default());
        let (served, stopped) = (Arc::clone(&context), Arc::clone(&stop));
        let thread = std::thread::Builder::new()
            .name("server".to_owned())
            .spawn(move || run(listener, served, &stopped, wrap))?;
        Ok(Self { addr, context, stop, thread: Some(thread) })
    }

    /// The address it listens on.
    #[must_use]
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    pub(crate) fn context(&self) -> &Context {
        &self.context
    }

    /// Its live counters.
    #[must_use]
    pub fn stats(&self) -> &crate::stats::Stats {
        self.context.stats()
    }

    /// Polls of futures that wait for its shutdown, which take locks that all connections share. WebSocket traffic adds
    /// none.
    #[must_use]
    pub fn shutdown_polls(&self) -> u64 {
        let shutdown = &self.context.shutdown;
        shutdown.drain.polls() + shutdown.kill.polls()
    }

    /// Begins a drain and returns at once, for a caller that takes part in the drain.
    pub fn request_stop(&self) {
        self.stop.fire();
    }

    /// Drains it, joins its thread, and returns the outcome.
    ///
    /// # Errors
    ///
    /// The error that ended the server early, or [`Error::Panicked`].
    pub fn stop(mut self) -> Result<Stopped, Error> {
        self.request_stop();
        let thread = self.thread.take().expect("only stop and drop take the thread");
        thread.join().map_err(|_| Error::Panicked)?
    }
}

impl Drop for Embedded {
    fn drop(&mut self) {
        self.request_stop();
        self.context.shutdown.kill.fire();
        if let Some(thread) = self.thread.take()
            && !matches!(thread.join(), Ok(Ok(_)))
        {
            tracing::error!("the embedded server failed or panicked");
        }
    }
}

fn run<S>(
    listener: std::net::TcpListener,
    context: Arc<Context>,
    stop: &Signal,
    wrap: impl Fn(Accepted) -> S,
) -> Result<Stopped, Error>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let mut builder = runtime::Builder::new_current_thread();
    builder.enable_io();
    // On a manual clock a timer of tokio's own is a mistake: no test could move it. Without its driver it panics.
    if let Clock::Real(_) = context.config.clock {
        builder.enable_time();
    }
    let runtime = builder.build()?;
    let report = runtime.block_on(async {
        let listener = tokio::net::TcpListener::from_std(listener)?;
        let stopped = async {
            stop.fired().await;
            // One turn of the I/O driver, which releases connections that have just ended: a stop right after a close
            // then allocates exactly as much as a later stop.
            tokio::task::yield_now().await;
        };
        serve_wrapped(listener, context, stopped, wrap).await
    })?;
    Ok(Stopped { report, alive_tasks: runtime.metrics().num_alive_tasks() })
}
