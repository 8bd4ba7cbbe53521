//! Servers and scenarios with a fault: each gets a clear word, and never a pass.

use std::process::{Command, ExitCode};

use futures::{SinkExt, StreamExt};
use libtest_mimic::{Failed, Trial};
use plimsoll::ws::{Client, Frame};
use plimsoll::{Listener, Scenario, Served, Stop, Suite};

#[cfg(feature = "hooks")]
plimsoll::allocator!();

/// A fault: the scenario with it, and the words of the report.
struct Fault {
    id: &'static str,
    /// The test that demands the words.
    test: &'static str,
    scenario: fn() -> Scenario,
    words: &'static [&'static str],
}

const FAULTS: [Fault; 8] = [
    Fault {
        id: "planted_panic",
        test: "a_server_that_panics_says_why",
        scenario: || exchange(panics),
        words: &["the server failed: it panicked: no room"],
    },
    Fault {
        id: "planted_error",
        test: "a_server_that_ends_early_says_why",
        scenario: || exchange(fails),
        words: &["it ended with an error: the database is gone"],
    },
    Fault {
        id: "planted_other_port",
        test: "a_server_that_serves_another_port_is_named",
        scenario: || exchange(listens_elsewhere),
        words: &["must serve the listener that it gets"],
    },
    Fault {
        id: "planted_no_answer",
        test: "a_server_that_does_not_answer_is_named",
        scenario: || exchange(never_answers),
        words: &["the server sent nothing"],
    },
    Fault {
        id: "planted_second_runtime",
        test: "a_second_runtime_that_is_not_shut_down_is_a_leak",
        scenario: || idle(starts_a_runtime),
        words: &["leaked", "left open: ", "anon_inode:[eventpoll]"],
    },
    Fault {
        id: "planted_growth",
        test: "a_leak_that_grows_is_named_and_what_a_server_keeps_is_not",
        scenario: || exchange(remembers),
        words: &["leaked", "still alive at the end: 1 blocks, 64 bytes", "1 blocks, 64 bytes of"],
    },
    Fault {
        id: "planted_no_stop",
        test: "a_server_that_does_not_stop_is_told_how",
        scenario: || idle(never_stops),
        words: &["the server does not stop", "with_graceful_shutdown(stop)"],
    },
    Fault {
        id: "planted_not_stopped",
        test: "a_server_that_was_not_stopped_is_named",
        scenario: forgotten,
        words: &["call server.stop() at the end"],
    },
];

async fn panics(_: Listener, _: Stop) {
    panic!("no room");
}

async fn fails(_: Listener, _: Stop) -> Result<(), &'static str> {
    Err("the database is gone")
}

async fn listens_elsewhere(listener: Listener, stop: Stop) -> std::io::Result<()> {
    drop(listener);
    let _own = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await?;
    stop.await;
    Ok(())
}

/// Accepts, and reads nothing.
async fn never_answers(listener: Listener, stop: Stop) -> std::io::Result<()> {
    let _accepted = listener.accept().await?;
    stop.await;
    Ok(())
}

/// The runtime has no worker: one that still starts would move the peak from run to run.
async fn starts_a_runtime(_listener: Listener, stop: Stop) -> std::io::Result<()> {
    std::mem::forget(tokio::runtime::Builder::new_current_thread().enable_io().build()?);
    stop.await;
    Ok(())
}

/// An echo that leaks a block of each message, and one of each server.
async fn remembers(listener: Listener, stop: Stop) {
    let keep = |bytes| std::mem::forget(std::hint::black_box(vec![0u8; bytes]));
    keep(1000);
    let Ok((stream, _)) = listener.accept().await else { return };
    let Ok(mut socket) = tokio_tungstenite::accept_async(stream).await else { return };
    while let Some(Ok(message)) = socket.next().await {
        if message.is_text() {
            keep(64);
            drop(socket.send(message).await);
        }
    }
    drop(socket);
    stop.await;
}

async fn never_stops(_: Listener, _: Stop) {
    std::future::pending().await
}

/// One message on a connection.
fn exchange<F, Fut>(serve: F) -> Scenario
where
    F: Fn(Listener, Stop) -> Fut + Copy + Send + 'static,
    Fut: Future<Output: Served>,
{
    Scenario::new("message", 1, move |n| {
        let (mut client, message) = (Client::default(), Frame::text("hello"));
        move |window| {
            let server = window.serve(serve)?;
            client.upgrade(server.addr(), "/")?;
            for _ in 0..n {
                client.exchange(&message.request, &message.reply)?;
            }
            client.close()?;
            server.stop()
        }
    })
}

/// Servers without a connection, one after the other.
fn idle<F, Fut>(serve: F) -> Scenario
where
    F: Fn(Listener, Stop) -> Fut + Copy + Send + 'static,
    Fut: Future<Output: Served>,
{
    Scenario::new("start", 1, move |n| {
        move |window| (0..n).try_for_each(|_| window.serve(serve)?.stop())
    })
}

fn forgotten() -> Scenario {
    Scenario::new("start", 1, |_| {
        |window| {
            drop(window.serve(never_answers)?);
            Ok(())
        }
    })
}

fn check(fault: &Fault) -> Result<(), Failed> {
    let folder = tempfile::tempdir()?;
    let output = Command::new(std::env::current_exe()?)
        .args(["suite", fault.id, "--runs", "3", "--baselines"])
        .arg(folder.path())
        .output()?;
    let said = String::from_utf8_lossy(&output.stdout);
    let missing: Vec<_> = fault.words.iter().filter(|words| !said.contains(**words)).collect();
    if output.status.code() == Some(3) && missing.is_empty() {
        return Ok(());
    }
    Err(format!("{}, without {missing:?}:\n{said}", output.status).into())
}

fn main() -> ExitCode {
    let mut suite = Suite::new(env!("CARGO_MANIFEST_DIR"));
    for fault in &FAULTS {
        suite = suite.planted(fault.id, fault.scenario);
        if cfg!(feature = "hooks") {
            suite = suite.test(Trial::test(fault.test, || check(fault)));
        }
    }
    suite.main()
}
