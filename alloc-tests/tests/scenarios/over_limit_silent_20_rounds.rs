//! A round of connections beyond the limit that send nothing: 64 of them may, and the next are refused at once. The open
//! connection goes on, and time stands still.

use alloc_tests::window;
use plimsoll::Scenario;
use plimsoll::ws::{Client, Frame};
use server::Config;

/// Connections beyond the limit that the server waits for, if it may open 513 descriptors.
const RESERVE: usize = 64;

const REFUSED: u64 = 6;

pub(crate) fn scenario() -> Scenario {
    window::scenario("round", 20, |ops| {
        let (mut admitted, mut refused) = (Client::default(), Client::default());
        let mut silent = Client::several(RESERVE as u64);
        let message = Frame::text("still here");
        move |window| {
            let server = window.start_with(Config { max_connections: 1, ..window.config() })?;
            admitted.upgrade(server.addr(), "/ws/echo")?;
            for _ in 0..ops {
                for (client, open) in silent.iter_mut().zip(2..) {
                    client.connect(server.addr())?;
                    window.until_open(&server, open)?;
                }
                for _ in 0..REFUSED {
                    refused.connect(server.addr())?;
                    refused.http(b"", b" 503 ")?;
                    refused.expect_end()?;
                    admitted.exchange(&message.request, &message.reply)?;
                }
                for (client, open) in silent.iter_mut().zip((1..=RESERVE as u64).rev()) {
                    client.drop_connection();
                    window.until_open(&server, open)?;
                    // One turn of the I/O driver, which releases what has ended.
                    admitted.exchange(&message.request, &message.reply)?;
                }
            }
            admitted.close()?;
            let counters = window.stop(server)?;
            anyhow::ensure!(counters.connections_refused == REFUSED * ops, "{counters:?}");
            Ok(())
        }
    })
}
