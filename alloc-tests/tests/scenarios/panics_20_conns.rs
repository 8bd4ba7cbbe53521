//! Connections that panic: in turns an echo session, a subscriber, and a request. The hub panics as often.

use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::task::{Context, Poll};

use alloc_tests::window;
use anyhow::ensure;
use plimsoll::Scenario;
use plimsoll::ws::{Client, Frame};
use server::config::Place;
use server::stats::ErrorKind;
use server::{Config, Embedded};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

const INTERNAL: &[u8] = b"\x88\x10\x03\xf3internal error";

/// Each makes the next read, answer or snapshot panic.
static IN_READ: AtomicBool = AtomicBool::new(false);
static IN_REQUEST: AtomicBool = AtomicBool::new(false);
static IN_HUB: AtomicBool = AtomicBool::new(false);

fn fault(place: Place) {
    let planted = if place == Place::Hub { &IN_HUB } else { &IN_REQUEST };
    assert!(!planted.swap(false, SeqCst), "planted");
}

/// A stream whose reads may panic.
struct Faulty<S>(S);

impl<S: AsyncRead + Unpin> AsyncRead for Faulty<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, to: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        assert!(!IN_READ.swap(false, SeqCst), "planted");
        Pin::new(&mut self.0).poll_read(cx, to)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Faulty<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(cx)
    }
}

pub(crate) fn scenario() -> Scenario {
    window::scenario("connection", 20, |ops| {
        // The panics are planted, and a scenario may print nothing.
        std::panic::set_hook(Box::new(|_| {}));
        let (mut client, message) = (Client::default(), Frame::text("hello"));
        move |window| {
            let config = Config { fault: Some(fault), ..window.config() };
            let guard = window.server_guard();
            let server = Embedded::start_wrapped(config, move |socket| {
                let _moved_here = &guard;
                Faulty(plimsoll::count_tcp(socket))
            })?;
            for n in 0..ops {
                match n % 3 {
                    0 => {
                        client.upgrade(server.addr(), "/ws/echo")?;
                        client.exchange(&message.request, &message.reply)?;
                    }
                    1 => {
                        client.upgrade(server.addr(), "/ws/dashboard")?;
                        client.expect_text(br#"{"skipped":0,"#)?;
                    }
                    _ => {
                        IN_REQUEST.store(true, SeqCst);
                        client.connect(server.addr())?;
                        client.http(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n", b" 500 ")?;
                    }
                }
                if n % 3 < 2 {
                    IN_READ.store(true, SeqCst);
                    client.exchange(&message.request, INTERNAL)?;
                }
                client.expect_end()?;
                client.drop_connection();
                window.until_open(&server, 0)?;
                // The hub panics, pauses for as long as a tick, and publishes; then it waits again.
                let timers = window.clock().timers().made;
                IN_HUB.store(true, SeqCst);
                for turn in 1..=2 {
                    window.clock().advance(window.config().tick);
                    window.until_timers(timers + turn)?;
                }
            }
            window.logs(2 * ops);
            let errors = window.stop(server)?.errors;
            let internal = errors[ErrorKind::Internal as usize];
            ensure!(internal == 2 * ops && errors.iter().sum::<u64>() == internal, "{errors:?}");
            Ok(())
        }
    })
}
