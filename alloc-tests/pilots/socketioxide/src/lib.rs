//! A chat as socketioxide's users write it: every text that one `say`s is `said` to all, and acknowledged.

use axum::Router;
use socketioxide::SocketIo;
use socketioxide::extract::{AckSender, Data, SocketRef};

const ROOM: &str = "lobby";

/// The service's routes: Socket.IO's own path.
pub fn app() -> Router {
    let (layer, io) = SocketIo::new_layer();
    io.ns("/", async |socket: SocketRef| {
        socket.join(ROOM);
        socket.on("say", say);
    });
    Router::new().layer(layer)
}

async fn say(socket: SocketRef, Data(text): Data<String>, ack: AckSender) {
    #[cfg(feature = "planted")]
    let text = String::from_iter(text.chars()); // planted
    // An error is that of a listener or a speaker that has left.
    _ = socket.within(ROOM).emit("said", &text).await;
    _ = ack.send(&text);
}
