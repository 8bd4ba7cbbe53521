//! The pilot on jsonrpsee as a server.

use std::io;

use jsonrpsee::server::stop_channel;
use pilot_jsonrpsee::Service;

fn main() -> io::Result<()> {
    pilot_servers::run(async |slowed| {
        let (handle, _running) = stop_channel();
        let service = Service::new(handle).map_err(io::Error::other)?;
        loop {
            let (stream, _) = slowed.next().await?;
            tokio::spawn(service.clone().connection(stream));
        }
    })
}
