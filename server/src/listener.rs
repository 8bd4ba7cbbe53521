use std::io;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt as _;
use futures::future::{Either, select};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::task::TaskTracker;

use crate::connection::serve_connection;
use crate::shutdown::unless_fired;
use crate::stats::{Counters, ErrorKind};
use crate::{Config, Context, Error, dashboard};

/// Pause after an accept call that failed for lack of descriptors or memory: the next call would fail as well, and open
/// connections need the processor to end.
const ACCEPT_BACK_OFF: Duration = Duration::from_millis(100);

/// The outcome of [`serve`].
#[derive(Clone, Debug)]
pub struct Report {
    /// The counters after the last connection ended.
    pub counters: Counters,
    /// Whether every connection ended within [`Config::drain`].
    pub drained: bool,
}

/// Serves `listener` until `shutdown` resolves, then drains: no more connections are accepted, `/readyz` answers 503,
/// every WebSocket is closed with 1001, and connections still open after [`Config::drain`] are dropped.
///
/// # Errors
///
/// [`Error::Config`] as [`Config::check`]; else as [`serve_wrapped`].
pub async fn serve(
    listener: TcpListener,
    config: Config,
    shutdown: impl Future<Output = ()>,
) -> Result<Report, Error> {
    serve_wrapped(listener, Context::new(config)?, shutdown, |stream| stream).await
}

/// [`serve`] with every accepted stream passed through `wrap`, so that an instrument can sit between the server and its
/// sockets. `TCP_NODELAY` is already set on the stream.
///
/// # Errors
///
/// [`Error::Exposed`] as [`crate::Access::check_bind`], [`Error::Io`] if the listener fails for good.
pub async fn serve_wrapped<S>(
    listener: TcpListener,
    context: Arc<Context>,
    shutdown: impl Future<Output = ()>,
    wrap: impl Fn(TcpStream) -> S,
) -> Result<Report, Error>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    if context.bound().is_none() {
        context.bind_to(listener.local_addr()?)?;
    }
    let tasks = TaskTracker::new();
    let hub = Arc::clone(&context);
    tasks.spawn(async move { dashboard::run_hub(&hub).await });
    {
        let mut shutdown = std::pin::pin!(shutdown);
        loop {
            match select(shutdown.as_mut(), std::pin::pin!(listener.accept())).await {
                Either::Left(((), _)) => break,
                Either::Right((Ok((stream, _)), _)) => spawn(&tasks, &context, stream, &wrap),
                Either::Right((Err(error), _)) => after_failed_accept(&context, error).await?,
            }
        }
    }
    drop(listener);
    let drained = drain(&tasks, &context).await;
    Ok(Report { counters: context.stats.counters(), drained })
}

fn spawn<S>(
    tasks: &TaskTracker,
    context: &Arc<Context>,
    stream: TcpStream,
    wrap: impl Fn(TcpStream) -> S,
) where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    if let Err(error) = stream.set_nodelay(true) {
        // Fails only if the peer has already reset the connection.
        tracing::debug!(%error, "the peer left before it was served");
        context.stats.error(ErrorKind::Reset);
        return;
    }
    let stream = wrap(stream);
    let context = Arc::clone(context);
    tasks.spawn(async move {
        let connection = std::pin::pin!(serve_connection(stream, &context));
        let served = unless_fired(&context.shutdown.kill, connection);
        // The last net: a session ends with 1011, but a panic before the upgrade or in the close has only this.
        if AssertUnwindSafe(served).catch_unwind().await.is_err() {
            context.panicked("a connection");
        }
    });
}

/// Ignores a connection that broke in the queue, pauses if the machine lacks resources, and ends the server otherwise.
async fn after_failed_accept(context: &Context, error: io::Error) -> Result<(), Error> {
    use rustix::io::Errno;
    context.stats.error(ErrorKind::Accept);
    let errno = error.raw_os_error().map(Errno::from_raw_os_error);
    match errno {
        Some(Errno::CONNABORTED | Errno::CONNRESET | Errno::INTR | Errno::PROTO) => Ok(()),
        Some(Errno::MFILE | Errno::NFILE | Errno::NOBUFS | Errno::NOMEM) => {
            tracing::warn!(%error, "cannot accept a connection; trying again");
            context.config.clock.sleep(ACCEPT_BACK_OFF).await;
            Ok(())
        }
        _ => Err(Error::Io(error)),
    }
}

async fn drain(tasks: &TaskTracker, context: &Context) -> bool {
    context.shutdown.drain.fire();
    tasks.close();
    let timeout = std::pin::pin!(context.config.clock.sleep(context.config.drain));
    let drained = matches!(select(std::pin::pin!(tasks.wait()), timeout).await, Either::Left(_));
    if !drained {
        tracing::warn!(open = tasks.len(), "dropping connections that did not end in time");
        context.shutdown.kill.fire();
        tasks.wait().await;
    }
    drained
}
