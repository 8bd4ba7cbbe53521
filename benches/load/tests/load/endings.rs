//! TCP connections that end without a closing handshake are resets.

use futures::{SinkExt, StreamExt};
use tokio::io::AsyncWriteExt;
use tokio_tungstenite::tungstenite::Error;

use crate::profile::Profile;
use crate::run::Load;
use crate::server::{Server, Socket};

/// Messages that the server echoes on a connection before it ends it.
const GOOD: usize = 10;

/// Runs against an echo that does `end` to each of the first three connections.
#[track_caller]
fn check<E, F>(end: E)
where
    E: Fn(Socket) -> F + Clone + Send + Sync + 'static,
    F: Future<Output = Result<(), Error>> + Send + 'static,
{
    let server = Server::upgrading(move |mut socket, tally| {
        let end = end.clone();
        async move {
            let mut n = 0;
            while let Some(message) = socket.next().await {
                let message = message?;
                if !message.is_text() {
                    continue;
                }
                socket.send(message).await?;
                n += 1;
                if n == GOOD && tally.faults.get() < 3 {
                    tally.faults.add(1);
                    return end(socket).await;
                }
            }
            Ok(())
        }
    });
    let outcome = Load::new(Profile::default(), &server.url()).run();
    outcome.check(3, &["reset"]);
    outcome.adds_up();
    assert_eq!(outcome.endings().get("reset"), Some(&3), "{}", outcome.text);
    assert!(outcome.faults().keys().all(|fault| *fault == "lost"), "{}", outcome.text);
}

#[test]
fn a_tcp_reset_is_a_reset() {
    check(|socket| async move { Ok(socket.get_ref().set_zero_linger()?) });
}

#[test]
fn the_end_of_the_stream_without_a_close_frame_is_a_reset() {
    check(|mut socket| async move { Ok(socket.get_mut().shutdown().await?) });
}
