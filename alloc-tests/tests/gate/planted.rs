//! Scenarios with a planted fault. They run only when named by their whole id.

use std::fs::File;
use std::io::Write;
use std::sync::Once;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use alloc_tests::{scenario, window};
use plimsoll::Profiler;
use plimsoll::Scenario;
use plimsoll::ws::{Client, Frame};
use server::Clock;

pub(crate) fn planted() -> Vec<(&'static str, Scenario)> {
    Vec::from([
        (
            "planted_block",
            connections(|| std::mem::forget(std::hint::black_box(Box::new([0u8; 64])))),
        ),
        (
            "planted_descriptor",
            connections(|| std::mem::forget(File::open("/dev/null").expect("it is always there"))),
        ),
        ("planted_task", connections(|| drop(tokio::spawn(std::future::pending::<()>())))),
        ("planted_wavering", connections(waver)),
        ("planted_wavering_leak", connections(wavering_leak)),
        ("planted_once", connections(once)),
        ("planted_call", connections(|| _ = rustix::process::getppid())),
        ("planted_mapping", connections(mapping)),
        ("planted_process", connections(|| blocks(u64::from(std::process::id()) % 251))),
        (
            "planted_stderr",
            connections(|| _ = writeln!(std::io::stderr(), "a forgotten line of a session")),
        ),
        (
            "planted_stdout",
            connections(|| _ = writeln!(std::io::stdout(), "a forgotten line of a session")),
        ),
        ("planted_log", connections(|| tracing::info!("a forgotten line of a session"))),
        ("planted_timer", timer()),
        ("planted_tokio_timer", connections(|| drop(tokio::time::sleep(Duration::ZERO)))),
        ("planted_wrong_answer", scenario::echo(wrong(), 100, 1)),
        ("planted_blindness", connections(|| drop(Profiler::guard()))),
    ])
}

/// Connections with `fault` in each.
fn connections(fault: fn()) -> Scenario {
    window::scenario("connection", 100, move |ops| {
        let mut client = Client::default();
        move |window| {
            let server = window.start_planting(window.config(), fault)?;
            for _ in 0..ops {
                client.upgrade(server.addr(), "/ws/echo")?;
                client.close()?;
                window.until_open(&server, 0)?;
            }
            window.stop(server)?;
            Ok(())
        }
    })
}

/// Messages that each make a timer on the clock of the server.
fn timer() -> Scenario {
    window::scenario("message", 100, |ops| {
        let mut client = Client::default();
        let message = Frame::text("hello");
        move |window| {
            let server = window.start()?;
            let clock = Clock::Manual(window.clock().clone());
            client.upgrade(server.addr(), "/ws/echo")?;
            window.traffic(&server, 1, ops, || {
                drop(clock.sleep(Duration::from_secs(1)));
                client.exchange(&message.request, &message.reply)
            })
        }
    })
}

/// A message for which the driver expects the wrong echo.
fn wrong() -> Frame {
    Frame { reply: Frame::text("pong").reply, ..Frame::text("ping") }
}

/// A number of blocks that differs from call to call.
fn waver() {
    static CALLS: AtomicU64 = AtomicU64::new(0);
    blocks(CALLS.fetch_add(1, Relaxed) % 7);
}

/// A block that is never freed, beside a number of blocks that differs from call to call.
fn wavering_leak() {
    std::mem::forget(std::hint::black_box(Box::new([0u8; 64])));
    waver();
}

/// A page of memory that no allocator knows.
fn mapping() {
    use rustix::mm::{MapFlags, ProtFlags, mmap_anonymous};
    // SAFETY: nothing is mapped over, and nothing uses the page.
    let page =
        unsafe { mmap_anonymous(std::ptr::null_mut(), 4096, ProtFlags::READ, MapFlags::PRIVATE) };
    page.expect("there is room for a page");
}

/// Blocks that only the first connection of a process allocates.
fn once() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| blocks(7));
}

fn blocks(count: u64) {
    for size in 0..count {
        drop(std::hint::black_box(vec![0u8; 8 + size as usize]));
    }
}
