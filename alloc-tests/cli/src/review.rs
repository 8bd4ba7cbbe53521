//! `review`: pending numbers one by one, to accept or to reject.

mod ask;
mod show;

use std::io::{BufRead, IsTerminal, Write};
use std::process::ExitCode;

use anyhow::Result;

use crate::error::STALE;
use crate::pending::{Accepted, NOTHING, Of, Outcome, Suites, Waiting, discard, record};
use ask::{Answer, Asking};

const HELP: &str = "\
Answers are lines of stdin: printf 'a\\nwhy\\n' | cargo plimsoll review

a  accept it; a reason is asked for, and an empty one is that of the last
A  accept it and all that follow, with one reason
r  reject it: its numbers are forgotten
s  skip it: it waits for the next review
q  quit: what follows is skipped

What was accepted is recorded at the end.";

/// What to review.
#[derive(Debug, clap::Args)]
#[command(after_help = HELP)]
pub(crate) struct Args {
    #[command(flatten)]
    of: Of,
}

pub(crate) fn run(args: &Args) -> Result<ExitCode> {
    let suites = Suites::around(&std::env::current_dir()?)?;
    let waiting = Waiting::find(&suites, &args.of, None)?;
    let mut asking = Asking::new(std::io::stdin().lock(), anstream::stdout().lock());
    asking.is_echoed = !std::io::stdin().is_terminal();
    review(&suites, &waiting, &mut asking)?;
    Ok(ExitCode::from(if waiting.stale.is_empty() { 0 } else { STALE }))
}

fn review<R: BufRead, W: Write>(
    suites: &Suites,
    waiting: &Waiting,
    asking: &mut Asking<R, W>,
) -> Result<()> {
    for one in &waiting.stale {
        asking.say(&format!(
            "{}: stale, other numbers are recorded than those that it was judged by; run the test again\n",
            one.id
        ))?;
    }
    for one in &waiting.known {
        asking.say(&format!("{}: these numbers are recorded already\n", one.id))?;
    }
    discard(suites, &waiting.known.iter().collect::<Vec<_>>())?;
    if let Some(elsewhere) = waiting.elsewhere() {
        asking.say(&format!("{elsewhere}\n"))?;
    }
    if waiting.all.is_empty() {
        return asking.say(NOTHING);
    }
    let (mut accepted, mut rejected) = (Vec::new(), Vec::new());
    for (at, one) in waiting.all.iter().enumerate() {
        asking.say(&show::scenario(suites, one, at + 1, waiting.all.len())?)?;
        match asking.answer()? {
            Answer::Accept(reason) => accepted.push(Accepted { pending: one.clone(), reason }),
            Answer::Reject => rejected.push(one),
            Answer::Skip => {}
            Answer::Quit => break,
        }
    }
    discard(suites, &rejected)?;
    let left = waiting.all.len() - accepted.len() - rejected.len();
    asking.say(&format!(
        "\n{} accepted, {} rejected, {left} skipped\n",
        accepted.len(),
        rejected.len()
    ))?;
    if !accepted.is_empty() {
        let Outcome { said, refused } = record(suites, waiting, &accepted)?;
        asking.say(&said)?;
        return refused.map_or(Ok(()), Err);
    }
    Ok(())
}
