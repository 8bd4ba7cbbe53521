//! The process groups that end with this process, and a watchdog that kills them if this process is killed with SIGKILL.

use std::io::{self, Write};
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

    /// Call it before the first group is started.
    pub(super) fn get_ready(&mut self) -> io::Result<()> {
        if self.watchdog.is_none() {
            let mut shell = Command::new("sh");
            shell.args(["-c", WATCHDOG]).current_dir("/").process_group(0);
            // A reader of our output must not wait for the watchdog to end.
            shell.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
            self.watchdog = shell.spawn()?.stdin;
        }
        Ok(())
    }

    pub(super) fn add(&mut self, group: Pid) {
        self.pids.push(group);
        self.report("add", group);
    }

    /// Call it before the leader is reaped.
    pub(super) fn remove(&mut self, group: Pid) {
        self.pids.retain(|known| *known != group);
        self.report("remove", group);
    }

    pub(super) fn pids(&self) -> &[Pid] {
        &self.pids
    }

    fn report(&mut self, word: &str, group: Pid) {
        if let Some(watchdog) = &mut self.watchdog {
            // Without a watchdog, drops and signal handlers still clean up.
            drop(writeln!(watchdog, "{word} {group}"));
        }
    }
}

pub(super) fn kill(group: Pid) {
    // An error means that the group has already ended.
    let _ = kill_process_group(group, Signal::KILL);
}
