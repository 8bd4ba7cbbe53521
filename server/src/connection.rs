use std::cell::Cell;
use std::future::{Ready, ready};
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::service::Service;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::Role;

use crate::Context;
use crate::dashboard::Subscriber;
use crate::echo::Echo;
use crate::http::{self, Admission, Route};
use crate::stats::ErrorKind;

/// Serves one stream from its first byte to its last: HTTP, then, after an upgrade, WebSocket.
///
/// The stream counts as one open connection while this runs. It ends when the peer ends it, on an error (which is
/// counted, not returned), or when the server shuts down.
pub async fn serve_connection<S>(io: S, context: &Context)
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let admission = http::admit(context);
    let Some((io, route, leftover)) = serve_http(io, context, &admission).await else { return };
    context.stats.upgrades_total.fetch_add(1, Relaxed);
    let config = match route {
        Route::Echo => context.config.echo(),
        Route::Dashboard => context.config.dashboard(),
    };
    let ws = WebSocketStream::from_partially_read(io, leftover, Role::Server, Some(config)).await;
    match route {
        Route::Echo => Echo::new(ws, context).run().await,
        Route::Dashboard => Subscriber::new(ws, context).run().await,
    }
}

/// Answers requests until one of them is upgraded; `None` if the connection ends without an upgrade.
///
/// hyper's own upgrade would box the stream. Taking the connection apart instead keeps the type of the stream, and the
/// bytes that came behind the request.
async fn serve_http<S>(
    io: S,
    context: &Context,
    admission: &Admission<'_>,
) -> Option<(S, Route, Vec<u8>)>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let answered = AtomicBool::new(false);
    let requests = Requests { context, admission, answered: &answered, upgrade: Cell::new(None) };
    let mut connection = context.http.serve_connection(TokioIo::new(io), requests);
    let mut drain = std::pin::pin!(context.shutdown.drain.fired());
    let mut draining = false;
    let served = std::future::poll_fn(|cx| {
        if !draining && drain.as_mut().poll(cx).is_ready() {
            draining = true;
            Pin::new(&mut connection).graceful_shutdown();
        }
        connection.poll_without_shutdown(cx)
    })
    .await;
    if let Err(error) = served {
        tracing::debug!(%error, "http connection failed");
        // A kept-alive connection that is not used again is not an error.
        if !(error.is_timeout() && answered.load(Relaxed)) {
            context.stats.error(ErrorKind::Http);
        }
        return None;
    }
    let parts = connection.into_parts();
    let mut io = parts.io.into_inner();
    let Some(route) = parts.service.upgrade.get() else {
        // The peer has its answer. If the shutdown fails, dropping the stream still ends the connection.
        if let Err(error) = io.shutdown().await {
            tracing::trace!(%error, "peer left first");
        }
        return None;
    };
    Some((io, route, parts.read_buf.to_vec()))
}

/// The requests of one connection.
struct Requests<'a> {
    context: &'a Context,
    admission: &'a Admission<'a>,
    /// Whether there was a request. A reference, because taking the requests out of a failed connection would allocate;
    /// atomic, because a future that holds a reference to a `Cell` cannot move between threads.
    answered: &'a AtomicBool,
    /// The route of the request that was answered with 101.
    upgrade: Cell<Option<Route>>,
}

impl Service<Request<Incoming>> for Requests<'_> {
    type Response = Response<Full<Bytes>>;
    type Error = std::convert::Infallible;
    type Future = Ready<Result<Self::Response, Self::Error>>;

    fn call(&self, request: Request<Incoming>) -> Self::Future {
        let (response, route) = http::answer(&request, self.context, self.admission);
        self.answered.store(true, Relaxed);
        self.upgrade.set(route);
        ready(Ok(response))
    }
}
