use plimsoll::{Listener, Stop, Suite};

plimsoll::allocator!();

fn main() -> std::process::ExitCode {
    Suite::new(env!("CARGO_MANIFEST_DIR"))
        .websocket("/echo", serve)
        .echo(64)
        .connect()
        .hold(100)
        .main()
}

/// It takes only tokio's own listener, and ends when it is dropped.
async fn serve(listener: Listener, stop: Stop) {
    tokio::select! {
        () = pilot_warp::run(listener.into_tokio()) => {}
        () = stop => {}
    }
}
