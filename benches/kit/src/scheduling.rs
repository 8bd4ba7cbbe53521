//! How the scheduler treats a thread; see `sched(7)`.

use std::io;

/// A scheduling policy that needs no privilege.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Policy {
    /// `SCHED_OTHER`, the policy of every thread that asks for no other.
    Normal,
    /// `SCHED_BATCH`: waking up never interrupts the thread that runs. With driver and server on one core, the server's
    /// write wakes the driver; a normal driver may interrupt the server inside that write, send the next message before
    /// the server has gone to sleep, and so save the server a part of its work, more often the slower the server is.
    Batch,
    /// `SCHED_IDLE`: runs only while its processor would be idle.
    Idle,
}

impl Policy {
    /// Applies to this thread, and to every thread and process it starts from now on.
    ///
    /// # Errors
    ///
    /// If the operating system refuses.
    pub fn apply(self) -> io::Result<()> {
        let policy = match self {
            Self::Normal => libc::SCHED_OTHER,
            Self::Batch => libc::SCHED_BATCH,
            Self::Idle => libc::SCHED_IDLE,
        };
        let parameters = libc::sched_param { sched_priority: 0 };
        // SAFETY: the pointer is to a live sched_param, which the function only reads; 0 is the calling thread.
        match unsafe { libc::sched_setscheduler(0, policy, &raw const parameters) } {
            0 => Ok(()),
            _ => Err(io::Error::last_os_error()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    /// The policy of a child: field 41 of its `stat`, which is the 39th behind the name.
    fn inherited() -> String {
        let output = Command::new("cat").arg("/proc/self/stat").output().expect("cat starts");
        let stat = String::from_utf8(output.stdout).expect("it is text");
        let behind = stat.rsplit_once(')').expect("it has a name").1;
        behind.split_ascii_whitespace().nth(38).expect("it has a policy").to_owned()
    }

    #[test]
    fn a_policy_is_inherited_by_processes_and_can_be_left_again() -> io::Result<()> {
        let of = |policy: Policy| policy.apply().map(|()| inherited());
        assert_eq!(of(Policy::Batch)?, libc::SCHED_BATCH.to_string());
        assert_eq!(of(Policy::Normal)?, libc::SCHED_OTHER.to_string());
        Ok(())
    }
}
