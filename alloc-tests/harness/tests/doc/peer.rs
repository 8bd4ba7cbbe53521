// Included by the documentation of the client. A server that accepts one connection, sends `reply`, ends its side, and
// reads until the client has ended its own.
|reply: &'static [u8]| -> std::net::SocketAddr {
    let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).expect("a port is free");
    let addr = listener.local_addr().expect("it is bound");
    std::thread::spawn(move || -> std::io::Result<u64> {
        let (mut stream, _) = listener.accept()?;
        std::io::Write::write_all(&mut stream, reply)?;
        stream.shutdown(std::net::Shutdown::Write)?;
        std::io::copy(&mut stream, &mut std::io::sink())
    });
    addr
}
