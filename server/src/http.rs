//! Routes, upgrades and refusals.

use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Body;
use hyper::header::{
    ALLOW, CACHE_CONTROL, CONNECTION, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderName,
    HeaderValue, RETRY_AFTER, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_PROTOCOL,
    SEC_WEBSOCKET_VERSION, UPGRADE, WWW_AUTHENTICATE, X_CONTENT_TYPE_OPTIONS,
};
use hyper::{Method, Request, Response, StatusCode, Version};
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

use crate::access::{self, Refusal, Secrecy};
use crate::config::Place;
use crate::context::Feed;
use crate::lock::lock;
use crate::request::Broken;
use crate::stats::{ErrorKind, OpenGuard};
use crate::{Context, metrics, page, request};

const TEXT: &str = "text/plain; charset=utf-8";

/// Seconds after which a refused client may try again.
const RETRY_SECONDS: &str = "1";

/// The route of an upgraded connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Route {
    Echo,
    Dashboard,
}

impl Route {
    fn from_path(path: &str, feed: Feed) -> Option<Self> {
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
type Header = (HeaderName, &'static str);

/// The answer to one request, and the route of its connection if the answer is 101. In a drain it is the last answer of
/// the connection.
pub(crate) fn answer<B: Body>(
    request: &Request<B>,
    context: &Context,
    admission: &Admission<'_>,
) -> (Answer, Option<Route>) {
    let (mut answer, route) = routed(request, context, admission);
    if route.is_none() && context.shutdown.drain.is_fired() {
        answer.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    }
    (answer, route)
}

fn routed<B: Body>(
    request: &Request<B>,
    context: &Context,
    admission: &Admission<'_>,
) -> (Answer, Option<Route>) {
    context.config.fault_at(Place::Request);
    if let Err(broken) = request::check(request) {
        return (bad_request(broken), None);
    }
    let path = request.uri().path();
    if let Err(refusal) = allowed(request, context) {
        context.stats.error(ErrorKind::Access);
        return (denied(refusal), None);
    }
    let Some(route) = Route::from_path(path, context.feed) else {
        return (plain(request.method(), path, context, admission), None);
    };
    let response = upgrade(request, context, admission);
    let upgraded = response.status() == StatusCode::SWITCHING_PROTOCOLS;
    (response, upgraded.then_some(route))
}

fn allowed<B>(request: &Request<B>, context: &Context) -> Result<(), Refusal> {
    let (uri, headers) = (request.uri(), request.headers());
    let authority = uri.authority().map(|authority| authority.as_str());
    let secrecy = Secrecy::of(uri.path());
    context.config.access.check(secrecy, context.bound(), authority, headers)
}

fn denied(refusal: Refusal) -> Answer {
    match refusal {
        Refusal::Host => text(
            StatusCode::FORBIDDEN,
            "this server does not know the host in the request; see --allow-host in its --help\n",
        ),
        Refusal::Origin => text(
            StatusCode::FORBIDDEN,
            "pages of this origin may not use this server; see --allow-origin in its --help\n",
        ),
        Refusal::Token => refuse(
            StatusCode::UNAUTHORIZED,
            "this server wants its token: Authorization: Bearer TOKEN, or the subprotocols plimsoll, bearer.TOKEN\n",
            &[(WWW_AUTHENTICATE, "Bearer")],
        ),
    }
}

/// The answer to a request without an upgrade.
fn plain(method: &Method, path: &str, context: &Context, admission: &Admission<'_>) -> Answer {
    let reads = method == Method::GET || method == Method::HEAD;
    let answer = match (path, context.feed) {
        ("/healthz", _) => match context.hub_silence() {
            None => text(StatusCode::OK, "ok\n"),
            Some(silence) => unhealthy(silence),
        },
        ("/readyz", Feed::Server) if context.shutdown.drain.is_fired() => {
            text(StatusCode::SERVICE_UNAVAILABLE, "draining\n")
        }
        ("/readyz", Feed::Server) => text(StatusCode::OK, "ready\n"),
        ("/metrics", Feed::Server) => {
            typed(StatusCode::OK, metrics::CONTENT_TYPE, metrics::encode(context))
        }
        ("/history", _) => {
            let json = serde_json::to_vec(&*lock(&context.history));
            typed(StatusCode::OK, "application/json", json.expect("a history is plain data"))
        }
        (_, feed) => match page::asset(path) {
            None => return text(StatusCode::NOT_FOUND, not_found(feed)),
            Some(_) if admission.over_limit && reads => over_limit(context),
            Some(asset) => with_headers(
                typed(StatusCode::OK, asset.content_type, asset.body),
                &[(CONTENT_SECURITY_POLICY, page::POLICY), (X_CONTENT_TYPE_OPTIONS, "nosniff")],
            ),
        },
    };
    if reads {
        return answer;
    }
    refuse(StatusCode::METHOD_NOT_ALLOWED, "use GET\n", &[(ALLOW, "GET, HEAD")])
}

fn unhealthy(silence: Duration) -> Answer {
    let why = format!("unhealthy: no snapshot for {} s; the log says why\n", silence.as_secs());
    typed(StatusCode::SERVICE_UNAVAILABLE, TEXT, why)
}

/// The answer to a request whose first answer panicked. What the connection would do next is unknown.
pub(crate) fn failed(context: &Context) -> Answer {
    context.panicked("the answer to a request");
    refuse(StatusCode::INTERNAL_SERVER_ERROR, "internal error\n", &[(CONNECTION, "close")])
}

fn not_found(feed: Feed) -> &'static str {
    match feed {
        Feed::Server => {
            "nothing here: try /, /ws/echo, /ws/dashboard, /metrics, /history, /healthz, /readyz\n"
        }
        Feed::Published => "nothing here: try /, /ws/dashboard, /history, /healthz\n",
    }
}

/// The server's half of the opening handshake (RFC 6455 §4.2), or a refusal.
fn upgrade<B: Body>(request: &Request<B>, context: &Context, admission: &Admission<'_>) -> Answer {
    if request.method() != Method::GET {
        let reason = "a WebSocket upgrade must use GET\n";
        return refuse(StatusCode::METHOD_NOT_ALLOWED, reason, &[(ALLOW, "GET")]);
    }
    if request.version() != Version::HTTP_11 {
        return text(StatusCode::BAD_REQUEST, "a WebSocket upgrade must use HTTP/1.1\n");
    }
    let version = [(SEC_WEBSOCKET_VERSION, "13"), (UPGRADE, "websocket")];
    if !has_token(request, &UPGRADE, "websocket") || !has_token(request, &CONNECTION, "upgrade") {
        let reason =
            "a WebSocket upgrade needs the headers Connection: Upgrade and Upgrade: websocket\n";
        return refuse(StatusCode::UPGRADE_REQUIRED, reason, &version);
    }
    if let Err(broken) = request::check_upgrade(request) {
        return bad_request(broken);
    }
    if request.headers().get(SEC_WEBSOCKET_VERSION).is_none_or(|version| version != "13") {
        let reason = "only WebSocket version 13 is supported\n";
        return refuse(StatusCode::UPGRADE_REQUIRED, reason, &version);
    }
    let Some(key) = request.headers().get(SEC_WEBSOCKET_KEY).filter(|key| is_key(key.as_bytes()))
    else {
        let reason = "Sec-WebSocket-Key must be 16 bytes in base64\n";
        return text(StatusCode::BAD_REQUEST, reason);
    };
    if context.shutdown.drain.is_fired() {
        let again = [(RETRY_AFTER, RETRY_SECONDS)];
        return refuse(StatusCode::SERVICE_UNAVAILABLE, "the server is shutting down\n", &again);
    }
    if admission.over_limit {
        return over_limit(context);
    }
    let accept = derive_accept_key(key.as_bytes());
    let mut answer = Response::builder()
        .status(StatusCode::SWITCHING_PROTOCOLS)
        .header(CONNECTION, HeaderValue::from_static("upgrade"))
        .header(UPGRADE, HeaderValue::from_static("websocket"))
        .header(SEC_WEBSOCKET_ACCEPT, accept)
        .body(Full::default())
        .expect("base64 and constants are header values");
    if access::offers_protocol(request.headers()) {
        let protocol = HeaderValue::from_static(access::PROTOCOL);
        answer.headers_mut().insert(SEC_WEBSOCKET_PROTOCOL, protocol);
    }
    answer
}

/// Whether a comma-separated header contains `token`, in any case and on any of its lines.
fn has_token<B>(request: &Request<B>, name: &HeaderName, token: &str) -> bool {
    let lines = request.headers().get_all(name).iter().filter_map(|line| line.to_str().ok());
    lines.flat_map(|line| line.split(',')).any(|item| item.trim().eq_ignore_ascii_case(token))
}

/// Whether `key` is 16 bytes in base64: 22 digits, of which the last carries two bits, and two signs of padding.
fn is_key(key: &[u8]) -> bool {
    let is_digit = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/');
    matches!(key, [digits @ .., b'=', b'='] if digits.len() == 22 && digits.iter().all(is_digit))
        && matches!(key[21], b'A' | b'Q' | b'g' | b'w')
}

/// Ends the connection as well: its peer may see a border between two requests where the server sees none.
fn bad_request(broken: Broken) -> Answer {
    refuse(StatusCode::BAD_REQUEST, broken, &[(CONNECTION, "close")])
}

fn over_limit(context: &Context) -> Answer {
    context.stats.connections_refused.fetch_add(1, Relaxed);
    let headers = [(RETRY_AFTER, RETRY_SECONDS), (CONNECTION, "close")];
    refuse(StatusCode::SERVICE_UNAVAILABLE, "the connection limit is reached\n", &headers)
}

fn refuse(status: StatusCode, reason: &'static str, headers: &[Header]) -> Answer {
    with_headers(text(status, reason), headers)
}

fn with_headers(mut answer: Answer, headers: &[Header]) -> Answer {
    for (name, value) in headers {
        answer.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    answer
}

fn text(status: StatusCode, body: &'static str) -> Answer {
    typed(status, TEXT, body)
}

fn typed(status: StatusCode, content_type: &'static str, body: impl Into<Bytes>) -> Answer {
    Response::builder()
        .status(status)
        .header(CONTENT_TYPE, HeaderValue::from_static(content_type))
        .header(CACHE_CONTROL, HeaderValue::from_static("no-store"))
        .body(Full::new(body.into()))
        .expect("constant headers are valid")
}
