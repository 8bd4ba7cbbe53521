//! Memory layout, kept from deciding a comparison. Where code and stack happen to lie moves a timing by percents, so
//!
//! - each server process runs its program from a [`PrivateImage`] that no other process maps,
//! - every function of a server built for a comparison begins a cache line ([`LINKER_SCRIPT`]), and
//! - every start moves the stack by another [`padding`] of the environment.

use std::ffi::OsString;
use std::fs::File;
use std::io::{Read, Seek};
use std::os::fd::AsRawFd;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};
use bench_kit::random::SplitMix64;
use object::{Object, ObjectSegment, ReadCache};
use rustix::fs::{MemfdFlags, memfd_create};

/// Added to the linker's own script. A file, because calibration builds its servers with it as well.
pub(crate) const LINKER_SCRIPT: &str = include_str!("layout/functions.ld");

/// Upper bound of the padding, in bytes: one page.
const MOST_PADDING: u64 = 4096;

/// A variable of random length for a server's environment, which lies above its stack. A process is thus one sample of
/// many stack positions.
pub(crate) fn padding(rng: &mut SplitMix64) -> (&'static str, OsString) {
    let bytes = (rng.draw() % MOST_PADDING) as usize;
    ("PLIMSOLL_PADDING", "x".repeat(bytes).into())
}

/// A program copied into memory, for one process. It is gone when the last process that runs it ends.
///
/// Processes of one file share its pages, and with them the cache lines. Base and its copy would keep each other's code
/// warm, and head would have no such partner. The physical pages of a
/// file would also be the same in every round.
#[derive(Debug)]
pub(crate) struct PrivateImage {
    memory: Option<File>,
    path: OsString,
}

impl PrivateImage {
    /// Copies the program at `path`. A script is not copied, because its interpreter opens it by name.
    ///
    /// # Errors
    ///
    /// If the file cannot be read, or memory is full.
    pub(crate) fn of(path: &Path) -> Result<Self> {
        let name = path.as_os_str().to_owned();
        let mut file =
            File::open(path).with_context(|| format!("cannot read {}", path.display()))?;
        let Some(bytes) = loaded(&file) else { return Ok(Self { memory: None, path: name }) };
        let kept =
            || format!("cannot copy {} into memory; check the memory with free -m", path.display());
        let memory = memfd_create("arm", MemfdFlags::CLOEXEC).with_context(kept)?;
        let mut memory = File::from(memory);
        file.rewind()?;
        std::io::copy(&mut file.take(bytes), &mut memory).with_context(kept)?;
        Ok(Self { memory: Some(memory), path: name })
    }

    /// A command that runs the copy under the name of the original. The image must outlive the spawn.
    pub(crate) fn command(&self) -> Command {
        let Some(memory) = &self.memory else { return Command::new(&self.path) };
        // `self` is the child: it has the descriptor until it executes the program.
        let mut command = Command::new(format!("/proc/self/fd/{}", memory.as_raw_fd()));
        command.arg0(&self.path);
        command
    }
}

/// Length of the loadable segments in bytes; debug information follows them. `None` if the file is not an executable.
fn loaded(file: &File) -> Option<u64> {
    let cache = ReadCache::new(file);
    let object = object::File::parse(&cache).ok()?;
    object.segments().map(|segment| segment.file_range()).map(|(at, bytes)| at + bytes).max()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;
    use std::process::Stdio;

    use super::*;

    #[test]
    fn a_program_runs_from_a_copy_without_its_debug_information() {
        let path = std::env::current_exe().expect("a test has a program");
        let image = PrivateImage::of(&path).expect("memory has room");
        let bytes = image.memory.as_ref().expect("it is an executable").metadata().expect("a size");
        assert!(bytes.len() < path.metadata().expect("a size").len());
        let status = image.command().arg("--list").stdout(Stdio::null()).status();
        assert!(status.expect("it starts").success());
    }

    #[test]
    fn a_script_runs_without_a_copy() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("script");
        std::fs::write(&path, "#!/bin/sh\nexit 7\n").expect("room for a script");
        std::fs::set_permissions(&path, PermissionsExt::from_mode(0o755)).expect("it is ours");
        let image = PrivateImage::of(&path).expect("it can be read");
        assert_eq!(image.command().status().expect("it starts").code(), Some(7));
    }
}
