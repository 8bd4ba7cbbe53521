use std::process::ExitCode;
use std::sync::atomic::Ordering::Relaxed;

use anyhow::Result;
use benches::load::problem::Problem;
use benches::load::profile::{Pace, Profile};
use benches::load::search::{Next, Search, Trial};
use benches::load::validator::Verdict;

use crate::output::print;
use crate::run::{stop_on_signals, watched};
use crate::settings::{Flags, Part};

#[derive(clap::Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Args {
    #[command(flatten)]
    flags: Flags,
    /// Search for the number of connections instead of the rate
    #[arg(long)]
    connections: bool,
    /// First value tried: messages a second in all, or connections [default: the profile's]
    #[arg(long, value_name = "N")]
    from: Option<f64>,
    /// Highest value tried
    #[arg(long, value_name = "N", default_value_t = 10_000_000.0)]
    to: f64,
    /// Stop when the answer is known to within so many percent
    #[arg(long, value_name = "PERCENT", default_value_t = 5.0)]
    within: f64,
    /// Seconds of each trial; the last one, which confirms, takes the profile's own time
    #[arg(long, value_name = "S", default_value_t = 5.0)]
    trial: f64,
    /// No progress on stderr
    #[arg(long)]
    quiet: bool,
}

const AFTER_HELP: &str = "The value is doubled until the thresholds are violated, then the gap is halved, and a fresh \
                          run over the profile's own time confirms the answer.\n\n\
                          Exit codes: 0 found, 1 tool or target failed, 2 usage, 3 not even the first value held, \
                          6 the generator was the limit, 130 interrupted";

pub(crate) fn run(args: &Args) -> Result<ExitCode> {
    let profile = args.flags.profile()?;
    let first = args.from.unwrap_or_else(|| initial(&profile, args.connections));
    if profile.thresholds.is_empty() {
        let words = "a search needs thresholds to hold; add --threshold 'latency_p99 < 10 ms'";
        return Err(Problem::usage(words.to_owned()).into());
    }
    if !(first > 0.0 && first <= args.to && args.within > 0.0 && args.trial > 0.0) {
        let words = "--from must lie above 0 and not beyond --to, and --within and --trial above 0";
        return Err(Problem::usage(words.to_owned()).into());
    }
    let stop = stop_on_signals()?;
    let mut search = Search::new(first, args.to, args.within / 100.0);
    let what = if args.connections { "connections" } else { "messages/s" };
    let mut found = None;
    while let Next::Try { value, confirms } = search.next() {
        let tried = at(&profile, value, args.connections, (!confirms).then_some(args.trial))?;
        // A fresh server each time: what one trial leaves behind must not weigh on the next.
        let target = args.flags.target(&profile)?;
        let settings = args.flags.settings(tried, target.url().to_owned(), &Part::whole());
        let (run, judgement) = watched(&settings, &stop, args.quiet, None)?;
        if stop.load(Relaxed) {
            return Ok(ExitCode::from(Verdict::Interrupted.exit_code()));
        }
        let broken = judgement.checks.iter().find(|check| !check.met);
        let why = match judgement.verdict {
            Verdict::Pass => String::new(),
            Verdict::Fail => broken.map(|check| check.threshold.to_string()).unwrap_or_default(),
            _ => judgement.reasons.first().cloned().unwrap_or_default(),
        };
        let word = judgement.verdict.name();
        let kind = if confirms { "confirm" } else { "trial" };
        print(&format!("{kind:<8} {value:>12.0} {what}  {word:<8} {why}\n"))?;
        found = Some((run, judgement.verdict));
        search.learn(match judgement.verdict {
            Verdict::Pass => Trial::Held,
            Verdict::Fail => Trial::Broke,
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
            if matches!(found, Some((_, Verdict::Invalid))) { 6 } else { 3 },
        ),
    };
    print(&format!("\n{word}\n"))?;
    Ok(ExitCode::from(code))
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
        stage.hold = std::time::Duration::from_secs_f64(seconds);
    }
    // Opened no faster than a server of any kind takes it.
    let quickest = std::time::Duration::from_secs_f64(f64::from(stage.connections) / 1000.0);
    stage.ramp = stage.ramp.min(std::time::Duration::from_secs(2)).max(quickest);
    tried.stages = vec![stage];
    Ok(tried)
}
