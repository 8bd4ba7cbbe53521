//! Connections that come while the process has no descriptor left: accept fails, the server backs off, and serves them
//! once there is one.

use std::fs::File;
use std::os::fd::AsRawFd;
use std::time::Duration;

use alloc_tests::window;
use plimsoll::Scenario;
use plimsoll::ws::Client;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use server::Config;
use server::stats::ErrorKind;

const HEALTH: &[u8] = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n";

pub(crate) fn scenario() -> Scenario {
    window::scenario("connection", 100, |ops| {
        let mut client = Client::default();
        move |window| {
            // Without ticks, every new timer is the back-off.
            let tick = Duration::from_secs(3600);
            let server = window.start_with(Config { tick, ..window.config() })?;
            // The server has opened its own descriptors once it answers.
            client.connect(server.addr())?;
            client.http(HEALTH, b" 200 ")?;
            client.drop_connection();
            window.until_open(&server, 0)?;
            for failed in 1..=ops {
                let (limit, timers) = (getrlimit(Resource::Nofile), window.clock().timers().made);
                // The lowest free descriptor becomes the client's socket; the server's would be the next one.
                let last = File::open("/dev/null")?.as_raw_fd() + 1;
                let current = Some(u64::try_from(last)?);
                setrlimit(Resource::Nofile, Rlimit { current, ..limit })?;
                let connected = client.connect(server.addr());
                let accepting = window.until(&server, "accept has failed", |counters| {
                    counters.errors[ErrorKind::Accept as usize] == failed
                });
                setrlimit(Resource::Nofile, limit)?;
                connected?;
                accepting?;
                window.until_timers(timers + 1)?;
                window.clock().advance(Duration::from_millis(100));
                client.http(HEALTH, b" 200 ")?;
                client.drop_connection();
                window.until_open(&server, 0)?;
            }
            window.logs(ops);
            window.stop(server)?;
            Ok(())
        }
    })
}
