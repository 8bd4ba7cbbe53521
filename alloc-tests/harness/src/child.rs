//! Both ends of a scenario's process. dhat counts a whole process, and one scenario changes a process for the next.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use serde::{Deserialize, Serialize};

use crate::attribute::{Attribution, Question, attribute};
use crate::measure::{Blind, Outcome, measure};
use crate::{Registry, Suite, canary};

/// First argument of a child; the scenario's id and a [`Task`] in JSON follow.
const FLAG: &str = "--as-child";

/// Longest life of a child; a scenario takes a second. dhat is known to deadlock with other users of the `backtrace`
/// crate.
const TIMEOUT: Duration = Duration::from_secs(120);

/// Pause between two looks at a child.
const POLL_INTERVAL: Duration = Duration::from_millis(2);

/// A request to a child.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Task {
    /// Only check the instrument.
    CheckInstrument,
    /// Measure totals.
    Measure {
        /// Kept runs at N and at 2N.
        runs: usize,
    },
    /// Attribute allocations to call sites.
    Attribute(Question),
}

/// The answer of a child: JSON on stdout.
#[derive(Debug, Serialize, Deserialize)]
pub enum Reply {
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
///
/// # Errors
///
/// If the arguments of a child are incomplete.
pub fn arguments() -> anyhow::Result<Option<(String, Task)>> {
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
///
/// # Errors
///
/// If the reply cannot be printed.
pub fn serve(suite: &Suite, registry: &Registry, id: &str, task: Task) -> anyhow::Result<()> {
    let reply = match canary::check_instrument() {
        Err(error) => Reply::Blind(format!("{error:#}")),
        Ok(()) => answer(suite, registry, id, task).unwrap_or_else(|error| {
            match error.downcast_ref::<Blind>() {
                Some(blind) => Reply::Blind(blind.to_string()),
                None => Reply::Failed(format!("{error:#}")),
            }
        }),
    };
    serde_json::to_writer(std::io::stdout().lock(), &reply).context("cannot answer on stdout")
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
///
/// # Errors
///
/// The first canary that is counted wrong, or the failure of the process.
pub fn check_instrument() -> anyhow::Result<()> {
    match ask("canaries", Task::CheckInstrument)? {
        Reply::InstrumentWorks => Ok(()),
        Reply::Blind(why) => bail!(why),
        other => bail!("the check of the instrument answered {other:?}"),
    }
}

/// Runs this program again as a child.
///
/// # Errors
///
/// If it does not start, crashes, hangs, or does not answer.
pub fn ask(id: &str, task: Task) -> anyhow::Result<Reply> {
    let program = std::env::current_exe().context("cannot find this program again")?;
    let task = serde_json::to_string(&task).context("invariant: a task is JSON")?;
    let mut child = Command::new(program)
        .args([FLAG, id, &task])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .context("cannot start a process for the scenario")?;
    let stdout = child.stdout.take().context("invariant: stdout is piped")?;
    let stderr = child.stderr.take().context("invariant: stderr is piped")?;
    let stdout = std::thread::spawn(move || std::io::read_to_string(stdout));
    let stderr = std::thread::spawn(move || std::io::read_to_string(stderr));
    let start = Instant::now();
    while !stdout.is_finished() {
        if start.elapsed() > TIMEOUT {
            child.kill()?;
            child.wait()?;
            let seconds = TIMEOUT.as_secs();
            bail!("{id} hung for {seconds} s and was killed; run it alone: {FLAG} {id} '{task}'");
        }
        std::thread::park_timeout(POLL_INTERVAL);
    }
    let status = child.wait()?;
    let stdout = stdout.join().expect("reading does not panic");
    let stdout = stdout.context("cannot read the scenario's answer")?;
    let stderr = stderr.join().expect("reading does not panic");
    let stderr = stderr.context("cannot read the scenario's errors")?;
    if !status.success() {
        bail!("the process of {id} ended with {status}: {}", stderr.trim());
    }
    serde_json::from_str(&stdout).with_context(|| format!("{id} answered nonsense: {stdout:?}"))
}
