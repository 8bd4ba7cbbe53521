use plimsoll::{Listener, Stop, Suite};

plimsoll::allocator!();

fn main() -> std::process::ExitCode {
    Suite::new(env!("CARGO_MANIFEST_DIR"))
        .websocket("/echo", serve)
        .echo(64)
        .echo(16 * 1024)
        .connect()
        .hold(100)
        .suite()
        .websocket("/chat", serve)
        .fan_out(8)
        .main()
}

async fn serve(listener: Listener, stop: Stop) -> std::io::Result<()> {
    axum::serve(listener, pilot_axum::app()).with_graceful_shutdown(stop).await
}
