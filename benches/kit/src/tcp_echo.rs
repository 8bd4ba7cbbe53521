//! The floor of an echo: bytes come back as they were, without frames.

use anyhow::Result;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::tcp_server::TcpServer;

/// Bytes read at once: what a reader finds on loopback is seldom more, so that no server can read in fewer system calls.
const BUFFER: usize = 64 * 1024;

/// Echoes until the peer ends the stream.
///
/// # Errors
///
/// As [`TcpServer::start`].
pub fn start() -> Result<TcpServer> {
    TcpServer::start(|mut stream| async move {
        let mut buffer = vec![0; BUFFER];
        while echo(&mut stream, &mut buffer).await? > 0 {}
        Ok(())
    })
}

/// Echoes one read and closes. A WebSocket ends in this order: the server closes first.
///
/// # Errors
///
/// As [`TcpServer::start`].
pub fn start_once() -> Result<TcpServer> {
    TcpServer::start(|mut stream| async move {
        let mut buffer = vec![0; BUFFER];
        echo(&mut stream, &mut buffer).await.map(drop)
    })
}

async fn echo(stream: &mut TcpStream, buffer: &mut [u8]) -> std::io::Result<usize> {
    let read = stream.read(buffer).await?;
    stream.write_all(&buffer[..read]).await?;
    Ok(read)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::Client;
    use crate::payload::{Exchange, Kind};

    #[test]
    fn more_bytes_than_the_buffer_come_back_in_order() -> Result<()> {
        let server = start()?;
        let Exchange { out, answer } = Exchange::tcp(Kind::Binary, 3 * BUFFER + 1);
        Client::connect(server.addr())?.exchange(&out, &answer)?;
        server.stop()
    }

    #[test]
    fn a_server_that_echoes_once_closes_first() -> Result<()> {
        let server = start_once()?;
        let mut client = Client::connect(server.addr())?;
        client.exchange(b"ping", b"ping")?;
        client.expect_end()?;
        server.stop()
    }
}
