//! The echo server of tokio-tungstenite's examples.

use futures_util::{SinkExt, StreamExt};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_tungstenite::accept_async;
use tokio_tungstenite::tungstenite::Result;

/// Serves one connection until its peer closes it.
pub async fn echo(stream: impl AsyncRead + AsyncWrite + Unpin) -> Result<()> {
    let mut socket = accept_async(stream).await?;
    while let Some(message) = socket.next().await {
        let message = message?;
        if message.is_text() || message.is_binary() {
            #[cfg(feature = "planted")]
            let message = message.to_text()?.into(); // planted
            socket.send(message).await?;
        }
    }
    Ok(())
}
