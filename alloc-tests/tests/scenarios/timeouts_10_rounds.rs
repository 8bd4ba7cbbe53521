//! A round of peers that do nothing: no request, half a head, no second request, no pong, a late pong, no end after a
//! close frame; on both routes.

use std::time::Duration;

use alloc_tests::scenario::refusal;
use alloc_tests::window::{self, ServerWindow};
use plimsoll::io_count::IO;
use plimsoll::Scenario;
use plimsoll::ws::Client;
use server::stats::ErrorKind;
use server::{Config, Embedded};

const ECHO: &str = "/ws/echo";
const DASHBOARD: &str = "/ws/dashboard";

/// An empty ping.
const PING: &[u8] = b"\x89\0";

/// A pong, and a ping whose answer tells that both were read; masked with zeros.
const PONG: &[u8] = b"\x8a\x80\0\0\0\0\x89\x80\0\0\0\0";

pub(crate) fn scenario() -> Scenario {
    window::scenario("round", 10, |ops| {
        let mut client = Client::default();
        move |window| {
            // Without ticks, every new timer is a connection's.
            let tick = Duration::from_secs(u32::MAX.into());
            let server = window.start_with(Config { tick, ..window.config() })?;
            for _ in 0..ops {
                requests(window, &server, &mut client)?;
                pings(window, &server, &mut client)?;
                closes(window, &server, &mut client)?;
            }
            let counters = window.stop(server)?;
            let errors = |kind: ErrorKind| counters.errors[kind as usize];
            anyhow::ensure!(
                errors(ErrorKind::Http) == 2 * ops
                    && errors(ErrorKind::Silent) == 2 * ops,
                "{counters:?}"
            );
            Ok(())
        }
    })
}

fn advance(window: &ServerWindow<'_>, seconds: u64) {
    window.clock().advance(Duration::from_secs(seconds));
}

/// Lets time pass until the server has dropped its only connection.
fn until_dropped(window: &ServerWindow<'_>, server: &Embedded) -> anyhow::Result<()> {
    window.wait_until("the connection is dropped", || {
        advance(window, 1);
        server.stats().counters().connections_open == 0
    })
}

fn requests(
    window: &ServerWindow<'_>,
    server: &Embedded,
    client: &mut Client,
) -> anyhow::Result<()> {
    for sent in [&b""[..], b"GET /ws/echo HTTP/1.1\r\nHost: "] {
        let reads = IO.reads();
        client.connect(server.addr())?;
        client.send(sent)?;
        window.until_open(server, 1)?;
        window.until_read(reads + u64::from(!sent.is_empty()))?;
        until_dropped(window, server)?;
        client.drop_connection();
    }
    client.connect(server.addr())?;
    client.http(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n", b" 200 ")?;
    until_dropped(window, server)?;
    client.expect_end()
}

/// Upgrades, and takes the first snapshot of a subscriber.
fn upgrade(
    window: &ServerWindow<'_>,
    server: &Embedded,
    client: &mut Client,
    path: &str,
) -> anyhow::Result<()> {
    client.upgrade(server.addr(), path)?;
    if path == DASHBOARD {
        client.expect_text(br#"{"skipped":0,"#)?;
    }
    window.until(server, "the client is upgraded", |now| now.echo_open + now.dashboard_open == 1)
}

fn pings(window: &ServerWindow<'_>, server: &Embedded, client: &mut Client) -> anyhow::Result<()> {
    for (path, answers) in [(ECHO, false), (ECHO, true), (DASHBOARD, false), (DASHBOARD, true)] {
        upgrade(window, server, client, path)?;
        advance(window, 25);
        client.expect(PING)?;
        if answers {
            advance(window, 5);
            client.exchange(PONG, b"\x8a\0")?;
            // The deadline of the pong passes, and the timer is made anew.
            let made = window.clock().timers().made;
            advance(window, 5);
            window.until_timers(made + 1)?;
            // The peer is heard before the next ping is due, and the timer is made anew.
            client.exchange(PONG, b"\x8a\0")?;
            advance(window, 20);
            window.until_timers(made + 2)?;
            client.close()?;
        } else {
            advance(window, 10);
            client.expect_end()?;
        }
        window.until_open(server, 0)?;
    }
    Ok(())
}

/// A peer that broke a rule and does not end its side of the connection.
fn closes(window: &ServerWindow<'_>, server: &Embedded, client: &mut Client) -> anyhow::Result<()> {
    for path in [ECHO, DASHBOARD] {
        upgrade(window, server, client, path)?;
        client.exchange(b"\xf1\x80\0\0\0\0", refusal(1002))?;
        advance(window, 2);
        window.until_open(server, 0)?;
        client.drop_connection();
    }
    Ok(())
}
