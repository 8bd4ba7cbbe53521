//! A relay of nostr-relay-builder behind hyper, as in its examples: hyper answers the upgrade, the relay takes the stream.

use std::net::SocketAddr;

use hyper::body::Incoming;
use hyper::header::{CONNECTION, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY, UPGRADE};
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode, http};
use hyper_util::rt::TokioIo;
use nostr_relay_builder::prelude::*;
use tokio::io::{AsyncRead, AsyncWrite};
use tungstenite::handshake::derive_accept_key;

/// A relay that keeps its events in memory, and takes none with more than 64 tags.
pub fn relay() -> LocalRelay {
    // By default an author is slowed down after 60 events a minute.
    let rate = RateLimit { notes_per_minute: 100_000, ..RateLimit::default() };
    LocalRelay::new(RelayBuilder::default().rate_limit(rate).write_policy(FewTags))
}

/// Serves one connection until its peer closes it.
pub async fn connection(
    stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static,
    peer: SocketAddr,
    relay: LocalRelay,
) -> hyper::Result<()> {
    let upgrade = service_fn(move |request| {
        let answer = upgrade(request, peer, relay.clone());
        async move { answer }
    });
    let connection = hyper::server::conn::http1::Builder::new();
    connection.serve_connection(TokioIo::new(stream), upgrade).with_upgrades().await
}

fn upgrade(
    request: Request<Incoming>,
    peer: SocketAddr,
    relay: LocalRelay,
) -> http::Result<Response<String>> {
    let Some(key) = request.headers().get(SEC_WEBSOCKET_KEY) else {
        return Response::builder()
            .status(StatusCode::BAD_REQUEST)
            .body("speak WebSocket".to_owned());
    };
    let accept = derive_accept_key(key.as_bytes());
    tokio::spawn(async move {
        let Ok(upgraded) = hyper::upgrade::on(request).await else { return };
        // An error is that of one connection, whose peer knows.
        _ = relay.take_connection(TokioIo::new(upgraded), peer).await;
    });
    Response::builder()
        .status(StatusCode::SWITCHING_PROTOCOLS)
        .header(CONNECTION, "upgrade")
        .header(UPGRADE, "websocket")
        .header(SEC_WEBSOCKET_ACCEPT, accept)
        .body(String::new())
}

#[derive(Debug)]
struct FewTags;

impl WritePolicy for FewTags {
    fn admit_event<'a>(
        &'a self,
        event: &'a Event,
        _: &'a SocketAddr,
    ) -> BoxedFuture<'a, PolicyResult> {
        #[cfg(feature = "planted")]
        let event = event.clone(); // planted
        let few = event.tags.len() <= 64;
        Box::pin(async move {
            if few {
                return PolicyResult::Accept;
            }
            PolicyResult::Reject("too many tags".to_owned())
        })
    }
}
