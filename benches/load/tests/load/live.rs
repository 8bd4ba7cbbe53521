//! The live page of a run, and who may see it.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use rustix::process::{Signal, kill_process};

use crate::profile::Profile;
use crate::run::{Load, PATIENCE, Running};
use crate::server::Server;

const TOKEN: &str = "0123456789abcdef0123456789abcdef";

fn long(server: &Server) -> Load {
    Load::new(Profile { hold: "1 h", ..Profile::default() }, &server.url())
}

/// The address of the page of a run that has begun.
#[track_caller]
fn page(run: &mut Running) -> String {
    run.wait_until(|run| {
        let stderr = run.stderr();
        // The program writes the line in pieces.
        let mut lines = stderr.split_inclusive('\n').filter_map(|line| line.strip_suffix('\n'));
        lines.find_map(|line| line.strip_prefix("live on http://")).map(str::to_owned)
    })
}

/// The head of the answer to an upgrade on the page's feed with `headers`.
fn upgrade(addr: &str, headers: &str) -> String {
    let mut stream = TcpStream::connect(addr).expect("the page is served");
    stream.set_read_timeout(Some(PATIENCE)).expect("a connected socket takes options");
    let request = format!(
        "GET /ws/dashboard HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
         Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n{headers}\r\n"
    );
    stream.write_all(request.as_bytes()).expect("the page is served");
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        stream.read_exact(&mut byte).expect("the page answers");
        head.extend(byte);
    }
    String::from_utf8(head).expect("a head is ASCII")
}

#[track_caller]
fn check(addr: &str, status: u16, headers: &str) {
    let head = upgrade(addr, headers);
    assert!(head.starts_with(&format!("HTTP/1.1 {status} ")), "{headers}{head}");
}

#[test]
fn a_foreign_page_and_a_rebound_host_do_not_see_a_run() {
    let server = Server::echo();
    let mut run = long(&server).args(["--live", "127.0.0.1:0"]).start();
    let addr = page(&mut run);
    check(&addr, 403, &format!("Host: {addr}\r\nOrigin: https://evil.example\r\n"));
    check(&addr, 403, &format!("Host: {addr}\r\nOrigin: null\r\n"));
    check(&addr, 403, "Host: rebound.evil.example\r\nOrigin: http://rebound.evil.example\r\n");
    check(&addr, 403, "Host: rebound.evil.example\r\n");
    check(&addr, 101, &format!("Host: {addr}\r\nOrigin: http://{addr}\r\n"));
    check(&addr, 101, &format!("Host: {addr}\r\n"));
}

/// A file with the token that only its owner may read.
fn token_file(load: &Load, mode: u32) -> std::path::PathBuf {
    let file = load.file("token", &format!("{TOKEN}\n"));
    std::fs::set_permissions(&file, PermissionsExt::from_mode(mode)).expect("the file is ours");
    file
}

fn guarded(load: Load, file: &Path) -> Load {
    load.args(["--live", "127.0.0.1:0", "--live-allow-origin", "https://harbour.example"])
        .args(["--live-token-file".as_ref(), file.as_os_str()])
}

#[test]
fn a_live_page_with_a_token_shows_nothing_without_it_and_the_run_never_shows_it() {
    let server = Server::echo();
    let load = long(&server);
    let file = token_file(&load, 0o600);
    let mut run = guarded(load, &file).start();
    let addr = page(&mut run);
    let origin = format!("Host: {addr}\r\nOrigin: https://harbour.example\r\n");
    check(&addr, 401, &origin);
    check(&addr, 101, &format!("{origin}Authorization: Bearer {TOKEN}\r\n"));
    let offer = format!("{origin}Sec-WebSocket-Protocol: plimsoll, bearer.{TOKEN}\r\n");
    assert!(!upgrade(&addr, &offer).contains(TOKEN));
    // Before its first messages a run that is interrupted has no report.
    run.wait_until(|_| (server.tally().received.get() > 10).then_some(()));
    kill_process(run.pid(), Signal::TERM).expect("it runs");
    let outcome = run.finish();
    outcome.check(130, &[]);
    assert!(!outcome.reveals(TOKEN), "{}", outcome.text);
}

#[test]
fn a_token_file_that_others_can_read_is_refused() {
    let server = Server::echo();
    let load = Load::new(Profile::default(), &server.url());
    let file = token_file(&load, 0o644);
    let outcome = guarded(load, &file).run();
    outcome.check(2, &["chmod 600"]);
    assert!(!outcome.text.contains(TOKEN), "{}", outcome.text);
}

#[test]
fn a_live_page_beyond_loopback_needs_an_origin_and_a_token() {
    let server = Server::echo();
    let load = || Load::new(Profile::default(), &server.url()).args(["--live", "0.0.0.0:0"]);
    load().run().check(2, &["--live-allow-origin", "--live-token-file FILE", "--live-insecure"]);
    load()
        .args(["--live-allow-origin", "https://harbour.example"])
        .run()
        .check(2, &["--live-token-file"]);
    assert_eq!(server.tally().accepted.get(), 0);
    let outcome = load().args(["--live-insecure"]).run();
    outcome.check(0, &["may see this run"]);
}

#[test]
fn an_origin_that_is_none_is_named_and_flags_of_the_page_need_the_page() {
    let server = Server::echo();
    let load = || Load::new(Profile::default(), &server.url());
    let origin = ["--live", "127.0.0.1:0", "--live-allow-origin", "harbour.example"];
    load().args(origin).run().check(2, &["harbour.example", "scheme://host"]);
    load().args(["--live-insecure"]).run().check(2, &["--live <ADDR:PORT>"]);
}
