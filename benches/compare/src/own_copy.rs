use std::ffi::OsString;
use std::fs::File;
use std::io::{Read, Seek};
use std::os::fd::AsRawFd;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};
use object::{Object, ObjectSegment, ReadCache};
use rustix::fs::{MemfdFlags, memfd_create};

/// A program in memory that nobody else runs; it is gone with the last process that does.
///
/// Processes of one file share its pages, and with them what a cache holds of them: base and its copy would keep each
/// other's code warm, and nobody head's. And where a file happens to lie in memory would be the same in every round.
#[derive(Debug)]
pub(super) struct OwnCopy {
    memory: Option<File>,
    path: OsString,
}

impl OwnCopy {
    /// Of the program at `path`; of a script there is none, because its interpreter would look for it.
    ///
    /// # Errors
    ///
    /// If it cannot be read, or memory does not take it.
    pub(super) fn of(path: &Path) -> Result<Self> {
        let name = path.as_os_str().to_owned();
        let mut file =
            File::open(path).with_context(|| format!("cannot read {}", path.display()))?;
        let Some(bytes) = loaded(&file) else { return Ok(Self { memory: None, path: name }) };
        let kept = || format!("cannot keep a copy of {} in memory", path.display());
        let memory = memfd_create("arm", MemfdFlags::CLOEXEC).with_context(kept)?;
        let mut memory = File::from(memory);
        file.rewind()?;
        std::io::copy(&mut file.take(bytes), &mut memory).with_context(kept)?;
        Ok(Self { memory: Some(memory), path: name })
    }

    /// Runs it under the name that it was copied from. It must outlive the start.
    pub(super) fn command(&self) -> Command {
        let Some(memory) = &self.memory else { return Command::new(&self.path) };
        // Of the child, which has inherited the descriptor until it becomes the program.
        let mut command = Command::new(format!("/proc/self/fd/{}", memory.as_raw_fd()));
        command.arg0(&self.path);
        command
    }
}

/// Length of what is mapped when it runs, in bytes; debug information lies behind that. `None` of what is no program.
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
        let copy = OwnCopy::of(&path).expect("memory takes it");
        let bytes = copy.memory.as_ref().expect("it is no script").metadata().expect("a size");
        assert!(bytes.len() < path.metadata().expect("a size").len());
        let status = copy.command().arg("--list").stdout(Stdio::null()).status();
        assert!(status.expect("it starts").success());
    }

    #[test]
    fn a_script_runs_as_it_is() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("script");
        std::fs::write(&path, "#!/bin/sh\nexit 7\n").expect("room for a script");
        std::fs::set_permissions(&path, PermissionsExt::from_mode(0o755)).expect("it is ours");
        let copy = OwnCopy::of(&path).expect("it can be read");
        assert_eq!(copy.command().status().expect("it starts").code(), Some(7));
    }
}
