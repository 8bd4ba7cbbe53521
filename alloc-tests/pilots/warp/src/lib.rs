//! An echo as warp's users write it. It serves until the process ends: it knows no signal to stop.

use futures_util::{SinkExt, StreamExt};
use tokio::net::TcpListener;
use warp::Filter;
use warp::ws::{WebSocket, Ws};

/// Serves `/echo` for ever.
pub async fn run(listener: TcpListener) {
    let route = warp::path("echo").and(warp::ws()).map(|upgrade: Ws| upgrade.on_upgrade(echo));
    warp::serve(route).incoming(listener).run().await;
}

async fn echo(mut socket: WebSocket) {
    while let Some(Ok(message)) = socket.next().await {
        let echoes = message.is_text() || message.is_binary();
        #[cfg(feature = "planted")]
        let message = warp::ws::Message::text(String::from_utf8_lossy(message.as_bytes())); // planted
        if echoes && socket.send(message).await.is_err() {
            return;
        }
    }
}
