//! The process groups that end with this process, and a watchdog, which outlives it by a moment to see to that even
//! where it is killed with SIGKILL.

use std::io::{self, Write};
use std::os::unix::process::CommandExt;
use std::process::{ChildStdin, Command, Stdio};

use rustix::process::{Pid, Signal, kill_process_group};

/// Process groups, each with a leader that is not reaped, so that nobody else has its number.
pub(super) struct Groups {
    pids: Vec<Pid>,
    /// Started for the first group.
    watchdog: Option<ChildStdin>,
}

/// Reads which groups come and go until nobody is left who could write it, and kills those that have not gone.
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

    /// To be called before a group is there to be added.
    pub(super) fn get_ready(&mut self) -> io::Result<()> {
        if self.watchdog.is_none() {
            let mut shell = Command::new("sh");
            shell.args(["-c", WATCHDOG]).current_dir("/").process_group(0);
            // Whoever reads our output to its end is not to wait for the watchdog.
            shell.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
            self.watchdog = shell.spawn()?.stdin;
        }
        Ok(())
    }

    pub(super) fn add(&mut self, group: Pid) {
        self.pids.push(group);
        self.tell("add", group);
    }

    /// To be called before the leader is reaped.
    pub(super) fn remove(&mut self, group: Pid) {
        self.pids.retain(|known| *known != group);
        self.tell("remove", group);
    }

    pub(super) fn pids(&self) -> &[Pid] {
        &self.pids
    }

    fn tell(&mut self, word: &str, group: Pid) {
        if let Some(watchdog) = &mut self.watchdog {
            // Without one, the others who clean up are still there.
            drop(writeln!(watchdog, "{word} {group}"));
        }
    }
}

pub(super) fn kill(group: Pid) {
    // That all of it has ended already is as good.
    let _ = kill_process_group(group, Signal::KILL);
}
