//! A known program: what the library counts in it must be exact before anything is judged.

use std::alloc::{Layout, alloc, alloc_zeroed, dealloc, realloc};
use std::hint::black_box;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Command, Stdio};
use std::sync::Barrier;
use std::thread;

use anyhow::{Context, Result, ensure};
use compare::cleanup;
use plimsoll_preload::counts::Counts;
use plimsoll_preload::layout;

use super::counters::Counters;

/// What [`work`] does: blocks of 100, 300, 100, 128 and 50 bytes, two reads of a socket and one write.
const KNOWN: Counts = Counts {
    blocks: 5,
    bytes: 100 + 300 + 100 + 128 + 50,
    reads: 2,
    read_bytes: 5,
    writes: 1,
    written_bytes: 5,
};

/// Bytes that [`work`] leaves alive.
const LEFT: i64 = 50;

/// The hidden flag of `count` that makes a process the canary.
pub(super) const FLAG: &str = "--canary";

/// Starts this program as the canary. An error says what was counted wrong.
pub(super) fn check() -> Result<()> {
    let counters = Counters::new()?;
    let own = std::env::current_exe().context("cannot find this program itself")?;
    let mut command = Command::new(own);
    command.args(["count", FLAG]).envs(counters.environment()).stdin(Stdio::null());
    let output = cleanup::output(&mut command).context("cannot start this program itself")?;
    let said = String::from_utf8_lossy(&output.stdout);
    let counted = read(&said).with_context(|| {
        let error = String::from_utf8_lossy(&output.stderr);
        format!("the canary did not end as it should ({}): {}", output.status, error.trim())
    })?;
    judge(counted)
}

fn judge(counted: (Counts, i64)) -> Result<()> {
    let known = (KNOWN, LEFT);
    ensure!(counted == known, "the canary was counted wrong: {counted:?} instead of {known:?}");
    Ok(())
}

/// The canary itself: works, and prints what was counted meanwhile.
pub(super) fn run() -> Result<()> {
    let path = std::env::var_os(layout::VARIABLE).context("the canary is started by count")?;
    let file = std::fs::File::open(path).context("cannot open the counts")?;
    let live = || -> Result<i64> {
        let processes = plimsoll_preload::counts::processes(&file, 0)?.unwrap_or_default();
        let own = processes.iter().find(|process| process.pid == std::process::id());
        Ok(own.context("the library is not loaded")?.live_bytes)
    };
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let mut near = TcpStream::connect(listener.local_addr()?)?;
    let (mut far, _) = listener.accept()?;
    // The other thread starts and ends outside of what is counted.
    let steps = Barrier::new(2);
    let counted = thread::scope(|scope| -> Result<_> {
        scope.spawn(|| {
            steps.wait();
            steps.wait();
            black_box(Box::leak(Box::new([0_u8; LEFT as usize])));
            steps.wait();
            steps.wait();
        });
        steps.wait();
        let (was_alive, before) = (live()?, Counts::read(&file)?);
        let worked = work(&mut near, &mut far);
        steps.wait();
        steps.wait();
        let (after, is_alive) = (Counts::read(&file)?, live()?);
        steps.wait();
        worked?;
        Ok((after.since(before), is_alive - was_alive))
    })?;
    let (Counts { blocks, bytes, reads, read_bytes, writes, written_bytes }, left) = counted;
    let words = format!("{blocks} {bytes} {reads} {read_bytes} {writes} {written_bytes} {left}\n");
    bench_show::output::print(&words)
}

fn work(near: &mut TcpStream, far: &mut TcpStream) -> Result<()> {
    let (small, wide) = (Layout::new::<[u8; 100]>(), Layout::from_size_align(128, 64)?);
    // SAFETY: each block is freed with its last layout.
    unsafe {
        let block = black_box(realloc(black_box(alloc(small)), small, 300));
        let zeroed = black_box(alloc_zeroed(small));
        let aligned = black_box(alloc(wide));
        dealloc(block, Layout::new::<[u8; 300]>());
        dealloc(zeroed, small);
        dealloc(aligned, wide);
    }
    let mut buffer = [0; 3];
    near.write_all(b"bytes")?;
    far.read_exact(&mut buffer)?;
    far.read_exact(&mut buffer[..2])?;
    Ok(())
}

fn read(said: &str) -> Result<(Counts, i64)> {
    let numbers = said.split_whitespace().map(str::parse).collect::<Result<Vec<i64>, _>>()?;
    let [blocks, bytes, reads, read_bytes, writes, written_bytes, left] = numbers[..] else {
        anyhow::bail!("it printed {said:?}");
    };
    let [blocks, bytes, reads] = [blocks, bytes, reads].map(|number| number as u64);
    let [read_bytes, writes, written_bytes] =
        [read_bytes, writes, written_bytes].map(|number| number as u64);
    Ok((Counts { blocks, bytes, reads, read_bytes, writes, written_bytes }, left))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_canary_that_is_counted_wrong_in_one_number_is_an_error() -> Result<()> {
        judge(read("5 678 2 5 1 5 50\n")?)?;
        for wrong in ["6 678 2 5 1 5 50", "5 677 2 5 1 5 50", "5 678 2 5 1 5 0", "5 678 0 0 1 5 50"]
        {
            assert!(judge(read(wrong)?).is_err(), "{wrong}");
        }
        assert!(read("5 678").is_err() && read("").is_err() && read("a b").is_err());
        Ok(())
    }
}
