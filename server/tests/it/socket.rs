//! Listening sockets: their options, and those of the connections that they accept.

use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};

use rustix::net::sockopt;
use server::{Config, Error, socket};

use crate::support::BACKSTOP;

/// More connections than wait at a socket of std's, whose backlog is 128.
const BURST: usize = 400;

const ANY_PORT: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 0);

fn config() -> Config {
    Config { max_connections: BURST, ..Config::default() }
}

/// A burst of connections completes before one of them is accepted, and the first inherits its options.
#[track_caller]
fn check(listener: &TcpListener) {
    let addr = listener.local_addr().expect("a bound socket has an address");
    let connect = |_| TcpStream::connect_timeout(&addr, BACKSTOP).expect("there is room to wait");
    let waiting: Vec<_> = (0..BURST).map(connect).collect();
    let (accepted, _) = listener.accept().expect("a connection waits");
    let sizes = [sockopt::socket_send_buffer_size, sockopt::socket_recv_buffer_size]
        .map(|size| size(&accepted).expect("a socket has options"));
    let asked = [socket::SEND_BUFFER, socket::RECEIVE_BUFFER];
    assert_eq!(sizes, asked.map(|size| 2 * size), "Linux doubles what was asked for");
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
