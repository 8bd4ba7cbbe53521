//! What subscribers of the dashboard cost connections that echo.

mod paired;
mod subscribers;

use std::process::ExitCode;
use std::sync::atomic::Ordering::Relaxed;

use anyhow::{Context, Result, bail, ensure};
use bench_kit::process_clock::ProcessClock;
use bench_kit::spinners::Spinners;
use bench_kit::{cores, descriptors};
use bench_show::output::print;
use load::own_target::OwnTarget;
use load::settings;
use load::signals::stop_on_signals;
use load::validator::RunVerdict;
use load_engine::problem::Problem;
use load_engine::run::run as perform;
use load_plan::model::{Phase, Run};
use load_plan::profile::Profile;

use crate::answer::Answer;
use paired::{HALF_S, Paired, Second, Turns};
use subscribers::Subscribers;

pub(crate) const AFTER_HELP: &str = "\
Takes one run against a server of our own, which serves on one thread and has a processor to itself if there are two.
Connections echo throughout. Every three seconds all subscribers arrive or leave, in random order within each turn. The
result is the ratio of the median latencies with and without them.

Exit codes: 0 the median rises by less than --within, 1 the tool or its server failed, 2 usage,
3 it rises by more, 6 too noisy to say, 130 interrupted";

#[derive(clap::Args)]
pub(crate) struct Args {
    /// Subscribers of the dashboard
    #[arg(long, value_name = "N", default_value_t = 1000)]
    subscribers: usize,
    /// Connections that echo
    #[arg(long, value_name = "N", default_value_t = 100)]
    connections: u32,
    /// Messages per second on each connection
    #[arg(long, value_name = "N", default_value_t = 10.0)]
    rate: f64,
    /// Turns of six seconds, half of each with subscribers
    #[arg(long, value_name = "N", default_value_t = 25)]
    turns: usize,
    /// Percent that the median latency may rise by
    #[arg(long, value_name = "PERCENT", default_value_t = 5.0)]
    within: f64,
}

pub(crate) fn run(args: &Args) -> Result<ExitCode> {
    let profile = profile(args)?;
    let stop = stop_on_signals()?;
    descriptors::raise(args.subscribers as u64 + u64::from(args.connections) + 64)?;
    let all = cores::allowed()?;
    let [others @ .., last] = &all[..] else { bail!("no processor; look with taskset -p $$") };
    // The server gets a core of its own: otherwise the scheduler's choices dominate the latency.
    cores::stay_on(&[*last])?;
    let own = OwnTarget::start()?;
    let awake = |core: &usize| {
        cores::stay_on(&[*core])?;
        Ok(Spinners::awake())
    };
    let _awake = all.iter().map(awake).collect::<Result<Vec<_>>>()?;
    cores::stay_on(if others.is_empty() { &all } else { others })?;
    let clock = ProcessClock::of_group(own.pid())?;
    let mut subscribers = Subscribers::start(own.addr(), args.subscribers)?;
    let settings = settings::whole(profile, own.url().to_owned());
    let mut turns = Turns::new(args.turns);
    let mut seconds = Vec::new();
    let run = perform(&settings, &stop, &mut |now| {
        let ended = subscribers.are_present();
        if now.phase == Phase::Hold
            && let Some(present) = turns.next_second()
        {
            subscribers.command(present);
        }
        seconds.push(Second {
            number: now.second,
            turn: turns.current(),
            present: [ended, subscribers.are_present()],
            server_ns: clock.read().unwrap_or_default().as_nanos() as f64,
        });
    });
    // First the subscribers' error: if they fail, the run fails because of them.
    let snapshots_per_s = subscribers.stop().context("the dashboard did not push as it should")?;
    let run = run?;
    if stop.load(Relaxed) {
        return Ok(ExitCode::from(RunVerdict::Interrupted.exit_code()));
    }
    answered(&run)?;
    let paired = Paired::of(&run, &seconds)?;
    let answer = paired.answer(args.within / 100.0);
    print(&format!(
        "{} connections echo, {} messages per second each, beside {} subscribers, {snapshots_per_s:.1} snapshots per \
         second each\n\n{}\n{}\n",
        args.connections,
        args.rate,
        args.subscribers,
        paired.table(),
        words(answer, args.within),
    ))?;
    Ok(ExitCode::from(answer.exit_code()))
}

fn words(answer: Answer, within: f64) -> String {
    match answer {
        Answer::Within => format!("holds: the median rises by less than {within} %"),
        Answer::Beyond => format!("violated: the median rises by more than {within} %"),
        Answer::TooNoisy => {
            format!("too noisy to say whether the median rises by {within} %; try more --turns")
        }
    }
}

fn profile(args: &Args) -> Result<Profile> {
    let Args { rate, connections, turns, .. } = args;
    let usable = args.subscribers > 0 && *turns > 0 && args.within > 0.0;
    if !usable {
        let words = "--subscribers, --turns and --within must be above 0";
        return Err(Problem::usage(words.to_owned()).into());
    }
    let hold_s = 2 * HALF_S * *turns as u64 + HALF_S;
    let profile = Profile::parse(
        &format!(
            "name = \"audience\"\n[traffic]\npace = {{ open = {{ rate = {rate:?} }} }}\nsizes = [{{ bytes = \"64B\" }}]\n\
             warm_up = \"1s\"\n[[stage]]\nconnections = {connections}\nramp = \"500ms\"\nhold = \"{hold_s}s\"\n\
             [thresholds]\nlost = \"== 0\"\n"
        ),
        "audience",
    );
    Ok(profile.map_err(|error| Problem::usage(format!("{error:#}")))?)
}

fn answered(run: &Run) -> Result<()> {
    let counts = run.sum(|_| true).counts;
    let errors = counts.errors();
    ensure!(
        errors == 0 && counts.received > 0,
        "the server did not echo as it should: {errors} errors in {} messages; see ws-load run smoke",
        counts.sent
    );
    Ok(())
}
