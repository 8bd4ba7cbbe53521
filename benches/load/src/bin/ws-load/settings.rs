use std::net::IpAddr;
use std::num::NonZeroUsize;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::Result;
use load::own_target::OwnTarget;
use load::settings;
use load_engine::problem::Problem;
use load_engine::run::RunSettings;
use load_plan::model::Shard;
use load_plan::profile::Profile;
use load_plan::thresholds::{Threshold, overridden};
use load_plan::url::Url;

/// The latest start from now. A later one is probably a mistake, such as milliseconds.
const FURTHEST_START: Duration = Duration::from_hours(24);

/// Flags of each subcommand that runs a load.
#[derive(clap::Args, Clone, Debug, Default)]
pub(crate) struct Flags {
    /// A built-in profile (see `ws-load profiles`), or a TOML file
    #[arg(value_name = "PROFILE|FILE")]
    pub(crate) profile: String,
    /// ws:// or wss://; without a URL, ws-load starts a server
    #[arg(value_name = "URL")]
    pub(crate) url: Option<String>,
    /// Threads that load [default: half of the processors]
    #[arg(long, value_name = "N")]
    workers: Option<NonZeroUsize>,
    /// Use this seed, not the profile's
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// Add a limit, or replace those on the same metric:
    /// 'latency_p99 < 5 ms'; may be given several times
    #[arg(long = "threshold", value_name = "LIMIT", verbatim_doc_comment)]
    thresholds: Vec<String>,
    /// Multiply all times of the profile's stages
    #[arg(long, value_name = "FACTOR", allow_negative_numbers = true)]
    scale: Option<f64>,
    /// Send this header; may be given several times
    #[arg(long = "header", value_name = "NAME: VALUE")]
    headers: Vec<String>,
    /// Send this Origin header
    #[arg(long, value_name = "ORIGIN")]
    origin: Option<String>,
    /// Offer this subprotocol, and require it
    #[arg(long, value_name = "NAME")]
    subprotocol: Option<String>,
    /// Read a bearer token from this file; other users could
    /// see a token among the arguments
    #[arg(long, value_name = "FILE", verbatim_doc_comment)]
    bearer_file: Option<String>,
    /// Read a bearer token from this environment variable
    #[arg(long, value_name = "NAME", conflicts_with = "bearer_file")]
    bearer_env: Option<String>,
    /// Trust the certificates in this PEM file, too
    #[arg(long, value_name = "FILE")]
    ca_file: Option<String>,
    /// Connect from these addresses of this machine, in turn
    #[arg(long, value_name = "ADDR", value_delimiter = ',')]
    source_ip: Vec<IpAddr>,
}

/// The target of a load.
pub(crate) enum Target {
    /// The URL of a running server.
    Given(String),
    /// A server that ends with this value.
    Own(OwnTarget),
}

impl Target {
    pub(crate) fn url(&self) -> &str {
        match self {
            Self::Given(url) => url,
            Self::Own(own) => own.url(),
        }
    }
}

/// Flags of a load in several processes.
#[derive(clap::Args, Clone, Debug)]
pub(crate) struct ShardFlags {
    /// Shard I of N, from 0 [default: the environment of
    /// Kubernetes, Slurm or Nomad]
    #[arg(long, value_name = "I/N", verbatim_doc_comment)]
    shard: Option<String>,
    /// Start, in seconds since 1970; the same for all shards
    #[arg(long, value_name = "T", allow_negative_numbers = true)]
    start_at: Option<f64>,
    /// Name of the run; the same for all shards
    #[arg(long, value_name = "ID")]
    run_id: Option<String>,
}

impl Flags {
    /// The profile, changed by the flags.
    pub(crate) fn profile(&self) -> Result<Profile> {
        let usage = |error: anyhow::Error| Problem::usage(format!("{error:#}"));
        let mut profile = Profile::load(&self.profile).map_err(usage)?;
        if let Some(url) = &self.url {
            url.parse::<Url>().map_err(usage)?;
        }
        if let Some(scale) = self.scale {
            profile = profile.scaled(scale).map_err(usage)?;
        }
        if let Some(seed) = self.seed {
            profile.traffic.seed = seed;
        }
        let mut explicit = Vec::new();
        for text in &self.thresholds {
            explicit.push(text.parse::<Threshold>().map_err(usage)?);
        }
        profile.thresholds = overridden(&profile.thresholds, &explicit);
        let target = &mut profile.target;
        for header in &self.headers {
            let Some((name, value)) = header.split_once(':') else {
                let words = format!("{header:?} is not a header; write --header 'Name: value'");
                return Err(Problem::usage(words).into());
            };
            target.headers.insert(name.trim().to_owned(), value.trim().to_owned());
        }
        let replace = |mine: &mut Option<String>, given: &Option<String>| {
            if given.is_some() {
                mine.clone_from(given);
            }
        };
        replace(&mut target.origin, &self.origin);
        replace(&mut target.subprotocol, &self.subprotocol);
        if self.bearer_file.is_some() || self.bearer_env.is_some() {
            target.bearer_file.clone_from(&self.bearer_file);
            target.bearer_env.clone_from(&self.bearer_env);
        }
        profile.check().map_err(usage)?;
        Ok(profile)
    }

    /// The target: the URL of the command line, that of the profile, or a server that is started here.
    pub(crate) fn target(&self, profile: &Profile) -> Result<Target> {
        Ok(match self.url.as_ref().or(profile.target.url.as_ref()) {
            Some(url) => Target::Given(url.clone()),
            None => Target::Own(OwnTarget::start()?),
        })
    }

    /// The settings of a whole run of `profile` against `url`.
    pub(crate) fn settings(&self, profile: Profile, url: String) -> RunSettings {
        let whole = settings::whole(profile, url);
        RunSettings {
            ca_file: self.ca_file.clone(),
            sources: self.source_ip.clone(),
            workers: self.workers.map_or(whole.workers, NonZeroUsize::get),
            ..whole
        }
    }
}

/// One part of a run, or all of it.
#[derive(Clone, Debug)]
pub(crate) struct Part {
    pub(crate) shard: Shard,
    start_at: Option<SystemTime>,
    run_id: Option<String>,
}

impl Part {
    /// `whole`, cut down to this part.
    pub(crate) fn of(&self, whole: RunSettings) -> RunSettings {
        let run_id = self.run_id.clone().unwrap_or(whole.run_id);
        RunSettings { shard: self.shard, start_at: self.start_at, run_id, ..whole }
    }
}

impl ShardFlags {
    pub(crate) fn part(&self) -> Result<Part> {
        let shard = match &self.shard {
            Some(text) => parse_shard(text)?,
            None => shard_of_scheduler()?,
        };
        if shard.of > 1 && (self.start_at.is_none() || self.run_id.is_none()) {
            let words = "shards need a common start and name: give all of them the same --start-at $(( $(date +%s) + 10 )) \
                         and --run-id NAME";
            return Err(Problem::usage(words.to_owned()).into());
        }
        let start_at = self.start_at.map(|at| parse_start(at, SystemTime::now())).transpose()?;
        Ok(Part { shard, start_at, run_id: self.run_id.clone() })
    }
}

/// Seconds since 1970 as a time within the next day.
fn parse_start(at: f64, now: SystemTime) -> Result<SystemTime> {
    let start =
        Duration::try_from_secs_f64(at).ok().and_then(|since| UNIX_EPOCH.checked_add(since));
    let why = match start {
        Some(start) if start < now => "has passed",
        Some(start) if start > now + FURTHEST_START => "is more than a day ahead",
        Some(start) => return Ok(start),
        None => "is not a time",
    };
    let words = format!(
        "--start-at {at:?} {why}; write seconds since 1970, such as $(( $(date +%s) + 10 ))"
    );
    Err(Problem::usage(words).into())
}

fn parse_shard(text: &str) -> Result<Shard> {
    let parsed = text
        .split_once('/')
        .and_then(|(index, of)| Some(Shard { index: index.parse().ok()?, of: of.parse().ok()? }));
    match parsed {
        Some(shard) if shard.index < shard.of => Ok(shard),
        _ => Err(Problem::usage(format!(
            "--shard {text:?} is not a shard; write I/N, such as 0/3, 1/3 or 2/3"
        ))
        .into()),
    }
}

/// The shard that a scheduler set in the environment; the whole run if there is none.
fn shard_of_scheduler() -> Result<Shard> {
    let number = |name: &str| -> Result<Option<u32>> {
        let Some(text) = std::env::var_os(name) else { return Ok(None) };
        let number = text.to_str().and_then(|text| text.parse().ok());
        let unfit = || {
            let words = format!("{name} is {text:?}, not a number; unset it, or give --shard 0/N");
            Problem::usage(words).into()
        };
        number.map(Some).ok_or_else(unfit)
    };
    let known = [
        ("JOB_COMPLETION_INDEX", "JOB_COMPLETIONS"),
        ("SLURM_PROCID", "SLURM_NTASKS"),
        ("NOMAD_ALLOC_INDEX", "NOMAD_ALLOC_COUNT"),
    ];
    for (index_name, of_name) in known {
        let Some(index) = number(index_name)? else { continue };
        let Some(of) = number(of_name)? else {
            let words = format!(
                "{index_name} is set and {of_name} is not; give the number of shards with --shard {index}/N"
            );
            return Err(Problem::usage(words).into());
        };
        return parse_shard(&format!("{index}/{of}"));
    }
    Ok(Shard { index: 0, of: 1 })
}
