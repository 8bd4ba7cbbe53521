//! The generator allocates nothing for a message and little for a connection. The server is another process.
//!
//! There is one test, because dhat counts the whole process.

use std::process::Command;
use std::sync::atomic::AtomicBool;

use anyhow::{Context, Result};
use load::own_target::{OwnTarget, SERVE};
use load_engine::run::{RunSettings, Trust, run};
use load_plan::model::{Phase, Shard};
use load_plan::profile::Profile;

#[global_allocator]
static ALLOCATOR: dhat::Alloc = dhat::Alloc;

/// Blocks that an additional second may cost, because counts are kept by the second.
const A_SECOND: u64 = 200;

/// Bytes that an idle connection may hold.
const A_CONNECTION: u64 = 12 * 1024;

/// Counts of a run, and of the heap during it.
struct Cost {
    sent: u64,
    opened: u64,
    /// Blocks allocated in the whole run.
    blocks: u64,
    /// Bytes alive while all connections are open.
    held_bytes: u64,
}

fn load(url: &str, profile: &str) -> Result<Cost> {
    let settings = RunSettings {
        profile: Profile::parse(profile, "test")?,
        url: url.to_owned(),
        trust: Trust::default(),
        sources: Vec::new(),
        workers: 1,
        // A shard has no probe load. The other shard is not run.
        shard: Shard { index: 0, of: 2 },
        start_at: None,
        run_id: "test".to_owned(),
    };
    let _profiler = dhat::Profiler::builder().testing().build();
    let mut held_bytes = 0;
    let run = run(&settings, &AtomicBool::new(false), &mut |now| {
        if now.phase == Phase::Hold {
            held_bytes = dhat::HeapStats::get().curr_bytes;
        }
    })?;
    let blocks = dhat::HeapStats::get().total_blocks;
    let sum = run.sum(|_| true).counts;
    Ok(Cost { sent: sum.sent, opened: sum.opened, blocks, held_bytes: held_bytes as u64 })
}

#[test]
fn a_message_allocates_nothing_and_a_connection_little() -> Result<()> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ws-load"));
    command.arg(SERVE);
    let server = OwnTarget::spawn(command)?;
    let url = server.url();
    let echo = |hold: &str| {
        let profile = format!(
            "name = \"echo\"\n[traffic]\npace = {{ closed = {{ depth = 4 }} }}\nkind = \"text\"\nping = \"300ms\"\n\
             sizes = [{{ bytes = 16 }}, {{ bytes = \"1KiB\" }}, {{ bytes = \"20KiB\", share = 0.1 }}]\n\
             [[stage]]\nconnections = 8\nhold = \"{hold}\"\n[thresholds]\nlost = \"== 0\"\n"
        );
        load(url, &profile)
    };
    // The first run includes one-time initialisation of the process.
    echo("100ms")?;
    let short = echo("200ms")?;
    let long = echo("1200ms")?;
    let messages = long.sent.checked_sub(short.sent).context("more time, more messages")?;
    let blocks = long.blocks.saturating_sub(short.blocks);
    assert!(messages > 10 * A_SECOND, "only {messages} messages more are too few");
    assert!(blocks < A_SECOND, "{blocks} blocks for {messages} messages more");

    let idle = |connections: u32| {
        let profile = format!(
            "name = \"idle\"\n[traffic]\npace = \"idle\"\nping = \"200ms\"\n\
             [[stage]]\nconnections = {connections}\nhold = \"1100ms\"\n[thresholds]\npings_lost = \"== 0\"\n"
        );
        load(url, &profile)
    };
    let (few, many) = (idle(200)?, idle(1200)?);
    assert_eq!((few.opened, many.opened), (100, 600));
    let each = many.held_bytes.saturating_sub(few.held_bytes) / 500;
    assert!(each <= A_CONNECTION, "{each} bytes held by an idle connection");
    Ok(())
}
