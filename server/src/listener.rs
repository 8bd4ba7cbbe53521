use std::panic::AssertUnwindSafe;
use std::pin::pin;
use std::sync::Arc;

use futures::FutureExt as _;
use futures::future::{Either, select};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio_util::task::TaskTracker;

use crate::connection::serve_connection;
use crate::signal::unless_fired;
use crate::socket::Accepted;
use crate::stats::Counters;
use crate::{Config, Context, Error, accept, dashboard};

/// The outcome of [`serve`].
#[derive(Clone, Debug)]
pub struct Report {
    /// The counters after the last connection ended.
    pub counters: Counters,
    /// Whether the drain ended within [`Config::drain`]: every WebSocket was closed, and every request that had begun was
    /// answered, or its peer was dropped within its own time.
    pub drained: bool,
    /// Peers that the drain did not end in order: they did not take or answer their close frame within 2 s, did not take
    /// an answer for 5 s, sent half a request and no more, or were left when the drain ran out of time. A drain is
    /// clean if it is 0. More than 0 does not make a drain fail: the peers had their time, and took no part.
    pub dropped: u64,
}

/// Serves `listener` until `shutdown` resolves, then drains: `/readyz` and upgrades are answered with 503, each answer is the
/// last of its connection, and every WebSocket is closed with 1001. New connections are still accepted, so that a prober
/// sees that the server is not ready, but the drain does not wait for them, nor for connections without a request. It
/// ends when nothing else is open, or after [`Config::drain`]; what is then left is dropped.
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
/// [`Error::Exposed`] as [`crate::Access::check_bind`]; [`Error::Io`] if the listener failed for good, after a drain.
pub async fn serve_wrapped<S>(
    listener: TcpListener,
    context: Arc<Context>,
    shutdown: impl Future<Output = ()>,
    wrap: impl Fn(Accepted) -> S,
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
    let most = context.config.max_connections + context.config.reserve();
    let take = |accepted: Accepted| {
        // The hub is one of the tasks.
        if tasks.len() > most {
            accept::refuse(&accepted, &context);
        } else {
            spawn(&tasks, &context, wrap(accepted));
        }
    };
    let (failure, drained) = {
        let mut accepting = pin!(accept::accept_all(listener, &context, take).fuse());
        let failure = match select(pin!(shutdown), accepting.as_mut()).await {
            Either::Left(_) => None,
            Either::Right((error, _)) => Some(error),
        };
        let drained = match select(pin!(drain(&context)), accepting).await {
            Either::Left((drained, _)) => drained,
            Either::Right((error, draining)) => {
                tracing::error!(%error, "the listener failed in the drain");
                draining.await
            }
        };
        (failure, drained)
    };
    context.shutdown.kill.fire();
    tasks.close();
    tasks.wait().await;
    match failure {
        Some(error) => Err(Error::Io(error)),
        None => {
            let dropped = context.shutdown.dropped();
            Ok(Report { counters: context.stats.counters(), drained, dropped })
        }
    }
}

fn spawn<S>(tasks: &TaskTracker, context: &Arc<Context>, stream: S)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let context = Arc::clone(context);
    tasks.spawn(async move {
        let connection = pin!(serve_connection(stream, &context));
        let served = unless_fired(&context.shutdown.kill, connection);
        // The last net: a session ends with 1011, but a panic before the upgrade or in the close has only this.
        if AssertUnwindSafe(served).catch_unwind().await.is_err() {
            context.panicked("a connection");
        }
    });
}

/// Waits until no connection is busy, at most for [`Config::drain`]. Returns whether that time was enough.
async fn drain(context: &Context) -> bool {
    let shutdown = &context.shutdown;
    shutdown.drain.fire();
    let timeout = pin!(context.config.clock.sleep(context.config.drain));
    let drained = matches!(select(pin!(shutdown.done()), timeout).await, Either::Left(_));
    if !drained {
        tracing::warn!(open = shutdown.busy(), "dropping connections that did not end in time");
    }
    drained
}
