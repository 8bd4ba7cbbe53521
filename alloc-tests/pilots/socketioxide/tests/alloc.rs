use plimsoll::ws::{Client, Frame};
use plimsoll::{Listener, Scenario, Stop, Suite};

plimsoll::allocator!();

const PATH: &str = "/socket.io/?EIO=4&transport=websocket";

fn main() -> std::process::ExitCode {
    let enter = enter();
    Suite::new(env!("CARGO_MANIFEST_DIR"))
        .websocket(PATH, serve)
        .greet(move |client| join(client, &enter))
        .connect()
        .hold(100)
        .suite()
        .scenario("say_alone_1000_msgs", || say(1, 1000))
        .scenario("say_8_subs_100_msgs", || say(8, 100))
        .main()
}

async fn serve(listener: Listener, stop: Stop) -> std::io::Result<()> {
    axum::serve(listener, pilot_socketioxide::app()).with_graceful_shutdown(stop).await
}

/// The answer to a ping, and the wish to enter the namespace `/`.
fn enter() -> Frame {
    Frame::text("3").then(&Frame::text("40"))
}

/// Socket.IO's handshake: the server opens and pings, the client answers and enters, the server gives it an id.
fn join(client: &mut Client, enter: &Frame) -> plimsoll::Result<()> {
    client.expect_text(br#"0{"sid":"#)?;
    client.expect_text(b"2")?;
    client.send(&enter.request)?;
    client.expect_text(br#"40{"sid":"#)
}

/// The first of `subs` clients says something. All get it, and the first also gets an acknowledgement.
fn say(subs: u64, ops: u64) -> Scenario {
    Scenario::new("message", ops, move |n| {
        let (mut clients, enter) = (Client::several(subs), enter());
        let say = Frame::text(r#"421["say","good morning"]"#);
        move |window| {
            let server = window.serve(serve)?;
            for client in &mut clients {
                client.upgrade(server.addr(), PATH)?;
                join(client, &enter)?;
            }
            for _ in 0..n {
                clients[0].send(&say.request)?;
                for client in &mut clients {
                    client.expect_text(br#"42["said","good morning"]"#)?;
                }
                clients[0].expect_text(br#"431["good morning"]"#)?;
            }
            clients.iter_mut().try_for_each(Client::close)?;
            server.stop()
        }
    })
}
