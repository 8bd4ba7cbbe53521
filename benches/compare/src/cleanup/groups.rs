//! The process groups that end with this process, and a watchdog that kills them if this process is killed with SIGKILL.

use std::io::{self, Write};
use std::os::fd::{AsRawFd, BorrowedFd, RawFd};
use std::os::unix::process::CommandExt;
use std::process::{ChildStdin, Command, Stdio};

use rustix::process::{Pid, Signal, kill_process_group};

/// Process groups whose leader is not reaped, so that no other group has its id.
pub(super) struct Groups {
    pids: Vec<Pid>,
    /// Its stdin; started for the first group.
    watchdog: Option<ChildStdin>,
}

/// Reads added and removed groups until the end of its stdin, then kills those that were not removed.
const WATCHDOG: &str = r#"
trap '' HUP INT TERM
groups=
while read -r word group; do
    others=
    for other in $groups; do [ "$other" = "$group" ] || others="$others $other"; done
    groups=$others
    [ "$word" = remove ] || groups="$groups $group"
done
for group in $groups; do kill -s KILL -- "-$group"; done
"#;

impl Groups {
    pub(super) const fn new() -> Self {
        Self { pids: Vec::new(), watchdog: None }
    }

    /// Call it before a group is started. Returns the watchdog's stdin, to which the group's leader reports itself.
    pub(super) fn get_ready(&mut self) -> io::Result<Option<RawFd>> {
        if self.watchdog.is_none() {
            let mut shell = Command::new("sh");
            shell.args(["-c", WATCHDOG]).current_dir("/").process_group(0);
            // A reader of our output must not wait for the watchdog to end.
            shell.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
            self.watchdog = shell.spawn()?.stdin;
        }
        Ok(self.watchdog.as_ref().map(AsRawFd::as_raw_fd))
    }

    pub(super) fn add(&mut self, group: Pid) {
        self.pids.push(group);
    }

    /// Call it before the leader is reaped.
    pub(super) fn remove(&mut self, group: Pid) {
        self.pids.retain(|known| *known != group);
        if let Some(watchdog) = &self.watchdog {
            // Without a watchdog, drops and signal handlers still clean up.
            drop(report(watchdog.as_raw_fd(), "remove", group));
        }
    }

    pub(super) fn pids(&self) -> &[Pid] {
        &self.pids
    }
}

/// Tells the watchdog of a group. Neither allocates nor takes a lock, so that a child may call it before it executes its
/// program.
pub(super) fn report(watchdog: RawFd, word: &str, group: Pid) -> io::Result<()> {
    let mut line = [0; 32];
    let mut rest = &mut line[..];
    writeln!(rest, "{word} {group}")?;
    let left = rest.len();
    // SAFETY: the descriptor is the watchdog's stdin, which this process or the parent that forked it holds open.
    let watchdog = unsafe { BorrowedFd::borrow_raw(watchdog) };
    // A line this short is written whole.
    rustix::io::write(watchdog, &line[..32 - left])?;
    Ok(())
}

pub(super) fn kill(group: Pid) {
    // An error means that the group has already ended.
    let _ = kill_process_group(group, Signal::KILL);
}
