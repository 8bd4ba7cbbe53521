use std::process::ExitCode;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use anyhow::{Result, ensure};
use load::conclusion::{Conclusion, Why, conclude};
use load::search::{Next, Search};
use load::signals::stop_on_signals;
use load::summary::Summary;
use load::trial::{Varied, trial};
use load::validator::{RunVerdict, UNCHECKED};
use load_engine::problem::Problem;
use load_plan::outcome::Ending;
use load_plan::profile::{Pace, Profile};
use load_plan::units::count;

use crate::common::{is_unchecked, own_target};
use crate::output::width;
use crate::run::watched;
use crate::settings::Flags;
use bench_show::output::print;
use bench_show::text::Text;

#[derive(clap::Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Args {
    #[command(flatten)]
    flags: Flags,
    /// Search for a number of connections, not for a rate
    #[arg(long)]
    connections: bool,
    /// First value to try: messages per second in all, or
    /// connections [default: the profile's]
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    from: Option<f64>,
    /// Highest value to try
    #[arg(long, value_name = "N", default_value_t = 10_000_000.0, allow_negative_numbers = true)]
    to: f64,
    /// Precision of the answer
    #[arg(long, value_name = "PERCENT", default_value_t = 5.0, allow_negative_numbers = true)]
    within: f64,
    /// Seconds of each trial; the last one, which confirms,
    /// is as long as in the profile
    #[arg(long, value_name = "S", default_value_t = 5.0, allow_negative_numbers = true)]
    trial: f64,
    /// Print no progress on stderr
    #[arg(long)]
    quiet: bool,
}

const AFTER_HELP: &str = "Examples:
  ws-load search smoke --threshold 'latency_p99 < 5 ms'
  ws-load search mine.toml ws://127.0.0.1:9001/ws/echo --connections --to 5000

The value is doubled until a threshold is violated. Then the gap is halved, and
a run of the profile's own length confirms the answer. Trials use the stage with
the most connections.

Exit codes: 0 found, 1 tool or target failed, 2 usage, 3 no value held,
6 the generator or this machine was the limit, 130 interrupted";

/// Letters of the longest verdict that a trial has.
const LONGEST: usize = "invalid".len();

pub(crate) fn run(args: &Args) -> Result<ExitCode> {
    let profile = args.flags.profile()?;
    let first = args.from.unwrap_or_else(|| initial(&profile, args.connections));
    let none =
        "the profile has no thresholds to search with; add --threshold 'latency_p99 < 10 ms'";
    ensure!(!profile.thresholds.is_empty(), Problem::usage(none.to_owned()));
    let Args { to, within, .. } = *args;
    let is_range = first > 0.0 && first <= to && to.is_finite() && within > 0.0 && within < 50.0;
    let cure = "give --from above 0, --to above --from, and --within above 0 and below 50";
    let words = || format!("cannot search from {first} to {to} within {within} %; {cure}");
    ensure!(is_range, Problem::usage(words()));
    let hold = Duration::try_from_secs_f64(args.trial).ok().filter(|hold| !hold.is_zero());
    let hold = hold.ok_or_else(|| {
        Problem::usage(format!("--trial {} is not a time; write seconds above 0", args.trial))
    })?;
    let varied = if args.connections { Varied::Connections } else { Varied::Rate };
    let stop = stop_on_signals()?;
    let mut search = Search::new(first, to, within / 100.0);
    let what = if args.connections { "connections" } else { "messages/s" };
    let mut unjudged = None;
    let mut doubted = None;
    let is_unchecked = is_unchecked(&args.flags.settings(profile.clone()));
    let end = loop {
        let (value, confirms) = match search.next() {
            Next::Try { value, confirms } => (value, confirms),
            Next::Done(end) => break end,
        };
        let tried = trial(&profile, varied, value, (!confirms).then_some(hold))
            .map_err(|error| Problem::usage(format!("{error:#}")))?;
        // A new server for each trial, so that no trial affects the next.
        let mut settings = args.flags.settings(tried);
        let _own = own_target(&mut settings)?;
        let mut so_far = Summary::nothing(&settings.profile);
        let ran = watched(&settings, &stop, args.quiet, &mut so_far, &mut |_, _| {});
        let (verdict, why) = match ran {
            Ok((_, assessment)) => (assessment.verdict, Why::of(&assessment)),
            // A limit of this machine says nothing about the target.
            Err(error) => match error.downcast_ref::<Problem>() {
                Some(problem) if problem.ending.is_some_and(Ending::is_ours) => {
                    // It would be the same in a second trial.
                    doubted = Some(value);
                    let words = problem.words.clone();
                    (RunVerdict::Invalid, Why { words, at_limit: true })
                }
                _ => return Err(error),
            },
        };
        if stop.load(Relaxed) {
            return Ok(ExitCode::from(RunVerdict::Interrupted.exit_code()));
        }
        // Without the remedy behind the semicolon.
        let why_in_short = why.words.split(';').next().unwrap_or_default();
        let kind = if confirms { "confirm" } else { "trial" };
        let (name, value_shown) = (verdict.name(), count(value.round()));
        let pad = " ".repeat(LONGEST.saturating_sub(name.len()));
        let words = format!("{pad}  {kind:<7}  {value_shown:>10} {what}  {why_in_short}");
        say(verdict, name, words.trim_end())?;
        if verdict == RunVerdict::Invalid {
            unjudged = Some(why);
            // Another program may have kept the machine busy: only a second invalid trial counts.
            if doubted != Some(value) {
                doubted = Some(value);
                continue;
            }
        }
        search.learn(verdict);
    };
    let Conclusion { verdict, head, words } = conclude(end, what, to, unjudged.as_ref());
    print("\n")?;
    say(verdict, head, &format!(": {words}"))?;
    if is_unchecked {
        let mut text = Text::new(width());
        text.wrapped("", &format!("notice: {UNCHECKED}"));
        print(&text.into_string())?;
    }
    Ok(ExitCode::from(verdict.exit_code()))
}

/// Prints `head` with the mark of `verdict`, and `words` right behind it.
fn say(verdict: RunVerdict, head: &str, words: &str) -> Result<()> {
    let mut text = Text::new(width());
    text.verdict(verdict.tone(), head, words);
    print(&text.into_string())
}

/// The first value: the rate of the profile's last stage over its most connections, or those connections.
fn initial(profile: &Profile, connections: bool) -> f64 {
    let most = profile.stages.iter().map(|stage| stage.connections).max().unwrap_or(1).max(1);
    match profile.pace(profile.stages.len() - 1) {
        Pace::Open { rate, .. } if !connections => rate * f64::from(most),
        _ if connections => f64::from(most),
        _ => 1000.0,
    }
}
