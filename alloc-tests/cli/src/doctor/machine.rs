//! What the machine has.

use std::process::{Command, Stdio};

use super::finding::Finding;

pub(super) fn findings() -> Vec<Finding> {
    vec![valgrind(), notifications(), cores()]
}

fn valgrind() -> Finding {
    let mut valgrind = Command::new("valgrind");
    let output = valgrind.arg("--version").stdin(Stdio::null()).output();
    match output {
        Ok(output) if output.status.success() => {
            Finding::ok("valgrind", String::from_utf8_lossy(&output.stdout).trim())
        }
        _ => Finding::optional(
            "valgrind",
            "not found: compare does not measure instructions",
            "sudo apt-get install valgrind",
        ),
    }
}

/// User notifications of seccomp, which count system calls and pin random numbers.
fn notifications() -> Finding {
    const SUBJECT: &str = "system calls";
    let actions = std::fs::read_to_string("/proc/sys/kernel/seccomp/actions_avail");
    let knows =
        actions.is_ok_and(|actions| actions.split_whitespace().any(|one| one == "user_notif"));
    if knows {
        return Finding::ok(SUBJECT, "the kernel notifies of them (seccomp)");
    }
    Finding::optional(
        SUBJECT,
        "the kernel does not notify of them: they are not measured, and hash seeds differ from run to run",
        "Linux 5.0 or later, with seccomp",
    )
}

fn cores() -> Finding {
    match std::thread::available_parallelism() {
        Ok(cores) if cores.get() > 1 => Finding::ok("cores", cores.to_string()),
        _ => Finding::optional(
            "cores",
            "1: timings are too noisy more often; counts are exact on any number",
            "give the container or machine two",
        ),
    }
}
