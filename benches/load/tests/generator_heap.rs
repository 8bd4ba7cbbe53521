//! What the generator allocates: nothing for a message, little for a connection. The server is another process.
//!
//! One test, because dhat is of the whole process.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::AtomicBool;

use anyhow::{Context, Result};
use load_engine::run::{RunSettings, run};
use load_plan::model::{Run, Shard};
use load_plan::profile::Profile;

#[global_allocator]
static ALLOCATOR: dhat::Alloc = dhat::Alloc;

/// Blocks that one second more may cost: what is recorded is cut into seconds, and each cut is kept.
const A_SECOND: u64 = 200;

/// Bytes that an idle connection may hold, handshake and all.
const A_CONNECTION: u64 = 12 * 1024;

/// `ws-load serve`, ended with this.
struct Server(Child);

impl Server {
    fn start() -> Result<(Self, String)> {
        let mut child = Command::new(env!("CARGO_BIN_EXE_ws-load"))
            .arg("serve")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()?;
        let mut line = String::new();
        let stdout = child.stdout.take().context("stdout was asked for")?;
        let server = Self(child);
        BufReader::new(stdout).read_line(&mut line)?;
        let addr = line.trim().strip_prefix("listening on http://").context("it listens")?;
        // Not the path beside which metrics are found: a rehearsal would be counted as well.
        Ok((server, format!("ws://{addr}/ws/echo")))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It has nothing to drain.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn load(url: &str, profile: &str) -> Result<(Run, dhat::HeapStats)> {
    let settings = RunSettings {
        profile: Profile::parse(profile, "test")?,
        url: url.to_owned(),
        ca_file: None,
        sources: Vec::new(),
        workers: 1,
        // Two shards have no rehearsal; the other one is not run.
        shard: Shard { index: 0, of: 2 },
        start_at: None,
        run_id: "test".to_owned(),
    };
    let profiler = dhat::Profiler::builder().testing().build();
    let run = run(&settings, &AtomicBool::new(false), &mut |_| {})?;
    let heap = dhat::HeapStats::get();
    drop(profiler);
    Ok((run, heap))
}

#[test]
fn a_message_allocates_nothing_and_a_connection_little() -> Result<()> {
    let (_server, url) = Server::start()?;
    let echo = |seconds: u32| {
        let profile = format!(
            "name = \"echo\"\n[traffic]\npace = {{ closed = {{ depth = 4 }} }}\nkind = \"text\"\nping = \"300ms\"\n\
             sizes = [{{ bytes = 16 }}, {{ bytes = \"1KiB\" }}, {{ bytes = \"20KiB\", share = 0.1 }}]\n\
             [[stage]]\nconnections = 8\nhold = \"{seconds}s\"\n[thresholds]\nlost = \"== 0\"\n"
        );
        load(&url, &profile)
    };
    // Whatever is made once for a process is made.
    echo(1)?;
    let (short, short_heap) = echo(1)?;
    let (long, long_heap) = echo(3)?;
    let sent = |run: &Run| run.sum(|_| true).counts.sent;
    let messages = sent(&long).checked_sub(sent(&short)).context("more time, more messages")?;
    let blocks = long_heap.total_blocks.saturating_sub(short_heap.total_blocks);
    assert!(messages > 10 * A_SECOND, "only {messages} messages more: nothing can be told");
    assert!(blocks < 2 * A_SECOND, "{blocks} blocks for {messages} messages more");

    let idle = |connections: u32| {
        let profile = format!(
            "name = \"idle\"\n[traffic]\npace = \"idle\"\nping = \"500ms\"\n\
             [[stage]]\nconnections = {connections}\nramp = \"1s\"\nhold = \"1s\"\n[thresholds]\npings_lost = \"== 0\"\n"
        );
        load(&url, &profile)
    };
    let (few, few_heap) = idle(200)?;
    let (many, many_heap) = idle(1200)?;
    let opened = |run: &Run| run.sum(|_| true).counts.opened;
    assert_eq!((opened(&few), opened(&many)), (100, 600));
    let each = (many_heap.max_bytes as u64).saturating_sub(few_heap.max_bytes as u64) / 500;
    assert!(each <= A_CONNECTION, "{each} bytes held by an idle connection");
    Ok(())
}
