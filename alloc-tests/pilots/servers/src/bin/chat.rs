//! The pilot on axum as a server.

fn main() -> std::io::Result<()> {
    pilot_servers::run(async |slowed| axum::serve(slowed, pilot_axum::app()).await)
}
