//! Both ends of a scenario's process. dhat counts a whole process, and one scenario changes a process for the next.

use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use anyhow::{Context, anyhow, bail};
use rustix::process::{Pid, Signal, kill_process};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::attribute::{Question, attribute, trace_calls};
use crate::error::Blind;
use crate::measure::{Plan, measure};
use crate::pins::Pins;
use crate::scenario::Registry;
use crate::setup::Crate;
use crate::{canary, output};

/// First argument of a child; the scenario's id and a [`Task`] in JSON follow.
const FLAG: &str = "--as-child";

/// Longest life of a child; a scenario takes a second. dhat is known to deadlock with other users of the `backtrace`
/// crate.
const TIMEOUT: Duration = Duration::from_secs(120);

/// A request to a child.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Task {
    /// Answered by `()`.
    CheckInstrument,
    /// `runs` are kept at N and at 2N, after a first run at one of them. Answered by an
    /// [`Outcome`](crate::measure::Outcome).
    Measure { runs: u64, observed: bool, plan: Plan, pins: Pins },
    /// Answered by an [`Attribution`](crate::attribute::Attribution).
    Attribute(Question),
    /// Answered by the sites of [`trace_calls`].
    TraceCalls,
}

impl Task {
    fn pins(self) -> Pins {
        match self {
            Self::Measure { pins, .. } => pins,
            Self::CheckInstrument | Self::Attribute(_) | Self::TraceCalls => Pins::USUAL,
        }
    }
}

/// The reason why a child has no answer. The answer or this, in JSON, is the last line of its stdout.
#[derive(Debug, Serialize, Deserialize)]
struct Failure {
    blind: bool,
    why: String,
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

/// The whole work of a child: check the instrument, do the task, print the answer. `crates` finds those of the server.
pub(crate) fn serve(
    crates: impl Fn() -> anyhow::Result<Vec<Crate>>,
    registry: &Registry,
    id: &str,
    task: Task,
) -> anyhow::Result<()> {
    let counts_calls = matches!(task, Task::CheckInstrument | Task::Measure { observed: true, .. });
    let answer = task
        .pins()
        .apply(counts_calls)
        .and_then(|()| canary::check_instrument())
        .map_err(|error| Blind(format!("{error:#}")).into())
        .and_then(|()| answer(crates, registry, id, task))
        .map_err(|error| Failure { blind: error.is::<Blind>(), why: format!("{error:#}") });
    let answer = serde_json::to_string(&answer).context("invariant: an answer is JSON")?;
    output::print(&format!("\n{answer}"))
}

fn answer(
    crates: impl Fn() -> anyhow::Result<Vec<Crate>>,
    registry: &Registry,
    id: &str,
    task: Task,
) -> anyhow::Result<Value> {
    let scenario = || registry.get(id).with_context(|| format!("no scenario is called {id}"));
    Ok(match task {
        Task::CheckInstrument => Value::Null,
        Task::Measure { runs, plan, .. } => {
            serde_json::to_value(measure(scenario()?, runs, plan)?)?
        }
        Task::TraceCalls => serde_json::to_value(trace_calls(&crates()?, scenario()?)?)?,
        Task::Attribute(question) => {
            serde_json::to_value(attribute(&crates()?, scenario()?, question)?)?
        }
    })
}

/// Checks the instrument in a process of its own, where no other thread allocates.
pub(crate) fn check_instrument() -> anyhow::Result<()> {
    ask("canaries", Task::CheckInstrument)
}

/// Runs this program again as a child. [`Blind`] is the error of a child that counts wrong.
pub(crate) fn ask<T: DeserializeOwned>(id: &str, task: Task) -> anyhow::Result<T> {
    listen(id, task).map(|(answer, _)| answer)
}

/// [`ask`], with everything that the child printed besides its answer.
pub(crate) fn listen<T: DeserializeOwned>(id: &str, task: Task) -> anyhow::Result<(T, String)> {
    let program = std::env::current_exe().context("cannot find the path of this program")?;
    let mut command = Command::new(program);
    task.pins().prepare(&mut command);
    let task = serde_json::to_string(&task).context("invariant: a task is JSON")?;
    command.args([FLAG, id, &task]).stdin(Stdio::null());
    let child = command
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
    let (printed, answer) = stdout.rsplit_once('\n').unwrap_or(("", &stdout));
    let answer = serde_json::from_str::<Result<T, Failure>>(answer)
        .with_context(|| {
            format!("the process of {id} ended before it answered; does it call exit? It printed {stdout:?}")
        })?
        .map_err(|Failure { blind, why }| if blind { Blind(why).into() } else { anyhow!(why) });
    Ok((answer?, format!("{printed}{}", String::from_utf8_lossy(&output.stderr))))
}
