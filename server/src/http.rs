//! Routes, upgrades and refusals.

use std::sync::Mutex;
use std::sync::atomic::Ordering::Relaxed;

use bytes::Bytes;
use http_body_util::Full;
use hyper::header::{
    ALLOW, CACHE_CONTROL, CONNECTION, CONTENT_TYPE, HeaderName, HeaderValue, RETRY_AFTER,
    SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_VERSION, UPGRADE,
};
use hyper::{Method, Request, Response, StatusCode, Version};
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

use crate::context::Feed;
use crate::history::History;
use crate::stats::OpenGuard;
use crate::{Context, metrics, page};

/// Seconds after which a refused client may try again.
const RETRY_SECONDS: &str = "1";

/// The route of an upgraded connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Route {
    Echo,
    Dashboard,
}

impl Route {
    fn from_path(path: &str, feed: &Feed) -> Option<Self> {
        match (path, feed) {
            ("/ws/echo", Feed::Server) => Some(Self::Echo),
            ("/ws/dashboard", _) => Some(Self::Dashboard),
            _ => None,
        }
    }
}

/// One open connection, counted.
#[derive(Debug)]
pub(crate) struct Admission<'a> {
    _open: OpenGuard<'a>,
    over_limit: bool,
}

/// Counts the connection. A connection over the limit is admitted, so that its requests can be refused with 503.
pub(crate) fn admit(context: &Context) -> Admission<'_> {
    context.stats.connections_total.fetch_add(1, Relaxed);
    let open = OpenGuard::new(&context.stats.connections_open);
    let over_limit =
        context.stats.connections_open.load(Relaxed) > context.stats.connection_limit();
    Admission { _open: open, over_limit }
}

type Answer = Response<Full<Bytes>>;

/// The answer to one request, and the route of its connection if the answer is 101.
pub(crate) fn answer<B>(
    request: &Request<B>,
    context: &Context,
    admission: &Admission<'_>,
) -> (Answer, Option<Route>) {
    let path = request.uri().path();
    let Some(route) = Route::from_path(path, &context.feed) else {
        return (plain(request.method(), path, context, admission), None);
    };
    match upgrade(request, context, admission) {
        Ok(response) => (response, Some(route)),
        Err(refusal) => (refusal, None),
    }
}

/// What a request without an upgrade asks for.
enum Plain<'a> {
    Asset(&'static page::Asset),
    History(&'a Mutex<History>),
    Health,
    Readiness,
    Metrics,
}

fn plain(method: &Method, path: &str, context: &Context, admission: &Admission<'_>) -> Answer {
    let asked = match (path, &context.feed) {
        ("/healthz", _) => Plain::Health,
        ("/readyz", Feed::Server) => Plain::Readiness,
        ("/metrics", Feed::Server) => Plain::Metrics,
        ("/history", Feed::Published(history)) => Plain::History(history),
        (_, feed) => match page::asset(path) {
            Some(asset) => Plain::Asset(asset),
            None => return text(StatusCode::NOT_FOUND, not_found(feed)),
        },
    };
    if method != Method::GET && method != Method::HEAD {
        return refuse(StatusCode::METHOD_NOT_ALLOWED, "use GET\n", &[(ALLOW, "GET, HEAD")]);
    }
    match asked {
        Plain::Health => text(StatusCode::OK, "ok\n"),
        Plain::Readiness if context.shutdown.drain.is_fired() => {
            text(StatusCode::SERVICE_UNAVAILABLE, "draining\n")
        }
        Plain::Readiness => text(StatusCode::OK, "ready\n"),
        Plain::Metrics => {
            typed(StatusCode::OK, metrics::CONTENT_TYPE, metrics::encode(context).into())
        }
        Plain::History(history) => {
            let json = serde_json::to_vec(&*history.lock().expect("no holder panics"));
            typed(StatusCode::OK, "application/json", json.expect("a history is plain data").into())
        }
        Plain::Asset(_) if admission.over_limit => over_limit(context),
        Plain::Asset(asset) => asset.response(),
    }
}

fn not_found(feed: &Feed) -> &'static str {
    match feed {
        Feed::Server => {
            "nothing here: try /, /ws/echo, /ws/dashboard, /metrics, /healthz, /readyz\n"
        }
        Feed::Published(_) => "nothing here: try /, /ws/dashboard, /history, /healthz\n",
    }
}

/// The server's half of the opening handshake (RFC 6455 §4.2).
#[expect(
    clippy::result_large_err,
    reason = "a refusal is built once and moved twice; a box would cost a block"
)]
fn upgrade<B>(
    request: &Request<B>,
    context: &Context,
    admission: &Admission<'_>,
) -> Result<Answer, Answer> {
    if request.method() != Method::GET {
        return Err(refuse(
            StatusCode::METHOD_NOT_ALLOWED,
            "a WebSocket upgrade must use GET\n",
            &[(ALLOW, "GET")],
        ));
    }
    if request.version() != Version::HTTP_11 {
        return Err(text(StatusCode::BAD_REQUEST, "a WebSocket upgrade must use HTTP/1.1\n"));
    }
    let version = [(SEC_WEBSOCKET_VERSION, "13"), (UPGRADE, "websocket")];
    if !has_token(request, &UPGRADE, "websocket") || !has_token(request, &CONNECTION, "upgrade") {
        let reason =
            "a WebSocket upgrade needs the headers Connection: Upgrade and Upgrade: websocket\n";
        return Err(refuse(StatusCode::UPGRADE_REQUIRED, reason, &version));
    }
    if request.headers().get(SEC_WEBSOCKET_VERSION).is_none_or(|version| version != "13") {
        return Err(refuse(
            StatusCode::UPGRADE_REQUIRED,
            "only WebSocket version 13 is supported\n",
            &version,
        ));
    }
    let Some(key) = request.headers().get(SEC_WEBSOCKET_KEY).filter(|key| is_key(key.as_bytes()))
    else {
        return Err(text(
            StatusCode::BAD_REQUEST,
            "Sec-WebSocket-Key must be 16 bytes in base64\n",
        ));
    };
    if context.shutdown.drain.is_fired() {
        let reason = "the server is shutting down\n";
        return Err(refuse(
            StatusCode::SERVICE_UNAVAILABLE,
            reason,
            &[(RETRY_AFTER, RETRY_SECONDS)],
        ));
    }
    if admission.over_limit {
        return Err(over_limit(context));
    }
    let accept = derive_accept_key(key.as_bytes());
    let accept = HeaderValue::try_from(accept).expect("base64 is a header value");
    let response = Response::builder()
        .status(StatusCode::SWITCHING_PROTOCOLS)
        .header(CONNECTION, HeaderValue::from_static("upgrade"))
        .header(UPGRADE, HeaderValue::from_static("websocket"))
        .header(SEC_WEBSOCKET_ACCEPT, accept)
        .body(Full::default())
        .expect("constant headers are valid");
    Ok(response)
}

/// Whether a comma-separated header contains `token`, in any case and on any of its lines.
fn has_token<B>(request: &Request<B>, name: &HeaderName, token: &str) -> bool {
    request.headers().get_all(name).iter().any(|value| {
        value
            .to_str()
            .is_ok_and(|value| value.split(',').any(|item| item.trim().eq_ignore_ascii_case(token)))
    })
}

/// Whether `key` is 16 bytes in base64: 22 digits, of which the last carries two bits, and two signs of padding.
fn is_key(key: &[u8]) -> bool {
    let is_digit = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/');
    matches!(key, [digits @ .., b'=', b'='] if digits.len() == 22 && digits.iter().all(is_digit))
        && matches!(key[21], b'A' | b'Q' | b'g' | b'w')
}

fn over_limit(context: &Context) -> Answer {
    context.stats.connections_refused.fetch_add(1, Relaxed);
    let headers = [(RETRY_AFTER, RETRY_SECONDS), (CONNECTION, "close")];
    refuse(StatusCode::SERVICE_UNAVAILABLE, "the connection limit is reached\n", &headers)
}

fn refuse(
    status: StatusCode,
    reason: &'static str,
    headers: &[(HeaderName, &'static str)],
) -> Answer {
    let mut response = text(status, reason);
    for (name, value) in headers {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}

fn text(status: StatusCode, body: &'static str) -> Answer {
    typed(status, "text/plain; charset=utf-8", Bytes::from_static(body.as_bytes()))
}

fn typed(status: StatusCode, content_type: &'static str, body: Bytes) -> Answer {
    Response::builder()
        .status(status)
        .header(CONTENT_TYPE, HeaderValue::from_static(content_type))
        .header(CACHE_CONTROL, HeaderValue::from_static("no-store"))
        .body(Full::new(body))
        .expect("constant headers are valid")
}
