//! A service as axum's users write it: `/echo` sends every message back, `/chat` sends every text to all.

use axum::Router;
use axum::extract::State;
use axum::extract::ws::{Message, WebSocket, WebSocketUpgrade};
use axum::response::Response;
use axum::routing::any;
use tokio::sync::broadcast;

/// The service's routes.
pub fn app() -> Router {
    let (room, _) = broadcast::channel(64);
    Router::new()
        .route("/echo", any(|upgrade: WebSocketUpgrade| async { upgrade.on_upgrade(echo) }))
        .route("/chat", any(join))
        .with_state(room)
}

async fn echo(mut socket: WebSocket) {
    while let Some(Ok(message)) = socket.recv().await {
        let echoes = matches!(message, Message::Text(_) | Message::Binary(_));
        if echoes && socket.send(message).await.is_err() {
            return;
        }
    }
}

type Room = broadcast::Sender<axum::extract::ws::Utf8Bytes>;

async fn join(upgrade: WebSocketUpgrade, State(room): State<Room>) -> Response {
    upgrade.on_upgrade(move |socket| chat(socket, room))
}

async fn chat(mut socket: WebSocket, room: Room) {
    let mut said = room.subscribe();
    loop {
        tokio::select! {
            received = socket.recv() => match received {
                // The sender itself is subscribed, so that there is always a receiver.
                Some(Ok(Message::Text(text))) => {
                    #[cfg(feature = "planted")]
                    let text = String::from_iter(text.chars()).into(); // planted
                    _ = room.send(text);
                }
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return,
            },
            said = said.recv() => {
                let Ok(text) = said else { return };
                if socket.send(Message::Text(text)).await.is_err() {
                    return;
                }
            }
        }
    }
}
