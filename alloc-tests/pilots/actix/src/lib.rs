//! An echo as actix-web's users write it, with one worker. It accepts on a thread and serves on another, with runtimes of its
//! own.

use std::io;
use std::net::TcpListener;
use std::time::Duration;

use actix_web::web::{Payload, get};
use actix_web::{App, Error, HttpRequest, HttpResponse, HttpServer, rt};
use actix_ws::{Message, MessageStream, Session};

/// Serves `/echo` until the process ends.
pub fn run(listener: TcpListener) -> io::Result<()> {
    let app = || App::new().route("/echo", get().to(upgrade));
    let server = HttpServer::new(app)
        .workers(1)
        .disable_signals()
        // By default a connection stays for a second after its close frames.
        .client_disconnect_timeout(Duration::ZERO)
        .listen(listener)?;
    rt::System::new().block_on(server.run())
}

async fn upgrade(request: HttpRequest, body: Payload) -> Result<HttpResponse, Error> {
    let (response, session, messages) = actix_ws::handle(&request, body)?;
    rt::spawn(echo(session, messages));
    Ok(response)
}

async fn echo(mut session: Session, mut messages: MessageStream) {
    while let Some(Ok(message)) = messages.recv().await {
        let sent = match message {
            Message::Text(text) => {
                #[cfg(feature = "planted")]
                let text = String::from_iter(text.chars()); // planted
                session.text(text).await
            }
            Message::Ping(payload) => session.pong(&payload).await,
            Message::Close(reason) => {
                // An error is that of a peer that has left.
                _ = session.close(reason).await;
                return;
            }
            _ => Ok(()),
        };
        if sent.is_err() {
            return;
        }
    }
}
