//! Servers that never become a WebSocket: each is named, with exit code 1, in bounded time.

use std::net::TcpListener;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_tungstenite::accept_hdr_async;
use tokio_tungstenite::tungstenite::handshake::server::{Request, Response};
use tokio_tungstenite::tungstenite::http::HeaderValue;

use crate::profile::Profile;
use crate::run::{Load, Outcome};
use crate::server::Server;

/// A server that reads the head of a request, says `answer`, and leaves.
fn saying(answer: &'static str) -> Server {
    Server::start(move |mut stream, _| async move {
        read_head(&mut stream).await?;
        stream.write_all(answer.as_bytes()).await?;
        Ok(stream.shutdown().await?)
    })
}

async fn read_head(stream: &mut TcpStream) -> std::io::Result<()> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await?);
    }
    Ok(())
}

fn run(url: &str, target: &str) -> Outcome {
    Load::new(Profile { target, ..Profile::default() }, url).run()
}

/// All attempts ended as `ending`; nothing was sent, and the words say why.
#[track_caller]
fn check(outcome: &Outcome, ending: &str, words: &[&str]) {
    outcome.check(1, words);
    if outcome.has_report() {
        outcome.adds_up();
        assert!(outcome.endings().keys().all(|met| *met == ending), "{}", outcome.text);
        assert_eq!((outcome.count("opened"), outcome.count("sent")), (0, 0));
    }
}

#[test]
fn a_port_without_a_server_is_refused_with_what_to_do() {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("there is a port");
    let addr = listener.local_addr().expect("it is bound");
    drop(listener);
    check(&run(&format!("ws://{addr}/"), ""), "refused", &[&addr.to_string(), "refused"]);
}

#[test]
fn a_host_without_an_address_is_named() {
    check(&run("ws://nowhere.invalid:9/", ""), "dns", &["nowhere.invalid"]);
}

#[test]
fn a_web_server_is_told_from_a_websocket() {
    let server = saying("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    check(&run(&server.url(), ""), "http_status", &["200"]);
    let server = saying("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n");
    check(&run(&server.url(), ""), "http_status", &["404"]);
}

#[test]
fn what_is_not_http_is_a_bad_handshake() {
    check(&run(&saying("SSH-2.0-OpenSSH_9.2\r\n").url(), ""), "bad_handshake", &[]);
}

#[test]
fn an_upgrade_with_another_key_is_a_bad_handshake() {
    let server = saying(
        "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
        Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n",
    );
    check(&run(&server.url(), ""), "bad_handshake", &["Sec-WebSocket-Accept"]);
}

#[test]
fn a_server_that_accepts_and_never_answers_is_not_waited_for() {
    let server = Server::start(|stream, _| async move {
        let _held = stream;
        std::future::pending().await
    });
    check(&run(&server.url(), ""), "handshake_timeout", &[]);
}

/// A server that chooses `chosen`, whatever it is offered, and leaves.
#[expect(clippy::result_large_err, reason = "tungstenite wants its refusals so")]
fn choosing(chosen: Option<&'static str>) -> Server {
    Server::start(move |stream, _| async move {
        let mut socket = accept_hdr_async(stream, |_: &Request, mut response: Response| {
            if let Some(chosen) = chosen {
                let chosen = HeaderValue::from_static(chosen);
                response.headers_mut().insert("Sec-WebSocket-Protocol", chosen);
            }
            Ok(response)
        })
        .await?;
        while futures::StreamExt::next(&mut socket).await.is_some() {}
        Ok(())
    })
}

#[test]
fn another_subprotocol_than_ours_or_none_is_named() {
    let target = "subprotocol = \"ours\"";
    let not_offered = "a subprotocol that was not offered";
    check(&run(&choosing(Some("theirs")).url(), target), "subprotocol", &[not_offered]);
    check(&run(&choosing(None).url(), target), "subprotocol", &["no subprotocol"]);
}
