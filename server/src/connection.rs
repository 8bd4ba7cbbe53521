use std::cell::Cell;
use std::error::Error as _;
use std::future::{Ready, ready};
use std::io;
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use bytes::Bytes;
use futures::future::{Either, select};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::service::Service;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::Role;

use crate::Context;
use crate::dashboard::Subscriber;
use crate::echo::Echo;
use crate::http::{self, Admission, Route};
use crate::http_stream::{HttpStream, Writes};
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
    let upgraded = AtomicBool::new(false);
    let upgrade = Cell::new(None);
    let requests =
        Requests { context, admission, answered: &answered, upgraded: &upgraded, upgrade };
    let writes = Writes::new(&context.config.clock);
    let io = TokioIo::new(HttpStream::new(io, &writes));
    let mut connection = context.http.serve_connection(io, requests);
    let mut drain = pin!(context.shutdown.drain.fired());
    let mut draining = false;
    let serving = std::future::poll_fn(|cx| {
        if !draining && drain.as_mut().poll(cx).is_ready() {
            draining = true;
            // It would drop a 101 that the peer has not taken yet. The session behind it sees the drain.
            if !upgraded.load(Relaxed) {
                Pin::new(&mut connection).graceful_shutdown();
            }
        }
        // Until the peer has taken its last answer, and the server's side has ended; behind a 101 it does not end.
        Pin::new(&mut connection).poll(cx)
    });
    let Either::Left((served, _)) = select(serving, pin!(writes.stalled())).await else {
        tracing::debug!("http peer does not read");
        context.stats.error(ErrorKind::Stalled);
        return None;
    };
    if let Err(error) = served {
        tracing::debug!(%error, "http connection failed");
        // A peer that has its answers may send no other request, and may leave first.
        let has_answers = answered.load(Relaxed) && (error.is_timeout() || error.is_shutdown());
        if !has_answers {
            let broke = error.source().is_some_and(|cause| cause.is::<io::Error>());
            context.stats.error(if broke { ErrorKind::Reset } else { ErrorKind::Http });
        }
        return None;
    }
    let parts = connection.into_parts();
    let route = parts.service.upgrade.get()?;
    Some((parts.io.into_inner().into_inner(), route, parts.read_buf.to_vec()))
}

/// The requests of one connection.
struct Requests<'a> {
    context: &'a Context,
    admission: &'a Admission<'a>,
    /// Whether there was a request. A reference, because taking the requests out of a failed connection would allocate;
    /// atomic, because a future that holds a reference to a `Cell` cannot move between threads.
    answered: &'a AtomicBool,
    /// Whether the last request was answered with 101.
    upgraded: &'a AtomicBool,
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
        self.upgraded.store(route.is_some(), Relaxed);
        self.upgrade.set(route);
        ready(Ok(response))
    }
}
