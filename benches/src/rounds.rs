//! Rounds: runs of all targets, each in new processes. A process keeps its memory layout as long as it lives, so one
//! process is one sample, however long it measures.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail, ensure};

use crate::pairs::{self, Pairs};
use crate::ratios::Filter;

/// Rounds of a check: the fewest that a signed-rank interval at 99 % needs.
pub const ROUNDS: usize = 8;

/// Criterion's settings: a process gives one ratio, so a short measurement of many processes says most.
const SETTINGS: [&str; 7] = [
    "--noplot",
    "--sample-size=10",
    "--nresamples=1000",
    "--warm-up-time=0.1",
    "--measurement-time=0.3",
    "--quiet",
    "--color=never",
];

/// Measures so many rounds of the benchmarks that `filter` admits, below `folder`, which is emptied first. `step` is
/// told the number of the round that begins.
///
/// # Errors
///
/// If a target does not build or run: the end of what it printed.
pub fn measure(
    workspace: &Path,
    folder: &Path,
    rounds: usize,
    filter: &Filter,
    mut step: impl FnMut(usize),
) -> Result<Vec<Pairs>> {
    // Two runs at once would slow each other down, and share the folder.
    fs::create_dir_all(folder.parent().unwrap_or(folder))?;
    let lock = File::create(folder.with_extension("lock"))?;
    ensure!(lock.try_lock().is_ok(), "another run measures in {}; wait for it", folder.display());
    if folder.exists() {
        fs::remove_dir_all(folder).with_context(|| {
            format!("cannot empty {0}; check its permissions with ls -ld {0}", folder.display())
        })?;
    }
    (0..rounds)
        .map(|round| {
            step(round);
            run(workspace, &of(folder, round), filter)?;
            pairs::read(&of(folder, round))
        })
        .collect()
}

/// Reads the rounds that were measured last.
///
/// # Errors
///
/// If there are none, or if one is not whole.
pub fn last(folder: &Path) -> Result<Vec<Pairs>> {
    let homes = (0..).map(|round| of(folder, round)).take_while(|home| home.exists());
    let rounds: Vec<Pairs> = homes.map(|home| pairs::read(&home)).collect::<Result<_>>()?;
    ensure!(!rounds.is_empty(), "nothing was measured in {}; leave --last out", folder.display());
    Ok(rounds)
}

fn of(folder: &Path, round: usize) -> PathBuf {
    folder.join(round.to_string())
}

fn run(workspace: &Path, home: &Path, filter: &Filter) -> Result<()> {
    fs::create_dir_all(home)
        .with_context(|| format!("cannot make {}; check the disk with df -h", home.display()))?;
    let mut cargo = Command::new("cargo");
    cargo.args(["bench", "--quiet", "--locked", "--package=benches", "--benches", "--"]);
    cargo.args(SETTINGS).args(filter.pattern());
    cargo.current_dir(workspace).env("CRITERION_HOME", home);
    let output = cargo.stdin(Stdio::null()).output().context("cannot run cargo")?;
    if !output.status.success() {
        let text = String::from_utf8_lossy(&output.stderr);
        bail!("cargo bench failed:\n{}\ntry: cargo bench -p benches", text.trim_end());
    }
    Ok(())
}
