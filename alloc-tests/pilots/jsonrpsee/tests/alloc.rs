use std::io;

use jsonrpsee::server::stop_channel;
use pilot_jsonrpsee::Service;
use plimsoll::ws::{Client, Frame};
use plimsoll::{Listener, Scenario, Stop, Suite};

plimsoll::allocator!();

fn main() -> std::process::ExitCode {
    Suite::new(env!("CARGO_MANIFEST_DIR"))
        .websocket("/", serve)
        .request(&call("add", "[40,2]"), r#""result":42}"#)
        .connect()
        .hold(100)
        .suite()
        .scenario("say_8_subs_100_msgs", say)
        .main()
}

async fn serve(listener: Listener, stop: Stop) -> io::Result<()> {
    let (stopped, handle) = stop_channel();
    let service = Service::new(stopped).map_err(io::Error::other)?;
    loop {
        tokio::select! {
            () = stop.clone() => break,
            accepted = listener.accept() => {
                tokio::spawn(service.clone().connection(accepted?.0));
            }
        }
    }
    // All that it serves has a clone of the service.
    drop(service);
    // It is an error if all that it served has ended.
    _ = handle.stop();
    handle.stopped().await;
    Ok(())
}

fn call(method: &str, params: &str) -> String {
    format!(r#"{{"jsonrpc":"2.0","id":1,"method":"{method}","params":{params}}}"#)
}

/// Eight clients join; a ninth says something, which all eight get.
fn say() -> Scenario {
    Scenario::new("message", 100, |n| {
        let (mut speaker, mut listeners) = (Client::default(), Client::several(8));
        let join = Frame::text(&call("join", "[]"));
        let say = Frame::text(&call("say", r#"["good morning"]"#));
        move |window| {
            let server = window.serve(serve)?;
            speaker.upgrade(server.addr(), "/")?;
            for client in &mut listeners {
                client.upgrade(server.addr(), "/")?;
                client.send(&join.request)?;
                client.expect_text_with(br#""result":"#)?;
            }
            for _ in 0..n {
                speaker.send(&say.request)?;
                speaker.expect_text_with(br#""result":8}"#)?;
                for client in &mut listeners {
                    client.expect_text_with(br#""good morning"}"#)?;
                }
            }
            listeners.iter_mut().try_for_each(Client::close)?;
            speaker.close()?;
            server.stop()
        }
    })
}
