//! The floor of the dashboard: the same bytes to every connection at a tick.

use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::Result;
use tokio::io::AsyncWriteExt;
use tokio::sync::watch;

use crate::tcp_server::TcpServer;

/// A raw server that writes one fixed frame to each of its connections: on connect, and at every tick.
#[derive(Debug)]
pub struct TcpFanout {
    server: TcpServer,
    ticks: watch::Sender<u64>,
}

impl TcpFanout {
    /// A server that writes `frame`.
    ///
    /// # Errors
    ///
    /// As [`TcpServer::start`].
    pub fn start(frame: Vec<u8>) -> Result<Self> {
        let frame = Arc::new(frame);
        let (ticks, ticked) = watch::channel(0);
        let server = TcpServer::start(move |mut stream| {
            let (frame, mut ticked) = (Arc::clone(&frame), ticked.clone());
            async move {
                // Before the greeting, so that a greeted client misses no later tick, as on the dashboard.
                ticked.mark_unchanged();
                stream.write_all(&frame).await?;
                while ticked.changed().await.is_ok() {
                    stream.write_all(&frame).await?;
                }
                Ok(())
            }
        })?;
        Ok(Self { server, ticks })
    }

    /// Where it listens.
    #[must_use]
    pub fn addr(&self) -> SocketAddr {
        self.server.addr()
    }

    /// Writes the frame to every connection.
    pub fn tick(&self) {
        self.ticks.send_modify(|seq| *seq += 1);
    }

    /// As [`TcpServer::stop`].
    ///
    /// # Errors
    ///
    /// As [`TcpServer::stop`].
    pub fn stop(self) -> Result<()> {
        self.server.stop()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::Client;

    #[test]
    fn a_tick_reaches_every_connection_once() -> Result<()> {
        let fanout = TcpFanout::start(b"frame".to_vec())?;
        let mut clients = Vec::new();
        for _ in 0..3 {
            let mut client = Client::connect(fanout.addr())?;
            client.expect(b"frame")?;
            clients.push(client);
        }
        fanout.tick();
        for client in &mut clients {
            client.expect(b"frame")?;
        }
        fanout.stop()?;
        clients.iter_mut().try_for_each(Client::expect_end)
    }
}
