use std::process::ExitCode;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use anyhow::Result;
use load::search::{Next, Search, Trial};
use load::signals::stop_on_signals;
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
    /// Searches for the number of connections, not a rate
    #[arg(long)]
    connections: bool,
    /// First value tried: messages a second in all, or
    /// connections [default: the profile's]
    #[arg(long, value_name = "N", verbatim_doc_comment, allow_negative_numbers = true)]
    from: Option<f64>,
    /// Highest value tried
    #[arg(long, value_name = "N", default_value_t = 10_000_000.0, allow_negative_numbers = true)]
    to: f64,
    /// How exact the answer has to be
    #[arg(long, value_name = "PERCENT", default_value_t = 5.0, allow_negative_numbers = true)]
    within: f64,
    /// Seconds of each trial; the last, which confirms, is
    /// as long as the profile has it
    #[arg(
        long,
        value_name = "S",
        verbatim_doc_comment,
        default_value_t = 5.0,
        allow_negative_numbers = true
    )]
    trial: f64,
    /// No progress on stderr
    #[arg(long)]
    quiet: bool,
}

const AFTER_HELP: &str = "Examples:
  ws-load search smoke --threshold 'latency_p99 < 5 ms'
  ws-load search mine.toml ws://127.0.0.1:9001/ws/echo --connections --to 5000

The value is doubled until the thresholds are violated, then the gap is halved,
and a fresh run over the profile's own time confirms the answer. What is tried
is the stage with the most connections.

Exit codes: 0 found, 1 tool or target failed, 2 usage, 3 not even the first
value held, 6 the generator was the limit, 130 interrupted";

pub(crate) fn run(args: &Args) -> Result<ExitCode> {
    let profile = args.flags.profile()?;
    let first = args.from.unwrap_or_else(|| initial(&profile, args.connections));
    if profile.thresholds.is_empty() {
        let words = "a search needs thresholds to hold; add --threshold 'latency_p99 < 10 ms'";
        return Err(Problem::usage(words.to_owned()).into());
    }
    if !(first > 0.0 && first <= args.to && args.to.is_finite() && args.within > 0.0) {
        let words = format!(
            "from {first} to {} within {} % there is nothing to search; give --from above 0, --to beyond \
             it and --within above 0",
            args.to, args.within
        );
        return Err(Problem::usage(words).into());
    }
    let stop = stop_on_signals()?;
    let mut search = Search::new(first, args.to, args.within / 100.0);
    let what = if args.connections { "connections" } else { "messages/s" };
    let mut last = None;
    let mut doubted = None;
    while let Next::Try { value, confirms } = search.next() {
        let tried = at(&profile, value, args.connections, (!confirms).then_some(args.trial))?;
        // A fresh server each time: what one trial leaves behind must not weigh on the next.
        let target = args.flags.target(&profile)?;
        let settings = args.flags.settings(tried, target.url().to_owned());
        let (verdict, why, may_differ) = match watched(&settings, &stop, args.quiet, None) {
            Ok((_, assessment)) => (assessment.verdict, why(&assessment), true),
            // What this machine cannot do says nothing about the target.
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
        // Something else may have kept the machine busy: that is no limit until it happens twice.
        if verdict == RunVerdict::Invalid && may_differ && doubted != Some(value) {
            doubted = Some(value);
            continue;
        }
        last = Some(verdict);
        search.learn(match verdict {
            RunVerdict::Pass => Trial::Held,
            RunVerdict::Fail => Trial::Broke,
            _ => Trial::Invalid,
        });
    }
    let (word, code) = match search.next() {
        Next::Found { value, limited } => {
            let by = match (limited, value >= args.to) {
                (true, _) => "; beyond it the generator is the limit, not the target",
                (false, true) => "; more was not tried (--to)",
                (false, false) => "",
            };
            (format!("{value:.0} {what} hold{by}"), if limited { 6 } else { 0 })
        }
        _ => (
            format!("not even {first:.0} {what} hold; try --from {:.0}", (first / 10.0).max(1.0)),
            if last == Some(RunVerdict::Invalid) { 6 } else { 3 },
        ),
    };
    print(&format!("\n{word}\n"))?;
    Ok(ExitCode::from(code))
}

/// The first thing that is not as it should be.
fn why(assessment: &Assessment) -> String {
    let broken = assessment.checks.iter().find(|check| !check.met);
    match assessment.verdict {
        RunVerdict::Pass => String::new(),
        RunVerdict::Fail => broken.map(|check| check.threshold.to_string()).unwrap_or_default(),
        // What to do about it is for a run to say.
        _ => {
            let reason = assessment.reasons.first();
            reason.and_then(|reason| reason.split(';').next()).unwrap_or_default().to_owned()
        }
    }
}

/// Where the profile itself stands: its last pace, over its most connections.
fn initial(profile: &Profile, connections: bool) -> f64 {
    let most = profile.stages.iter().map(|stage| stage.connections).max().unwrap_or(1).max(1);
    match profile.pace(profile.stages.len() - 1) {
        Pace::Open { rate, .. } if !connections => rate * f64::from(most),
        _ if connections => f64::from(most),
        _ => 1000.0,
    }
}

/// The profile with one stage at `value`, held for `trial_s` seconds, or for its own time.
fn at(profile: &Profile, value: f64, connections: bool, trial_s: Option<f64>) -> Result<Profile> {
    let mut tried = profile.clone();
    let mut stage = tried
        .stages
        .iter()
        .max_by_key(|stage| (stage.connections, stage.hold))
        .cloned()
        .ok_or_else(|| Problem::usage("the profile has no stage".to_owned()))?;
    let pace = stage.pace.unwrap_or(profile.traffic.pace);
    if connections {
        stage.connections = value.round() as u32;
    } else {
        let rate = value / f64::from(stage.connections.max(1));
        stage.pace = Some(match pace {
            Pace::Open { arrival, .. } => Pace::Open { rate, arrival },
            _ => {
                let words = "only an open loop has a rate to search; use --connections";
                return Err(Problem::usage(words.to_owned()).into());
            }
        });
    }
    if let Some(seconds) = trial_s {
        stage.hold = Duration::try_from_secs_f64(seconds).map_err(|_| {
            Problem::usage(format!("--trial {seconds} is no time; write seconds above 0"))
        })?;
    }
    // Opened no faster than a server of any kind takes it.
    let quickest = Duration::from_secs_f64(f64::from(stage.connections) / 1000.0);
    stage.ramp = stage.ramp.min(Duration::from_secs(2)).max(quickest);
    tried.stages = vec![stage];
    let unfit = |error: anyhow::Error| {
        Problem::usage(format!("at {value} it would make no sense: {error:#}; give another --to"))
    };
    tried.check().map_err(unfit)?;
    Ok(tried)
}
