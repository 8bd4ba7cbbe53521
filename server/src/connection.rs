use std::future::{Ready, ready};
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering::Relaxed};
use std::task::Poll;

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

/// Serves one stream from its first byte to its last: HTTP, then, once upgraded, WebSocket.
///
/// The stream counts as one open connection for as long as this runs. It ends when the peer does, on an error (which
/// is counted, not returned), or when the server shuts down.
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

/// Answers requests until one of them is upgraded; `None` if the connection ends without.
///
/// hyper's own upgrade would box the stream. Taking the connection apart instead keeps its type, and the bytes that
/// came behind the request.
async fn serve_http<S>(
    io: S,
    context: &Context,
    admission: &Admission<'_>,
) -> Option<(S, Route, Vec<u8>)>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let upgrade = AtomicU8::new(NOT_UPGRADED);
    let answered = AtomicBool::new(false);
    let service = Requests { context, admission, upgrade: &upgrade, answered: &answered };
    let mut connection = context.http.serve_connection(TokioIo::new(io), service);
    let mut drain = std::pin::pin!(context.shutdown.drain.fired());
    let mut draining = false;
    let served = std::future::poll_fn(|cx| {
        if !draining && drain.as_mut().poll(cx).is_ready() {
            draining = true;
            Pin::new(&mut connection).graceful_shutdown();
        }
        match connection.poll_without_shutdown(cx) {
            Poll::Ready(served) => Poll::Ready(served),
            Poll::Pending => Poll::Pending,
        }
    })
    .await;
    if let Err(error) = served {
        tracing::debug!(%error, "http connection failed");
        // A connection that was kept alive and not used again has done nothing wrong.
        if !(error.is_timeout() && answered.load(Relaxed)) {
            context.stats.error(ErrorKind::Http);
        }
        return None;
    }
    let parts = connection.into_parts();
    let mut io = parts.io.into_inner();
    let Some(route) = Route::from_tag(upgrade.load(Relaxed)) else {
        // The peer has its answer; if it does not take the end of the stream either, closing tells it.
        if let Err(error) = io.shutdown().await {
            tracing::trace!(%error, "peer left first");
        }
        return None;
    };
    Some((io, route, parts.read_buf.to_vec()))
}

const NOT_UPGRADED: u8 = 0;

/// The requests of one connection.
struct Requests<'a> {
    context: &'a Context,
    admission: &'a Admission<'a>,
    /// [`Route::tag`] of the request that was answered with 101.
    upgrade: &'a AtomicU8,
    /// Whether there was a request.
    answered: &'a AtomicBool,
}

impl Service<Request<Incoming>> for Requests<'_> {
    type Response = Response<Full<Bytes>>;
    type Error = std::convert::Infallible;
    type Future = Ready<Result<Self::Response, Self::Error>>;

    fn call(&self, request: Request<Incoming>) -> Self::Future {
        let (response, route) = http::answer(&request, self.context, self.admission);
        self.answered.store(true, Relaxed);
        if let Some(route) = route {
            self.upgrade.store(route.tag(), Relaxed);
        }
        ready(Ok(response))
    }
}
