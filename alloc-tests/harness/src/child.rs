//! Both ends of a scenario's process. dhat counts a whole process, and one scenario changes a process for the next.

use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use anyhow::{Context, bail};
use rustix::process::{Pid, Signal, kill_process};
use serde::{Deserialize, Serialize};

use crate::attribute::{Attribution, Question, attribute};
use crate::error::Blind;
use crate::measure::{Outcome, measure};
use crate::{Registry, Suite, canary};

/// First argument of a child; the scenario's id and a [`Task`] in JSON follow.
const FLAG: &str = "--as-child";

/// Longest life of a child; a scenario takes a second. dhat is known to deadlock with other users of the `backtrace`
/// crate.
const TIMEOUT: Duration = Duration::from_secs(120);

/// A request to a child.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Task {
    /// Only check the instrument.
    CheckInstrument,
    /// Measure totals.
    Measure {
        /// Kept runs at N and at 2N.
        runs: u64,
    },
    /// Attribute allocations to call sites.
    Attribute(Question),
}

/// The answer of a child: JSON on stdout.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Reply {
    /// To [`Task::CheckInstrument`]: every canary was counted exactly.
    InstrumentWorks,
    /// To [`Task::Measure`].
    Measured(Outcome),
    /// To [`Task::Attribute`].
    Attributed(Attribution),
    /// A canary was counted wrong, and nothing was measured.
    Blind(String),
    /// The scenario did not finish.
    Failed(String),
}

/// The id and the task, if this process was started as a child.
pub(crate) fn arguments() -> anyhow::Result<Option<(String, Task)>> {
    let mut arguments = std::env::args().skip(1);
    if arguments.next().is_none_or(|first| first != FLAG) {
        return Ok(None);
    }
    let (Some(id), Some(task)) = (arguments.next(), arguments.next()) else {
        bail!("{FLAG} needs a scenario's id and a task in JSON");
    };
    let task =
        serde_json::from_str(&task).with_context(|| format!("{FLAG} {id}: not a task: {task}"))?;
    Ok(Some((id, task)))
}

/// The whole work of a child: check the instrument, do the task, print the reply.
pub(crate) fn serve(
    suite: &Suite,
    registry: &Registry,
    id: &str,
    task: Task,
) -> anyhow::Result<()> {
    let reply = match canary::check_instrument() {
        Err(error) => Reply::Blind(format!("{error:#}")),
        Ok(()) => answer(suite, registry, id, task).unwrap_or_else(|error| {
            match error.downcast_ref::<Blind>() {
                Some(blind) => Reply::Blind(blind.to_string()),
                None => Reply::Failed(format!("{error:#}")),
            }
        }),
    };
    serde_json::to_writer(std::io::stdout().lock(), &reply)
        .context("cannot write the answer to stdout")
}

fn answer(suite: &Suite, registry: &Registry, id: &str, task: Task) -> anyhow::Result<Reply> {
    let scenario = || registry.get(id).with_context(|| format!("no scenario is called {id}"));
    Ok(match task {
        Task::CheckInstrument => Reply::InstrumentWorks,
        Task::Measure { runs } => Reply::Measured(measure(scenario()?, runs)?),
        Task::Attribute(question) => Reply::Attributed(attribute(suite, scenario()?, question)?),
    })
}

/// Checks the instrument in a process of its own, where no other thread allocates.
pub(crate) fn check_instrument() -> anyhow::Result<()> {
    match ask("canaries", Task::CheckInstrument)? {
        Reply::InstrumentWorks => Ok(()),
        Reply::Blind(why) => bail!(why),
        other => bail!("the check of the instrument answered {other:?}"),
    }
}

/// Runs this program again as a child.
pub(crate) fn ask(id: &str, task: Task) -> anyhow::Result<Reply> {
    let program = std::env::current_exe().context("cannot find the path of this program")?;
    let task = serde_json::to_string(&task).context("invariant: a task is JSON")?;
    let child = Command::new(program)
        .args([FLAG, id, &task])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .context("cannot start a process for the scenario")?;
    let pid = Pid::from_child(&child);
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || sender.send(child.wait_with_output()));
    let Ok(output) = receiver.recv_timeout(TIMEOUT) else {
        kill_process(pid, Signal::KILL)?;
        let seconds = TIMEOUT.as_secs();
        bail!("{id} hung for {seconds} s and was killed; run it alone: {FLAG} {id} '{task}'");
    };
    let output = output.context("cannot read the scenario's answer")?;
    if !output.status.success() {
        let errors = String::from_utf8_lossy(&output.stderr);
        bail!("the process of {id} ended with {}: {}", output.status, errors.trim());
    }
    let stdout = String::from_utf8_lossy(&output.stdout);
    serde_json::from_str(&stdout)
        .with_context(|| format!("{id} answered something else than a reply: {stdout:?}"))
}
