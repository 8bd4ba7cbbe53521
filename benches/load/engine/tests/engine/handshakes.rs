//! A target that never becomes a WebSocket is named before a load begins.

use load_engine::problem::Problem;
use load_engine::testing::Peer;
use load_plan::outcome::Ending;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_tungstenite::accept_hdr_async;
use tokio_tungstenite::tungstenite::handshake::server::{Request, Response};
use tokio_tungstenite::tungstenite::http::HeaderValue;

use crate::support::Profile;

/// A peer that reads the head of a request, sends `answer`, and leaves.
fn answering(answer: &'static str) -> Peer {
    Peer::raw(move |mut pipe, _| async move {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(pipe.read_u8().await?);
        }
        pipe.write_all(answer.as_bytes()).await?;
        Ok(pipe.shutdown().await?)
    })
}

/// Runs a load that must end as `ending` with a message that contains `text`.
#[track_caller]
fn check(peer: &Peer, target: &str, ending: Ending, text: &str) {
    let error = Profile { target, ..Profile::default() }.load().run(peer).expect_err(text);
    let problem: &Problem = error.downcast_ref().expect("the error is about the target");
    assert_eq!(problem.ending, Some(ending), "{problem}");
    assert!(problem.words.contains(text), "{problem}");
    assert_eq!(peer.counts().accepted.get(), 1, "the load does not begin");
}

#[test]
fn a_web_server_is_not_taken_for_a_websocket() {
    let ok = answering("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    check(&ok, "", Ending::HttpStatus, "200");
    let not_found = answering("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n");
    check(&not_found, "", Ending::HttpStatus, "404");
}

#[test]
fn an_answer_that_is_not_http_is_a_bad_handshake() {
    check(&answering("SSH-2.0-OpenSSH_9.2\r\n"), "", Ending::BadHandshake, "");
}

#[test]
fn an_upgrade_with_a_wrong_key_is_a_bad_handshake() {
    let peer = answering(
        "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n",
    );
    check(&peer, "", Ending::BadHandshake, "Sec-WebSocket-Accept");
}

#[test]
fn a_peer_that_never_answers_the_upgrade_is_a_handshake_timeout() {
    let peer = Peer::raw(|pipe, _| async move {
        let _held = pipe;
        std::future::pending().await
    });
    check(&peer, "", Ending::HandshakeTimeout, "");
}

/// A peer that chooses `chosen`, whatever the client offers.
#[expect(clippy::result_large_err, reason = "tungstenite defines the type of the callback")]
fn choosing(chosen: Option<&'static str>) -> Peer {
    Peer::raw(move |pipe, _| async move {
        let choose = |_: &Request, mut response: Response| {
            if let Some(chosen) = chosen {
                let chosen = HeaderValue::from_static(chosen);
                response.headers_mut().insert("Sec-WebSocket-Protocol", chosen);
            }
            Ok(response)
        };
        let mut socket = accept_hdr_async(pipe, choose).await?;
        while futures::StreamExt::next(&mut socket).await.is_some() {}
        Ok(())
    })
}

#[test]
fn a_subprotocol_that_was_not_offered_or_none_is_named() {
    let target = "subprotocol = \"ours\"";
    let not_offered = "a subprotocol that was not offered";
    check(&choosing(Some("theirs")), target, Ending::Subprotocol, not_offered);
    check(&choosing(None), target, Ending::Subprotocol, "no subprotocol");
}
