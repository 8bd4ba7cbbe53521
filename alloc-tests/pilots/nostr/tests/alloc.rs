use nostr_relay_builder::LocalRelay;
use plimsoll::ws::{Client, Frame};
use plimsoll::{Listener, Scenario, Stop, Suite};

plimsoll::allocator!();

/// Signed once. Its kind is ephemeral: a relay hands it on and keeps nothing, so that it can be sent again.
const EVENT: &str = r#"{"id":"1a49e67cb45dca180a6e3e5fdfc731d9508b4655531e0b6a2dee45c4d25faa98","pubkey":"385c3a6ec0b9d57a4330dbd6284989be5bd00e41c535f9ca39b6ae7c521b81cd","created_at":1795780658,"kind":20001,"tags":[],"content":"good morning","sig":"c75e26c268b72e9f4043d9cc8c70c11cf535f32205ba0bc0428e5f67c73f98754f214c79567912aab49486e717bb9c03b09100464f069d5f8393572a2aa94166"}"#;

const SUBSCRIBE: &str = r#"["REQ","all",{"kinds":[20001]}]"#;

fn main() -> std::process::ExitCode {
    Suite::new(env!("CARGO_MANIFEST_DIR"))
        .websocket("/", serve)
        .request(SUBSCRIBE, r#"["EOSE","all"]"#)
        .connect()
        .hold(100)
        .suite()
        .scenario("event_8_subs_100_events", event)
        .main()
}

async fn serve(listener: Listener, stop: Stop) -> std::io::Result<()> {
    let relay: LocalRelay = pilot_nostr::relay();
    loop {
        tokio::select! {
            () = stop.clone() => break,
            accepted = listener.accept() => {
                let (stream, peer) = accepted?;
                tokio::spawn(pilot_nostr::connection(stream, peer, relay.clone()));
            }
        }
    }
    relay.shutdown();
    Ok(())
}

/// Eight clients subscribe; a ninth publishes an event, which all eight get.
fn event() -> Scenario {
    Scenario::new("event", 100, |n| {
        let (mut author, mut readers) = (Client::default(), Client::several(8));
        let (subscribe, publish) =
            (Frame::text(SUBSCRIBE), Frame::text(&format!(r#"["EVENT",{EVENT}]"#)));
        move |window| {
            let server = window.serve(serve)?;
            author.upgrade(server.addr(), "/")?;
            for client in &mut readers {
                client.upgrade(server.addr(), "/")?;
                client.send(&subscribe.request)?;
                client.expect_text(br#"["EOSE","all"]"#)?;
            }
            for _ in 0..n {
                author.send(&publish.request)?;
                author.expect_text_with(b",true,")?;
                for client in &mut readers {
                    client.expect_text(br#"["EVENT","all","#)?;
                }
            }
            readers.iter_mut().try_for_each(Client::close)?;
            author.close()?;
            server.stop()
        }
    })
}
