//! A target that cannot be connected to is named, with exit code 1 and the next step.

use std::net::TcpListener;

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::profile::Profile;
use crate::run::Load;
use crate::server::Server;

#[track_caller]
fn check(url: &str, said: &[&str]) {
    let outcome = Load::new(Profile::default(), url).run();
    outcome.check(1, said);
    assert!(!outcome.has_report(), "{}", outcome.text);
}

#[test]
fn a_port_without_a_server_is_refused() {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("there is a port");
    let addr = listener.local_addr().expect("it is bound");
    drop(listener);
    check(&format!("ws://{addr}/"), &[&addr.to_string(), "refused"]);
}

#[test]
fn a_host_without_an_address_is_named() {
    check("ws://nowhere.invalid:9/", &["nowhere.invalid"]);
}

#[test]
fn a_web_server_is_named_with_its_status() {
    let server = Server::start(|mut stream, _| async move {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(stream.read_u8().await?);
        }
        stream.write_all(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n").await?;
        Ok(stream.shutdown().await?)
    });
    check(&server.url(), &["404", "look at the path"]);
}
