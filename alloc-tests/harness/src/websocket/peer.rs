//! The way in to a server of [`WebSocket`](crate::WebSocket).

use std::rc::Rc;

use crate::client::Client;
use crate::frame::Frame;
use crate::serve::Server;
use crate::window::Window;

/// The way in to a server.
#[derive(Clone)]
pub(super) struct Peer {
    pub(super) path: Rc<str>,
    pub(super) start: Start,
    pub(super) greet: Greet,
}

impl Peer {
    pub(super) fn upgrade(&self, client: &mut Client, server: &Server<'_>) -> anyhow::Result<()> {
        server.connect(client)?;
        client.request_upgrade(&self.path)?;
        (self.greet)(client)
    }

    /// Connects all clients. The answer to a ping shows that the server has begun to serve a connection, and is done with
    /// what it does before.
    pub(super) fn open(
        &self,
        clients: &mut [Client],
        server: &Server<'_>,
        probe: &Frame,
    ) -> anyhow::Result<()> {
        for client in clients {
            self.upgrade(client, server)?;
            client.exchange(&probe.request, &probe.reply)?;
        }
        Ok(())
    }
}

/// Starts the server in a window.
pub(super) type Start = Rc<dyn for<'a> Fn(&'a Window) -> anyhow::Result<Server<'a>>>;

/// What a client does after each upgrade.
pub(super) type Greet = Rc<dyn Fn(&mut Client) -> anyhow::Result<()>>;

/// Gives a closure the type with every lifetime.
pub(super) fn share(
    start: impl for<'a> Fn(&'a Window) -> anyhow::Result<Server<'a>> + 'static,
) -> Start {
    Rc::new(start)
}
