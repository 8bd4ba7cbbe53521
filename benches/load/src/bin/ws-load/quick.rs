//! A load in flags. Each flag changes one value of a profile, which is checked and run as one from a file.

mod words;

use std::fs::{self, File};
use std::io::{ErrorKind, Write as _};
use std::num::NonZeroU32;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context as _, Result, anyhow, ensure};
use load::report::Asked;
use load_plan::profile::{Arrival, Kind, Pace, Profile, Size, Stage, Target, Traffic};
use load_plan::thresholds::Metric;
use load_plan::units::{exact_bytes, exact_duration, parse_bytes, parse_duration};

use crate::common::{Common, some, usage};
use crate::run::Shown;
use words::url;

/// The name of the load in reports.
const NAME: &str = "quick";

/// Messages per second of each connection where no flag says how many.
const RATE: f64 = 10.0;

/// Limits that hold unless a flag replaces them. The second one gives way to any limit on latencies; without one, a generator
/// on a busy machine may hardly be late.
const LIMITS: [&str; 2] = ["errors <= 0%", "latency_mean < 1s"];

#[derive(clap::Args)]
#[command(next_help_heading = "Load")]
pub(crate) struct Quick {
    /// The URL: ws://host:port/path, or wss:// with TLS
    #[arg(value_name = "URL", hide = true)]
    pub(crate) words: Vec<String>,
    /// Connections open at once
    #[arg(short, long, value_name = "N", default_value = "10", value_parser = some::<NonZeroU32>)]
    connections: NonZeroU32,
    /// Messages per second in all, over all
    /// connections [default: 10 on each]
    #[arg(short, long, value_name = "N", value_parser = rate)]
    #[arg(allow_negative_numbers = true)]
    rate: Option<f64>,
    /// In place of a rate: as fast as answers
    /// come, so many unanswered on each connection
    #[arg(short = 'p', long, value_name = "N", value_parser = some::<NonZeroU32>)]
    #[arg(conflicts_with = "rate")]
    in_flight: Option<NonZeroU32>,
    /// Time that is measured [default: 10s]
    #[arg(short, long, value_name = "TIME", default_value = "10s", value_parser = measured)]
    #[arg(hide_default_value = true)]
    duration: Duration,
    /// Payload: 64B, 16KiB [default: 64B]
    #[arg(short, long, value_name = "SIZE", default_value = "64B", value_parser = parse_bytes)]
    #[arg(hide_default_value = true, conflicts_with_all = ["payload", "conversation"])]
    size: usize,
    /// Send binary messages, not text
    #[arg(long)]
    binary: bool,
    /// Time to open all connections [default: 1s]
    #[arg(long, value_name = "TIME", default_value = "1s", value_parser = parse_duration)]
    #[arg(hide_default_value = true)]
    ramp: Duration,
    /// Unmeasured time before [default: 500ms]
    #[arg(long, value_name = "TIME", default_value = "500ms", value_parser = parse_duration)]
    #[arg(hide_default_value = true)]
    warm_up: Duration,
    /// Also write the profile that these flags
    /// mean, for ws-load run FILE
    #[arg(long, value_name = "FILE")]
    save: Option<String>,
    #[command(flatten)]
    common: Common,
    #[command(flatten)]
    shown: Shown,
}

/// `commands` are the subcommands, and `flags` those that were typed.
pub(crate) fn run(args: &Quick, commands: &[String], flags: Vec<Vec<String>>) -> Result<ExitCode> {
    let url = url(&args.words, commands).map_err(usage)?;
    let profile = args.profile(url)?;
    let settings = args.common.settings(profile.clone(), None);
    let asked = Asked { profile: None, flags, saved: args.save.clone() };
    args.shown.run(&asked, settings, || {
        if let Some(file) = &args.save {
            save(&profile, file).map_err(usage)?;
            eprintln!("profile in {file}; ws-load run {file} repeats this load");
        }
        if !args.shown.quiet {
            eprintln!("{}", profile.description);
        }
        Ok(())
    })
}

impl Quick {
    /// The profile that the flags mean. An error names the flag.
    pub(crate) fn profile(&self, url: &str) -> Result<Profile> {
        let mut profile = least(url);
        let connections = self.connections.get();
        let each = self.rate.map_or(RATE, |rate| rate / f64::from(connections));
        let pace = match self.in_flight {
            Some(depth) => Pace::Closed { depth: depth.get() },
            None => Pace::Open { rate: each, arrival: Arrival::Constant },
        };
        let paced = match (self.in_flight, self.rate) {
            (Some(depth), _) => format!("-p {depth}"),
            (None, rate) => format!("-r {}", rate.unwrap_or_default()),
        };
        let kind = if self.binary { Kind::Binary } else { Kind::Text };
        let [hold, ramp, warm_up] = [self.duration, self.ramp, self.warm_up];
        let bytes = exact_bytes(self.size);
        let mut set = |flag: String, change: &dyn Fn(&mut Profile)| {
            change(&mut profile);
            profile.check().with_context(|| flag).map_err(usage)
        };
        set(format!("-c {connections}"), &|to| to.stages[0].connections = connections)?;
        set(paced, &|to| to.traffic.pace = pace)?;
        set(format!("-d {}", exact_duration(hold)), &|to| to.stages[0].hold = hold)?;
        set(format!("-s {bytes}"), &|to| to.traffic.sizes = vec![size(self.size)])?;
        set(format!("--ramp {}", exact_duration(ramp)), &|to| to.stages[0].ramp = ramp)?;
        set(format!("--warm-up {}", exact_duration(warm_up)), &|to| to.traffic.warm_up = warm_up)?;
        profile.traffic.kind = kind;
        if self.common.limits_latency() {
            profile.thresholds.retain(|limit| !matches!(limit.metric, Metric::Latency(_)));
        }
        self.common.amend(&mut profile)?;
        let all = each * f64::from(connections);
        let pace = match self.in_flight {
            Some(depth) => format!("as fast as answers come, {depth} in flight on each"),
            None if connections == 1 => format!("{} messages/s", shown(all)),
            None => format!("{} messages/s in all, {} on each", shown(all), shown(each)),
        };
        let connections = match connections {
            1 => "1 connection".to_owned(),
            several => format!("{several} connections"),
        };
        let says = self.common.says().unwrap_or(bytes);
        profile.description = format!("{connections}, {pace}, {says}, {}", exact_duration(hold));
        Ok(profile)
    }
}

/// A load that passes its check, before the flags.
fn least(url: &str) -> Profile {
    let second = Duration::from_secs(1);
    let hold = Stage {
        name: "hold".to_owned(),
        connections: 1,
        ramp: second,
        hold: second,
        pace: None,
        thresholds: Vec::new(),
    };
    Profile {
        name: NAME.to_owned(),
        target: Target { url: Some(url.to_owned()), ..Target::default() },
        traffic: Traffic::default(),
        stages: vec![hold],
        thresholds: LIMITS.map(|limit| limit.parse().expect("it is a limit")).to_vec(),
        ..Profile::default()
    }
}

fn size(bytes: usize) -> Size {
    Size { bytes, share: 1.0 }
}

/// A rate with at most three digits behind the point.
fn shown(rate: f64) -> f64 {
    (rate * 1000.0).round() / 1000.0
}

fn rate(text: &str) -> Result<f64> {
    let number = text.strip_suffix("/s").unwrap_or(text).parse().ok();
    number.filter(|number| *number > 0.0).with_context(|| {
        format!("{text:?} is not a rate above 0; write messages per second in all, such as 20")
    })
}

fn measured(text: &str) -> Result<Duration> {
    let is_zero = text.parse() == Ok(0.0);
    let time = if is_zero { Duration::ZERO } else { parse_duration(text)? };
    ensure!(!time.is_zero(), "{text:?} measures nothing; write a time such as 10s");
    Ok(time)
}

/// Writes `profile` into a file that is not there yet, or has the same profile.
fn save(profile: &Profile, file: &str) -> Result<()> {
    ensure!(
        profile.public() == *profile,
        "--save {file} would write the value of a secret --header into the file; give the secret by --bearer-env or \
         --bearer-file, which write only its place"
    );
    let toml = toml::to_string_pretty(profile)?;
    let cannot = |error: std::io::Error| match error.kind() {
        ErrorKind::AlreadyExists => anyhow!("--save {file}: another file is there; name a new one"),
        _ => anyhow!("--save {file}: {error}; name a file in a folder that you can write to"),
    };
    // As after a first try that did not reach the target.
    if fs::read(file).is_ok_and(|there| there == toml.as_bytes()) {
        return Ok(());
    }
    let mut new = File::create_new(file).map_err(cannot)?;
    new.write_all(toml.as_bytes()).map_err(cannot)
}

#[cfg(test)]
mod tests;
