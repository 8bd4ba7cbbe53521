//! `ws-server` under a service manager: sockets that it is passed, and what it says on `NOTIFY_SOCKET`.

use std::net::{SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixDatagram;
use std::process::Command;

use rustix::process::Signal;
use tempfile::TempDir;

use crate::support::{BACKSTOP, Process, client, closed, command, get, ws_server};

const ANY_PORT: &str = "127.0.0.1:0";

/// A service manager's end of `NOTIFY_SOCKET`.
struct Manager {
    socket: UnixDatagram,
    folder: TempDir,
}

impl Manager {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("there is room for a socket");
        let socket = UnixDatagram::bind(folder.path().join("notify")).expect("the name is free");
        socket.set_read_timeout(Some(BACKSTOP)).expect("the time is not 0");
        Self { socket, folder }
    }

    /// `ws-server` told of this manager.
    fn starts(&self, bind: &str, flags: &[&str]) -> Command {
        let mut command = ws_server();
        command.args(["--bind", bind]).args(flags);
        command.env("NOTIFY_SOCKET", self.folder.path().join("notify"));
        command
    }

    /// The next message.
    #[track_caller]
    fn hears(&self) -> String {
        let mut bytes = [0; 512];
        let length = self.socket.recv(&mut bytes).expect("a message comes");
        String::from_utf8_lossy(&bytes[..length]).into_owned()
    }
}

#[test]
fn a_service_manager_hears_that_the_server_listens_and_that_it_drains() {
    let manager = Manager::new();
    let process = Process::start(manager.starts(ANY_PORT, &[]));
    let ready = manager.hears();
    let addr = ready.strip_prefix("READY=1\nSTATUS=serving http://").expect(&ready).trim_end();
    let addr: SocketAddr = addr.parse().expect(addr);
    // The message alone has said where, and that connections are taken.
    let session = client(addr, "/ws/echo");
    process.signal(Signal::TERM);
    let stopping = manager.hears();
    assert!(stopping.starts_with("STOPPING=1\nSTATUS=draining"), "{stopping}");
    assert_eq!(closed(session), 1001);
    assert_eq!(process.ended().0.code(), Some(0));
}

#[test]
fn a_server_that_cannot_listen_is_never_ready() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let addr = taken.local_addr().expect("a bound socket has an address").to_string();
    let manager = Manager::new();
    assert_eq!(Process::start(manager.starts(&addr, &[])).ended().0.code(), Some(1));
    manager.socket.set_nonblocking(true).expect("it is a socket");
    manager.socket.recv(&mut [0; 64]).expect_err("the server said nothing");
}

#[test]
fn a_watchdog_is_fed_while_snapshots_come() {
    let manager = Manager::new();
    let mut command = manager.starts(ANY_PORT, &["--tick-ms", "1"]);
    command.env("WATCHDOG_USEC", "40000");
    let process = Process::start(command);
    assert!(manager.hears().starts_with("READY=1\n"));
    for _ in 0..3 {
        assert_eq!(manager.hears(), "WATCHDOG=1\n");
    }
    drop(process);
}

#[test]
fn a_watchdog_that_no_snapshot_can_feed_in_time_is_refused() {
    let mut command = Manager::new().starts(ANY_PORT, &["--tick-ms", "10000"]);
    command.env("WATCHDOG_USEC", "30000000");
    let (status, _, stderr) = Process::start(command).ended();
    assert_eq!(status.code(), Some(1));
    assert!(stderr.contains("WatchdogSec=") && stderr.contains("--tick-ms"), "{stderr}");
}

/// `ws-server`, started as a service manager does: with `passed` from descriptor 3 on.
fn activated(passed: impl Into<OwnedFd>, count: usize) -> Command {
    let mut command = command("sh");
    let script = r#"exec 3<&0 4<&0 </dev/null; export LISTEN_PID=$$; exec "$0" "$@""#;
    command.args(["-c", script, env!("CARGO_BIN_EXE_ws-server")]);
    command.env("LISTEN_FDS", count.to_string()).stdin(passed.into());
    command
}

#[test]
fn a_passed_socket_is_served_and_wins_over_bind() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let addr = listener.local_addr().expect("a bound socket has an address");
    // Waits in the queue before the server runs.
    let early = std::thread::spawn(move || get(addr, "/healthz").status);
    let mut command = activated(listener, 1);
    command.args(["--bind", "127.0.0.1:1"]);
    let mut process = Process::start(command);
    assert_eq!(process.announced(), addr);
    assert_eq!(early.join().expect("it does not panic"), 200);
    process.signal(Signal::TERM);
    let (status, _, stderr) = process.ended();
    assert_eq!(status.code(), Some(0), "{stderr}");
    assert!(stderr.contains("--bind 127.0.0.1:1 is ignored"), "{stderr}");
}

#[test]
fn a_socket_for_another_process_is_left_alone() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let theirs = listener.local_addr().expect("a bound socket has an address");
    let mut command = ws_server();
    command.args(["--bind", ANY_PORT]);
    command.env("LISTEN_PID", std::process::id().to_string()).env("LISTEN_FDS", "1");
    let mut process = Process::start(command);
    assert_ne!(process.announced(), theirs);
}

#[test]
fn what_is_no_single_listening_tcp_socket_is_refused() {
    let listener = || TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let taken = listener();
    let addr = taken.local_addr().expect("a bound socket has an address");
    let connected = TcpStream::connect(addr).expect("it listens");
    let datagrams = UdpSocket::bind("127.0.0.1:0").expect("a port is free");
    let file = std::fs::File::open(env!("CARGO_BIN_EXE_ws-server")).expect("the binary is built");
    for (command, word) in [
        (activated(listener(), 2), "one ListenStream="),
        (activated(connected, 1), "Accept=no"),
        (activated(datagrams, 1), "ListenStream="),
        (activated(file, 1), "ListenStream="),
        (activated(listener(), 1000), "LISTEN_FDS"),
    ] {
        let (status, stdout, stderr) = Process::start(command).ended();
        assert_eq!((status.code(), stdout.as_str()), (Some(1), ""), "{word}: {stderr}");
        assert!(stderr.contains(word), "{word}: {stderr}");
    }
}

#[test]
fn a_passed_socket_beyond_loopback_is_refused_like_any_other() {
    let listener = TcpListener::bind("0.0.0.0:0").expect("a port is free");
    let (status, stdout, stderr) = Process::start(activated(listener, 1)).ended();
    assert_eq!((status.code(), stdout.as_str()), (Some(1), ""), "{stderr}");
    assert!(stderr.contains("--allow-origin") && stderr.contains("--token-file"), "{stderr}");
}
