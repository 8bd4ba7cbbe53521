// Included by the documentation: an echo server over WebSocket.
async fn serve(listener: plimsoll::Listener, stop: plimsoll::Stop) -> std::io::Result<()> {
    loop {
        tokio::select! {
            () = stop.clone() => return Ok(()),
            accepted = listener.accept() => drop(tokio::spawn(echo(accepted?.0))),
        }
    }
}

async fn echo(stream: impl tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin) {
    use futures::{SinkExt, StreamExt};
    let Ok(mut socket) = tokio_tungstenite::accept_async(stream).await else { return };
    while let Some(Ok(message)) = socket.next().await {
        if message.is_text() && socket.send(message).await.is_err() {
            return;
        }
    }
}
