use plimsoll::{Listener, Stop, Suite};

plimsoll::allocator!();

fn main() -> std::process::ExitCode {
    Suite::new(env!("CARGO_MANIFEST_DIR")).websocket("/", serve).echo(64).connect().hold(100).main()
}

async fn serve(listener: Listener, stop: Stop) -> std::io::Result<()> {
    loop {
        tokio::select! {
            () = stop.clone() => return Ok(()),
            accepted = listener.accept() => {
                let (stream, _) = accepted?;
                tokio::spawn(pilot_tungstenite::echo(stream));
            }
        }
    }
}
