//! A server on the machine's clock, as production runs it: a round of requests, messages and a refusal, and a drain that
//! runs out. Nothing waits for time to pass but the millisecond of the drain. Without a subscriber: the length of a
//! snapshot depends on the time.

use std::time::Duration;

use alloc_tests::scenario::refusal;
use alloc_tests::window::{self, ServerWindow};
use plimsoll::Scenario;
use plimsoll::ws::{Client, Frame};
use server::{Clock, Config};

const REQUESTS: [&str; 4] = ["/healthz", "/readyz", "/metrics", "/"];

pub(crate) fn scenario() -> Scenario {
    window::scenario("round", 10, |ops| {
        let mut peers = Peers::default();
        move |window| (0..ops).try_for_each(|_| peers.round(window))
    })
}

struct Peers {
    client: Client,
    stuck: Client,
    messages: Vec<Frame>,
    requests: Vec<Vec<u8>>,
}

impl Default for Peers {
    fn default() -> Self {
        let request = |path| format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n").into_bytes();
        Self {
            client: Client::default(),
            stuck: Client::default(),
            messages: vec![Frame::text("hello"), Frame::ping(b""), Frame::binary(1000)],
            requests: REQUESTS.map(request).into(),
        }
    }
}

impl Peers {
    fn round(&mut self, window: &ServerWindow<'_>) -> anyhow::Result<()> {
        let server = window.start_with(Config {
            clock: Clock::real(),
            // One snapshot and no more.
            tick: Duration::from_secs(3600),
            drain: Duration::from_millis(1),
            ..Config::default()
        })?;
        let (client, addr) = (&mut self.client, server.addr());
        client.connect(addr)?;
        for request in &self.requests {
            client.http(request, b" 200 ")?;
        }
        client.drop_connection();
        window.until_open(&server, 0)?;
        client.upgrade(addr, "/ws/echo")?;
        for _ in 0..10 {
            for Frame { request, reply } in &self.messages {
                client.exchange(request, reply)?;
            }
        }
        client.close()?;
        window.until_open(&server, 0)?;
        client.upgrade(addr, "/ws/echo")?;
        client.exchange(b"\xf1\x80\0\0\0\0", refusal(1002))?;
        client.expect_end()?;
        window.until_open(&server, 0)?;
        client.upgrade(addr, "/ws/echo")?;
        client.exchange(&self.messages[0].request, &self.messages[0].reply)?;
        self.stuck.connect(addr)?;
        self.stuck.send(b"GET / HTTP/1.1\r\n")?;
        window.until_open(&server, 2)?;
        // Answered when the server has read the half request.
        client.exchange(&self.messages[0].request, &self.messages[0].reply)?;
        client.close()?;
        window.until_open(&server, 1)?;
        server.request_stop();
        self.stuck.expect_end()?;
        window.stop_by_kill(server)?;
        Ok(())
    }
}
