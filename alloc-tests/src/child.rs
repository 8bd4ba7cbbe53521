//! A scenario in a process of its own: dhat counts a whole process, and a process that has run one scenario is not the
//! one that would have run another.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use serde::{Deserialize, Serialize};

use crate::attribute::{Attribution, Question, attribute};
use crate::measure::{Blind, Outcome, measure};
use crate::{Registry, canary};

/// First argument of a runner that is to be a child.
pub const FLAG: &str = "--as-child";

/// Longest life of a child. dhat is known to deadlock with other users of the `backtrace` crate; a scenario takes a
/// second.
const PATIENCE: Duration = Duration::from_secs(120);

/// What a child is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Task {
    /// The canaries, and no more.
    Sing,
    /// Totals, with this many kept runs at each N.
    Measure(usize),
    /// Call sites.
    Attribute(Question),
}

/// What a child answers: one line of JSON on stdout.
#[derive(Debug, Serialize, Deserialize)]
pub enum Reply {
    /// To [`Task::Sing`]: all canaries read right.
    Sees,
    /// To [`Task::Measure`].
    Measured(Outcome),
    /// To [`Task::Attribute`].
    Attributed(Attribution),
    /// A canary read wrong; nothing was measured.
    Blind(String),
    /// The scenario could not be run to its end.
    Failed(String),
}

/// Whether this process was started as a child, and with what.
#[must_use]
pub fn arguments() -> Option<(String, Task)> {
    let mut arguments = std::env::args().skip(1);
    if arguments.next()? != FLAG {
        return None;
    }
    let id = arguments.next()?;
    Some((id, Task::from_word(&arguments.next()?)?))
}

/// The child's life: canaries, then the task, then the answer.
///
/// # Errors
///
/// Only if the answer cannot be given.
pub fn serve(registry: &Registry, id: &str, task: Task) -> anyhow::Result<()> {
    let reply = if let Err(error) = canary::sing() {
        Reply::Blind(format!("{error:#}"))
    } else {
        let scenario = registry.get(id).with_context(|| format!("no scenario is called {id}"));
        let answer = match task {
            Task::Sing => Ok(Reply::Sees),
            Task::Measure(runs) => {
                scenario.and_then(|scenario| measure(scenario, runs)).map(Reply::Measured)
            }
            Task::Attribute(question) => {
                scenario.and_then(|scenario| attribute(scenario, question)).map(Reply::Attributed)
            }
        };
        answer.unwrap_or_else(|error| match error.downcast_ref::<Blind>() {
            Some(blind) => Reply::Blind(blind.to_string()),
            None => Reply::Failed(format!("{error:#}")),
        })
    };
    serde_json::to_writer(std::io::stdout().lock(), &reply).context("cannot answer on stdout")
}

/// Has the canaries sing in a process where nobody else allocates.
///
/// # Errors
///
/// What reads wrong, or why there is no such process.
pub fn sing() -> anyhow::Result<()> {
    match ask("canaries", Task::Sing)? {
        Reply::Sees => Ok(()),
        Reply::Blind(why) => bail!(why),
        other => bail!("the canaries answered {other:?}"),
    }
}

/// Runs a child of this very program.
///
/// # Errors
///
/// If it cannot be started, dies, hangs, or does not answer.
pub fn ask(id: &str, task: Task) -> anyhow::Result<Reply> {
    let program = std::env::current_exe().context("cannot find this program again")?;
    let mut child = Command::new(program)
        .args([FLAG, id, &task.to_word()])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .context("cannot start a process for the scenario")?;
    let stdout = child.stdout.take().context("invariant: stdout is piped")?;
    let stderr = child.stderr.take().context("invariant: stderr is piped")?;
    let reader = std::thread::spawn(move || std::io::read_to_string(stdout));
    let words = std::thread::spawn(move || std::io::read_to_string(stderr));
    let start = Instant::now();
    let status = loop {
        if reader.is_finished() {
            break child.wait()?;
        }
        if start.elapsed() > PATIENCE {
            child.kill()?;
            child.wait()?;
            bail!(
                "{id} hung for {} s and was killed; run it alone: {FLAG} {id} {}",
                PATIENCE.as_secs(),
                task.to_word()
            );
        }
        std::thread::park_timeout(Duration::from_millis(2));
    };
    let output = reader
        .join()
        .expect("reading does not panic")
        .context("cannot read the scenario's answer")?;
    let words = words
        .join()
        .expect("reading does not panic")
        .context("cannot read what the scenario complains of")?;
    if !status.success() {
        bail!("the process of {id} ended with {status}: {}", words.trim());
    }
    serde_json::from_str(&output).with_context(|| format!("{id} answered nonsense: {output:?}"))
}

impl Task {
    fn to_word(self) -> String {
        match self {
            Self::Sing => "sing".to_owned(),
            Self::Measure(runs) => format!("measure={runs}"),
            Self::Attribute(Question::Sites) => "sites".to_owned(),
            Self::Attribute(Question::Tasks) => "tasks".to_owned(),
            Self::Attribute(Question::Wavering) => "wavering".to_owned(),
        }
    }

    fn from_word(word: &str) -> Option<Self> {
        match word {
            "sing" => Some(Self::Sing),
            "sites" => Some(Self::Attribute(Question::Sites)),
            "tasks" => Some(Self::Attribute(Question::Tasks)),
            "wavering" => Some(Self::Attribute(Question::Wavering)),
            _ => word.strip_prefix("measure=")?.parse().ok().map(Self::Measure),
        }
    }
}
