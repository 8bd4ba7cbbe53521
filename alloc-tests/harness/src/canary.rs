//! The check of the instrument before every measurement: each canary does one thing whose count is known.

use std::fs::File;
use std::hint::black_box;
use std::sync::Barrier;

use anyhow::{Context, ensure};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::counted::count;
use crate::io_count::IO;
use crate::profiler::Profiler;
use crate::{descriptors, system_calls, window};

/// A canary's name and its check.
type Canary = (&'static str, fn() -> anyhow::Result<()>);

const CANARIES: [Canary; 12] = [
    ("allocation", || heap((1, 100, 0, 0), || drop(black_box(Box::new([0u8; 100]))))),
    ("realloc", || heap((2, 72, 0, 0), grow)),
    ("zeroed allocation", || heap((1, 128, 0, 0), || drop(black_box(vec![0u8; black_box(128)])))),
    ("over-aligned allocation", || {
        heap((1, 4096, 0, 0), || _ = black_box(black_box(Box::new(Page([0; 4096]))).0))
    }),
    ("nothing", || heap((0, 0, 0, 0), || ())),
    ("another thread's allocation", another_thread),
    ("leaked block", leaked_block),
    ("leaked descriptor", leaked_descriptor),
    ("leaked task", leaked_task),
    ("reads and writes", reads_and_writes),
    ("system calls", calls_of_another_thread),
    ("random numbers", random_numbers),
];

/// Runs every canary.
pub(crate) fn check_instrument() -> anyhow::Result<()> {
    CANARIES.iter().try_for_each(|(name, canary)| {
        canary().with_context(|| format!("canary \"{name}\" was counted wrong"))
    })
}

/// Expects exactly these blocks, bytes, live blocks and live bytes from `body`.
fn heap(want: (u64, u64, u64, u64), body: impl FnOnce()) -> anyhow::Result<()> {
    let profiler = Profiler::counting();
    body();
    let heap = Profiler::heap();
    drop(profiler);
    let heap = heap.context("the profile ended early")?;
    let got = (heap.blocks, heap.bytes, heap.live_blocks, heap.live_bytes);
    ensure!(
        got == want,
        "(blocks, bytes, live blocks, live bytes) must be {want:?} and are {got:?}"
    );
    Ok(())
}

fn grow() {
    let mut bytes: Vec<u8> = Vec::with_capacity(black_box(8));
    black_box(&mut bytes).reserve_exact(64);
    drop(black_box(bytes));
}

#[repr(align(4096))]
struct Page([u8; 4096]);

fn another_thread() -> anyhow::Result<()> {
    let barrier = Barrier::new(2);
    std::thread::scope(|scope| {
        let thread = scope.spawn(|| {
            barrier.wait();
            for size in 1..=5usize {
                drop(black_box(Vec::<u8>::with_capacity(black_box(size))));
            }
            barrier.wait();
        });
        let counted = heap((5, 15, 0, 0), || {
            barrier.wait();
            barrier.wait();
        });
        // A scope waits for the closure alone: the system calls of the thread's end would fall into a later window.
        _ = thread.join();
        counted
    })
}

fn leaked_block() -> anyhow::Result<()> {
    let mut leaked = None;
    heap((1, 24, 1, 24), || leaked = Some(black_box(Box::new([0u8; 24]))))
}

fn leaked_descriptor() -> anyhow::Result<()> {
    let before = descriptors::open()?;
    let leaked = File::open("/dev/null")?;
    let found = descriptors::leaked(&before, &descriptors::open()?);
    drop(leaked);
    let closed = descriptors::leaked(&before, &descriptors::open()?);
    ensure!(
        found.values().collect::<Vec<_>>() == ["/dev/null"],
        "expected one open /dev/null, got {found:?}"
    );
    ensure!(closed.is_empty(), "expected nothing open after the close, got {closed:?}");
    Ok(())
}

fn leaked_task() -> anyhow::Result<()> {
    let alive = window::block_on(async {
        drop(tokio::spawn(std::future::pending::<()>()));
        tokio::runtime::Handle::current().metrics().num_alive_tasks()
    })?;
    ensure!(alive == 1, "expected one live task, got {alive}");
    Ok(())
}

/// Only those of the other thread are the server's.
fn calls_of_another_thread() -> anyhow::Result<()> {
    system_calls::take();
    _ = rustix::process::getppid();
    let ask_twice = || _ = (rustix::process::getppid(), rustix::process::getppid());
    std::thread::scope(|scope| _ = scope.spawn(ask_twice).join());
    let Some(calls) = system_calls::take() else { return Ok(()) };
    // A new thread may map a heap of the allocator, so that not all of its calls are known.
    let asked = calls.by_name.get("getppid");
    ensure!(asked == Some(&2), "expected two calls of getppid, got {calls:?}");
    Ok(())
}

/// Where the kernel lets us answer, they are the same in every window.
fn random_numbers() -> anyhow::Result<()> {
    if !system_calls::pins_random() {
        return Ok(());
    }
    let draw = || {
        let mut word = [0; 8];
        let filled = rustix::rand::getrandom(&mut word, rustix::rand::GetRandomFlags::empty());
        filled.map(|_| word)
    };
    let drawn = || {
        system_calls::take();
        std::thread::scope(|scope| scope.spawn(draw).join())
            .map_err(|_| anyhow::anyhow!("the thread panicked"))?
            .context("the kernel has no random numbers")
    };
    let (one, other) = (drawn()?, drawn()?);
    ensure!(one == other, "expected the same numbers twice, got {one:?} and {other:?}");
    Ok(())
}

fn reads_and_writes() -> anyhow::Result<()> {
    IO.reset();
    window::block_on(async {
        let mut stream = count(tokio::io::join(tokio::io::repeat(0), tokio::io::sink()));
        stream.write_all(b"two writes").await?;
        stream.write_all(b"are counted").await?;
        stream.read(&mut [0; 8]).await
    })??;
    let seen = (IO.reads(), IO.writes());
    ensure!(seen == (1, 2), "expected one read and two writes, got {seen:?}");
    Ok(())
}
