//! Listening sockets: their options, and those of the connections that they accept.

use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::os::fd::AsFd;

use rustix::net::sockopt;
use server::{Config, Error, socket};

use crate::support::{BACKSTOP, assert_echoes, client};

/// More connections than wait at a socket of std's, whose backlog is 128.
const BURST: usize = 400;

const ANY_PORT: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 0);

fn config() -> Config {
    Config { max_connections: BURST, ..Config::default() }
}

/// The buffers to send and to receive.
#[track_caller]
fn check_buffers(socket: impl AsFd, asked: [usize; 2]) {
    let sizes = [
        sockopt::socket_send_buffer_size(&socket).expect("a socket has options"),
        sockopt::socket_recv_buffer_size(&socket).expect("a socket has options"),
    ];
    assert_eq!(sizes, asked.map(|size| 2 * size), "Linux doubles what was asked for");
}

/// A burst of connections completes before one of them is accepted, and the first inherits its options.
#[track_caller]
fn check(listener: &TcpListener) {
    let addr = listener.local_addr().expect("a bound socket has an address");
    let connect = |_| TcpStream::connect_timeout(&addr, BACKSTOP).expect("there is room to wait");
    let waiting: Vec<_> = (0..BURST).map(connect).collect();
    let (accepted, _) = listener.accept().expect("a connection waits");
    check_buffers(&accepted, [socket::FIRST_SEND_BUFFER, socket::RECEIVE_BUFFER]);
    assert_eq!(sockopt::tcp_nodelay(&accepted), Ok(true));
    let unread = sockopt::tcp_user_timeout(&accepted).expect("a socket has options");
    assert_eq!(u128::from(unread), socket::UNREAD_WITHIN.as_millis());
    drop(waiting);
}

#[test]
fn a_burst_of_connections_up_to_the_limit_waits_in_the_backlog() {
    check(&socket::listen(ANY_PORT, &config()).expect("a port is free"));
}

#[test]
fn a_socket_that_listens_already_gets_the_same_options() {
    let listener = TcpListener::bind(ANY_PORT).expect("a port is free");
    socket::prepare(&listener, &config()).expect("it is a TCP socket");
    check(&listener);
}

#[test]
fn a_listening_socket_does_not_block() {
    let listener = socket::listen(ANY_PORT, &config()).expect("a port is free");
    let error = listener.accept().expect_err("no connection waits");
    assert_eq!(error.kind(), std::io::ErrorKind::WouldBlock);
}

#[test]
fn an_address_in_use_is_named() {
    let taken = socket::listen(ANY_PORT, &config()).expect("a port is free");
    let addr = taken.local_addr().expect("a bound socket has an address");
    let error = socket::listen(addr, &config()).expect_err("the port is taken");
    assert!(matches!(error, Error::Bind { addr: named, .. } if named == addr), "{error}");
}

#[test]
fn a_restarted_server_takes_its_port_again_at_once() {
    let listener = socket::listen(ANY_PORT, &config()).expect("a port is free");
    let addr = listener.local_addr().expect("a bound socket has an address");
    let client = TcpStream::connect(addr).expect("it listens");
    let (accepted, _) = listener.accept().expect("a connection waits");
    // The side that closes first keeps the port in TIME_WAIT.
    drop((accepted, client, listener));
    socket::listen(addr, &config()).expect("the port is free again");
}

#[test]
fn the_buffers_of_a_connection_grow_once_its_peer_has_taken_192_kib() {
    let (send, accepted) = std::sync::mpsc::channel();
    let wrap = move |accepted: socket::Accepted| {
        let copy = accepted.as_fd().try_clone_to_owned().expect("a descriptor is free");
        send.send(copy).expect("the test listens");
        accepted
    };
    let server = server::Embedded::start_wrapped(Config::default(), wrap)
        .expect("a port and a thread are free");
    let mut peer = client(server.addr(), "/ws/echo");
    let connection = accepted.recv().expect("the connection was accepted");
    let message = "x".repeat(32 * 1024);
    for _ in 0..5 {
        assert_echoes(&mut peer, &message);
        check_buffers(&connection, [socket::FIRST_SEND_BUFFER, socket::FIRST_RECEIVE_BUFFER]);
    }
    assert_echoes(&mut peer, &message);
    // The server goes on after the write that the peer has seen.
    assert_echoes(&mut peer, "behind it");
    check_buffers(&connection, [socket::SEND_BUFFER, socket::RECEIVE_BUFFER]);
}

#[tokio::test]
async fn a_connection_has_nodelay_though_its_listener_has_not() {
    let listener = tokio::net::TcpListener::bind(ANY_PORT).await.expect("a port is free");
    assert_eq!(sockopt::tcp_nodelay(&listener), Ok(false));
    let addr = listener.local_addr().expect("a bound socket has an address");
    let context = server::Context::new(config()).expect("the settings are right");
    let _client = tokio::net::TcpStream::connect(addr).await.expect("it listens");
    let (send, mut accepted) = tokio::sync::mpsc::unbounded_channel();
    let wrap = move |accepted: socket::Accepted| {
        send.send(sockopt::tcp_nodelay(&accepted)).expect("the test listens");
        accepted
    };
    let serving = server::serve_wrapped(listener, context, std::future::pending(), wrap);
    let nodelay = tokio::select! {
        nodelay = accepted.recv() => nodelay,
        served = serving => panic!("the server ended: {served:?}"),
    };
    assert_eq!(nodelay, Some(Ok(true)));
}
