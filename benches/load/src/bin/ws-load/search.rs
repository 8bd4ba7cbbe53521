use std::process::ExitCode;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use anyhow::{Result, ensure};
use load::search::{Next, Search};
use load::signals::stop_on_signals;
use load::trial::{Varied, trial};
use load::validator::{Assessment, RunVerdict};
use load_engine::problem::Problem;
use load_plan::outcome::Ending;
use load_plan::profile::{Pace, Profile};

use crate::run::watched;
use crate::settings::Flags;
use bench_show::output::print;

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
    #[arg(long, value_name = "N", verbatim_doc_comment, allow_negative_numbers = true)]
    from: Option<f64>,
    /// Highest value to try
    #[arg(long, value_name = "N", default_value_t = 10_000_000.0, allow_negative_numbers = true)]
    to: f64,
    /// Precision of the answer
    #[arg(long, value_name = "PERCENT", default_value_t = 5.0, allow_negative_numbers = true)]
    within: f64,
    /// Seconds of each trial; the last one, which confirms,
    /// is as long as in the profile
    #[arg(
        long,
        value_name = "S",
        verbatim_doc_comment,
        default_value_t = 5.0,
        allow_negative_numbers = true
    )]
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

Exit codes: 0 found, 1 tool or target failed, 2 usage, 3 the first value
did not hold, 6 the generator was the limit, 130 interrupted";

pub(crate) fn run(args: &Args) -> Result<ExitCode> {
    let profile = args.flags.profile()?;
    let first = args.from.unwrap_or_else(|| initial(&profile, args.connections));
    let none =
        "the profile has no thresholds to search with; add --threshold 'latency_p99 < 10 ms'";
    ensure!(!profile.thresholds.is_empty(), Problem::usage(none.to_owned()));
    let Args { to, within, .. } = *args;
    let is_range = first > 0.0 && first <= to && to.is_finite() && within > 0.0;
    let cure = "give --from above 0, --to above --from, and --within above 0";
    let words = || format!("cannot search from {first} to {to} within {within} %; {cure}");
    ensure!(is_range, Problem::usage(words()));
    let hold = Duration::try_from_secs_f64(args.trial).map_err(|_| {
        Problem::usage(format!("--trial {} is not a time; write seconds above 0", args.trial))
    })?;
    let varied = if args.connections { Varied::Connections } else { Varied::Rate };
    let stop = stop_on_signals()?;
    let mut search = Search::new(first, to, within / 100.0);
    let what = if args.connections { "connections" } else { "messages/s" };
    let mut last = None;
    let mut doubted = None;
    while let Next::Try { value, confirms } = search.next() {
        let tried = trial(&profile, varied, value, (!confirms).then_some(hold))
            .map_err(|error| Problem::usage(format!("{error:#}")))?;
        // A new server for each trial, so that no trial affects the next.
        let (settings, _own) = args.flags.settings(tried)?;
        let (verdict, why, may_differ) = match watched(&settings, &stop, args.quiet, None) {
            Ok((_, assessment)) => (assessment.verdict, why(&assessment), true),
            // A limit of this machine says nothing about the target.
            Err(error) => match error.downcast_ref::<Problem>() {
                Some(problem) if problem.ending.is_some_and(Ending::is_ours) => {
                    (RunVerdict::Invalid, problem.words.clone(), false)
                }
                _ => return Err(error),
            },
        };
        if stop.load(Relaxed) {
            return Ok(ExitCode::from(RunVerdict::Interrupted.exit_code()));
        }
        let kind = if confirms { "confirm" } else { "trial" };
        let trial = format!("{kind:<8} {value:>12.0} {what}  {:<8} {why}", verdict.name());
        print(&format!("{}\n", trial.trim_end()))?;
        // Another program may have kept the machine busy: only a second invalid trial counts.
        if verdict == RunVerdict::Invalid && may_differ && doubted != Some(value) {
            doubted = Some(value);
            continue;
        }
        last = Some(verdict);
        search.learn(verdict);
    }
    let (word, code) = match search.next() {
        Next::Found { value, limited } => {
            let by = match (limited, value >= to) {
                (true, _) => "; above it the generator is the limit, not the target",
                (false, true) => "; higher values were not tried (--to)",
                (false, false) => "",
            };
            (format!("{value:.0} {what} hold{by}"), if limited { 6 } else { 0 })
        }
        _ if last == Some(RunVerdict::Invalid) => {
            (format!("{first:.0} {what} could not be judged, for the reason above"), 6)
        }
        _ => {
            (format!("{first:.0} {what} do not hold; try --from {:.0}", (first / 10.0).max(1.0)), 3)
        }
    };
    print(&format!("\n{word}\n"))?;
    Ok(ExitCode::from(code))
}

/// The first reason why the verdict is not a pass, briefly.
fn why(assessment: &Assessment) -> String {
    let broken = assessment.violated().next();
    match assessment.verdict {
        RunVerdict::Pass => String::new(),
        RunVerdict::Fail => broken.map(|check| check.threshold.to_string()).unwrap_or_default(),
        // Without the remedy behind the semicolon.
        _ => {
            let reason = assessment.reasons.first();
            reason.and_then(|reason| reason.split(';').next()).unwrap_or_default().to_owned()
        }
    }
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
