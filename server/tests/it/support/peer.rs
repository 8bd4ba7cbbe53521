use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};

use rustix::net::{AddressFamily, SocketType, sockopt};

use super::BACKSTOP;

/// The header lines of an upgrade, with the key of RFC 6455 §1.3.
pub(crate) const UPGRADE: [&str; 4] = [
    "Connection: Upgrade",
    "Upgrade: websocket",
    "Sec-WebSocket-Version: 13",
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
];

/// A client that sends and receives raw bytes.
pub(crate) struct Peer {
    stream: BufReader<TcpStream>,
}

/// An HTTP response.
#[derive(Debug)]
pub(crate) struct Response {
    pub(crate) status: u16,
    /// The header lines.
    head: Vec<String>,
    pub(crate) body: String,
}

impl Response {
    /// The value of header `name`, if it is there.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.head.iter().find_map(|line| {
            let (found, value) = line.split_once(':')?;
            found.eq_ignore_ascii_case(name).then_some(value.trim())
        })
    }
}

/// A connected socket that gives up after [`BACKSTOP`].
pub(super) fn connect(addr: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(addr).expect("the server listens");
    stream.set_nodelay(true).expect("a connected socket takes options");
    stream.set_read_timeout(Some(BACKSTOP)).expect("a connected socket takes options");
    stream.set_write_timeout(Some(BACKSTOP)).expect("a connected socket takes options");
    stream
}

/// The head of a request: `line`, a host, then `headers`.
pub(crate) fn request(line: &str, headers: &[&str]) -> String {
    let mut head = format!("{line}\r\nHost: localhost\r\n");
    for header in headers {
        head.push_str(header);
        head.push_str("\r\n");
    }
    head + "\r\n"
}

/// The answer to a request on a connection of its own.
pub(crate) fn get(addr: SocketAddr, path: &str) -> Response {
    let mut peer = Peer::connect(addr);
    peer.send(request(&format!("GET {path} HTTP/1.1"), &["Connection: close"]).as_bytes());
    let response = peer.response();
    peer.ended();
    response
}

/// A connection that asks for far more than its kernel and the server's take together, and reads nothing.
pub(crate) fn pipelining(addr: SocketAddr) -> TcpStream {
    let socket = rustix::net::socket(AddressFamily::INET, SocketType::STREAM, None)
        .expect("a descriptor is free");
    sockopt::set_socket_recv_buffer_size(&socket, 4096).expect("a socket takes options");
    rustix::net::connect(&socket, &addr).expect("the server listens");
    let mut stream = TcpStream::from(socket);
    let asked = request("GET / HTTP/1.1", &[]).repeat(400);
    stream.write_all(asked.as_bytes()).expect("the kernels take it");
    stream
}

/// A masked frame that begins with `first`: the final bit, the reserved bits and the opcode.
pub(crate) fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    const MASK: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];
    let mut bytes = vec![first];
    match payload.len() {
        length @ ..=125 => bytes.push(0x80 | length as u8),
        length @ ..=0xffff => {
            bytes.push(0x80 | 126);
            bytes.extend((length as u16).to_be_bytes());
        }
        length => {
            bytes.push(0x80 | 127);
            bytes.extend((length as u64).to_be_bytes());
        }
    }
    bytes.extend(MASK);
    bytes.extend(payload.iter().zip(MASK.iter().cycle()).map(|(byte, mask)| byte ^ mask));
    bytes
}

impl Peer {
    pub(crate) fn connect(addr: SocketAddr) -> Self {
        Self { stream: BufReader::new(connect(addr)) }
    }

    /// Connected and upgraded.
    pub(crate) fn upgraded(addr: SocketAddr, path: &str) -> Self {
        let mut peer = Self::connect(addr);
        peer.send(Self::upgrade(path).as_bytes());
        assert_eq!(peer.response().status, 101);
        peer
    }

    /// The request that upgrades a connection.
    pub(crate) fn upgrade(path: &str) -> String {
        request(&format!("GET {path} HTTP/1.1"), &UPGRADE)
    }

    /// The socket, for a second handle or its address.
    pub(crate) fn socket(&self) -> &TcpStream {
        self.stream.get_ref()
    }

    pub(crate) fn send(&mut self, bytes: &[u8]) {
        self.stream.get_mut().write_all(bytes).expect("the server takes it");
    }

    /// The next response, with its body if it declares one.
    pub(crate) fn response(&mut self) -> Response {
        let mut response = self.head();
        let length = response.header("content-length").map_or(0, |length| length.parse().unwrap());
        let body = self.take(length);
        response.body = String::from_utf8(body).expect("every body here is text");
        response
    }

    /// The next response, which has no body whatever its headers declare.
    pub(crate) fn head(&mut self) -> Response {
        let status = self.line();
        let status = status.split(' ').nth(1).and_then(|status| status.parse().ok());
        let head: Vec<_> =
            std::iter::repeat_with(|| self.line()).take_while(|line| !line.is_empty()).collect();
        let status = status.expect("a status line");
        Response { status, head, body: String::new() }
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.stream.read_line(&mut line).expect("the server answers");
        line.strip_suffix("\r\n").expect("a whole line").to_owned()
    }

    /// The first byte and the payload of the next frame, which must not be masked.
    pub(crate) fn frame(&mut self) -> (u8, Vec<u8>) {
        let head = self.take(2);
        let length = match head[1] {
            126 => usize::from(u16::from_be_bytes(self.take(2).try_into().unwrap())),
            127 => usize::try_from(u64::from_be_bytes(self.take(8).try_into().unwrap())).unwrap(),
            length @ ..=125 => usize::from(length),
            masked => panic!("a server's frame has a mask bit: {masked:#x}"),
        };
        (head[0], self.take(length))
    }

    /// The code of the next frame, which must be a close frame with one.
    pub(crate) fn close_code(&mut self) -> u16 {
        match self.frame() {
            (0x88, payload) if payload.len() >= 2 => u16::from_be_bytes([payload[0], payload[1]]),
            other => panic!("expected a close frame, got {other:?}"),
        }
    }

    fn take(&mut self, bytes: usize) -> Vec<u8> {
        let mut taken = vec![0; bytes];
        self.stream.read_exact(&mut taken).expect("the server sends it");
        taken
    }

    /// All bytes until the server ends the connection in order.
    #[track_caller]
    pub(crate) fn rest(&mut self) -> Vec<u8> {
        let mut rest = Vec::new();
        self.stream.read_to_end(&mut rest).expect("the connection ends in order");
        rest
    }

    /// Asserts that the connection ends, in order or by a reset, without another byte.
    #[track_caller]
    pub(crate) fn ended(&mut self) {
        let mut rest = Vec::new();
        match self.stream.read_to_end(&mut rest) {
            Err(error) if error.kind() != ErrorKind::ConnectionReset => panic!("{error}"),
            _ => assert!(rest.is_empty(), "after the end came {rest:?}"),
        }
    }

    /// Asserts that the connection ends without a reset and without another byte.
    #[track_caller]
    pub(crate) fn ended_in_order(&mut self) {
        let mut rest = Vec::new();
        self.stream.read_to_end(&mut rest).expect("the server ends its side in order");
        assert!(rest.is_empty(), "after the end came {rest:?}");
    }

    /// Asserts that nothing can be read, not even the end of the stream.
    #[track_caller]
    pub(crate) fn is_quiet(&mut self) {
        let socket = self.stream.get_ref();
        socket.set_nonblocking(true).expect("a connected socket takes options");
        let peeked = socket.peek(&mut [0]);
        socket.set_nonblocking(false).expect("a connected socket takes options");
        assert!(self.stream.buffer().is_empty());
        match peeked {
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            other => panic!("expected silence, got {other:?}"),
        }
    }
}
