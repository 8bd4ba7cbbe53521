use std::cell::Cell;
use std::error::Error as _;
use std::future::{Ready, ready};
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use bytes::Bytes;
use futures::future::{Either, select};
use http_body_util::Full;
use hyper::body::{Body as _, Incoming};
use hyper::service::Service;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::Role;

use crate::Context;
use crate::dashboard::Subscriber;
use crate::echo::Echo;
use crate::frames::Limits;
use crate::http::{self, Admission, Route};
use crate::http_stream::{HttpStream, Progress};
use crate::linger::farewell;
use crate::session;
use crate::shutdown::Busy;
use crate::stats::ErrorKind;
use crate::wire::Wire;

const HTTP2_PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

const NOT_HTTP2: &[u8] = b"HTTP/1.1 505 HTTP Version Not Supported\r\nconnection: close\r\n\
    content-type: text/plain; charset=utf-8\r\ncontent-length: 13\r\n\r\nuse HTTP/1.1\n";

/// Serves one stream from its first byte to its last: HTTP, then, after an upgrade, WebSocket.
///
/// The stream counts as one open connection while this runs. It ends when the peer ends it, on an error (which is
/// counted, not returned), or when the server shuts down.
pub async fn serve_connection<S>(io: S, context: &Context)
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let admission = http::admit(context);
    let busy = Busy::new(&context.shutdown);
    let (io, route, leftover) = match serve_http(io, context, &admission, &busy).await {
        Some(Behind::Frames { io, route, leftover }) => {
            busy.begin();
            (io, route, leftover)
        }
        Some(Behind::Nothing { mut io, last }) => {
            return farewell(&mut io, &context.config.clock, last).await;
        }
        None => return,
    };
    context.stats.upgrades_total.fetch_add(1, Relaxed);
    let ws = {
        // What lives across the session makes the task of every connection larger.
        let config = match route {
            Route::Echo => context.config.echo(),
            Route::Dashboard => context.config.dashboard(),
        };
        let wire = Wire::new(io, leftover, Limits::of(&config), &context.config);
        WebSocketStream::from_raw_socket(wire, Role::Server, Some(config)).await
    };
    let finish = match route {
        Route::Echo => Echo::new(ws, context).run().await,
        // In a box, so that no echo session reserves the room that a subscriber takes.
        Route::Dashboard => Box::pin(async move { Subscriber::new(ws, context).run().await }).await,
    };
    if finish.dropped {
        busy.drop_peer();
    }
}

/// What comes behind the last request of a connection.
enum Behind<S> {
    /// An upgrade: frames, the first of which may have been read with the request.
    Frames { io: S, route: Route, leftover: Vec<u8> },
    /// No more requests. The peer may still be sending, and must not lose its last answer by that; `last` is the part of
    /// it that hyper did not send.
    Nothing { io: S, last: &'static [u8] },
}

/// Answers requests until one of them is upgraded or refused; `None` if the connection ends before.
///
/// hyper's own upgrade would box the stream. Taking the connection apart instead keeps the type of the stream, and the
/// bytes that came behind the request.
async fn serve_http<S>(
    io: S,
    context: &Context,
    admission: &Admission<'_>,
    busy: &Busy<'_>,
) -> Option<Behind<S>>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let answered = AtomicBool::new(false);
    let progress = Progress::new(&context.config.clock, busy);
    let requests = Requests {
        context,
        admission,
        answered: &answered,
        progress: &progress,
        upgrade: Cell::new(None),
        has_body: Cell::new(false),
    };
    let io = TokioIo::new(HttpStream::new(io, &progress));
    let mut connection = context.http.serve_connection(io, requests);
    let serving = std::future::poll_fn(|cx| {
        // Until the peer has taken its last answer, and the server's side has ended; behind a 101 it does not end.
        let served = Pin::new(&mut connection).poll(cx);
        if served.is_pending() {
            progress.pause();
        }
        served
    });
    let Either::Left((served, _)) = select(serving, pin!(progress.stalled())).await else {
        tracing::debug!("http peer does not read");
        context.stats.error(ErrorKind::Stalled);
        busy.drop_peer();
        return None;
    };
    if let Err(error) = &served {
        tracing::debug!(%error, "http connection failed");
        // A peer that has its answers may send no other request, and may leave first.
        let has_answers = answered.load(Relaxed) && (error.is_timeout() || error.is_shutdown());
        if !has_answers {
            let broke = error.source().and_then(|cause| cause.downcast_ref::<io::Error>());
            context.stats.error(broke.map_or(ErrorKind::Http, session::lost));
        }
        if error.is_timeout() && progress.is_asked() {
            busy.drop_peer();
        }
        if !error.is_parse() {
            return None;
        }
    }
    let refused = served.is_err();
    let parts = connection.into_parts();
    let io = parts.io.into_inner().into_inner();
    if let Some(route) = parts.service.upgrade.get().filter(|_| !refused) {
        return Some(Behind::Frames { io, route, leftover: parts.read_buf.to_vec() });
    }
    let may_send = refused || parts.service.has_body.get() || !parts.read_buf.is_empty();
    // hyper ends a connection with the preface of HTTP/2 without an answer.
    let is_http2 = refused && parts.read_buf.starts_with(HTTP2_PREFACE);
    may_send.then_some(Behind::Nothing { io, last: if is_http2 { NOT_HTTP2 } else { b"" } })
}

/// The requests of one connection.
struct Requests<'a> {
    context: &'a Context,
    admission: &'a Admission<'a>,
    /// Whether there was a request. A reference, because taking the requests out of a failed connection would allocate;
    /// atomic, because a future that holds a reference to a `Cell` cannot move between threads.
    answered: &'a AtomicBool,
    progress: &'a Progress<'a>,
    /// The route of the request that was answered with 101.
    upgrade: Cell<Option<Route>>,
    /// Whether the last request has a body, which no route reads.
    has_body: Cell<bool>,
}

impl Service<Request<Incoming>> for Requests<'_> {
    type Response = Response<Full<Bytes>>;
    type Error = std::convert::Infallible;
    type Future = Ready<Result<Self::Response, Self::Error>>;

    fn call(&self, request: Request<Incoming>) -> Self::Future {
        let answer = || http::answer(&request, self.context, self.admission);
        let (response, route) = catch_unwind(AssertUnwindSafe(answer))
            .unwrap_or_else(|_| (http::failed(self.context), None));
        self.answered.store(true, Relaxed);
        let has_body = !request.body().is_end_stream();
        self.progress.answered(has_body);
        self.upgrade.set(route);
        self.has_body.set(has_body);
        ready(Ok(response))
    }
}
