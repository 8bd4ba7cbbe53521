//! `ws-server` beyond loopback, and its token.

use std::net::Ipv4Addr;
use std::os::unix::fs::PermissionsExt;

use rustix::process::Signal;

use crate::support::{Peer, Process, get, request, ws_server};

/// The exit code of a `ws-server` that does not start, and its words.
fn refused(flags: &[&str]) -> (Option<i32>, String) {
    let mut command = ws_server();
    command.args(flags);
    let (status, stdout, stderr) = Process::start(command).ended();
    assert_eq!(stdout, "", "{flags:?}");
    (status.code(), stderr)
}

#[test]
fn a_public_address_without_origins_and_a_token_is_refused_with_the_flags_to_add() {
    for bind in ["0.0.0.0:0", "[::ffff:0.0.0.0]:0"] {
        let (code, stderr) = refused(&["--bind", bind]);
        assert_eq!(code, Some(1), "{stderr}");
        for flag in ["--allow-origin https://", "--token-file FILE", "--insecure"] {
            assert!(stderr.contains(flag), "{stderr}");
        }
        let (_, stderr) = refused(&["--bind", bind, "--allow-origin", "https://a.example"]);
        assert!(stderr.contains("--token-file") && !stderr.contains("--allow-origin"), "{stderr}");
    }
}

#[test]
fn insecure_serves_a_public_address_and_says_so() {
    let mut command = ws_server();
    command.args(["--bind", "0.0.0.0:0", "--insecure"]);
    let mut process = Process::start(command);
    let addr = process.announced();
    assert!(addr.ip().is_unspecified());
    assert_eq!(get((Ipv4Addr::LOCALHOST, addr.port()).into(), "/").status, 200);
    process.signal(Signal::TERM);
    let (status, _, stderr) = process.ended();
    assert_eq!(status.code(), Some(0), "{stderr}");
    assert!(stderr.contains("everyone who reaches"), "{stderr}");
}

#[test]
fn a_token_comes_from_a_file_of_its_owner_and_is_in_no_line() {
    const TOKEN: &str = "0123456789abcdef0123456789abcdef";
    let folder = tempfile::tempdir().expect("there is room for a folder");
    let file = folder.path().join("token");
    let path = file.to_str().expect("a folder with a plain name");
    std::fs::write(&file, TOKEN).expect("the folder is ours");
    let chmod = |mode| {
        std::fs::set_permissions(&file, PermissionsExt::from_mode(mode)).expect("the file is ours");
    };
    chmod(0o644);
    let (code, words) = refused(&["--token-file", path]);
    assert_eq!(code, Some(1), "{words}");
    assert!(words.contains("--token-file") && words.contains("chmod 600"), "{words}");

    chmod(0o600);
    let mut command = ws_server();
    command.env("RUST_LOG", "trace").args(["--bind", "127.0.0.1:0", "--token-file", path]);
    let mut process = Process::start(command);
    let addr = process.announced();
    assert_eq!((get(addr, "/metrics").status, get(addr, "/").status), (401, 200));
    for (token, status) in [(TOKEN, 200), ("another", 401)] {
        let mut peer = Peer::connect(addr);
        let bearer = format!("Authorization: Bearer {token}");
        peer.send(request("GET /metrics HTTP/1.1", &["Connection: close", &bearer]).as_bytes());
        assert_eq!(peer.response().status, status);
    }
    process.signal(Signal::TERM);
    let (_, _, stderr) = process.ended();
    assert!(!words.contains(TOKEN) && !stderr.contains(TOKEN), "{words}{stderr}");
}
