use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, bail, ensure};
use load_engine::problem::Problem;
use load_engine::run::RunSettings;
use load_plan::model::Shard;
use load_plan::profile::Profile;
use load_plan::url::Url;

use crate::common::{Common, usage};

/// The latest start from now. A later one is probably a mistake, such as milliseconds.
const FURTHEST_START: Duration = Duration::from_hours(24);

/// Flags of each subcommand that runs a load.
#[derive(clap::Args)]
pub(crate) struct Flags {
    /// A built-in profile (see `ws-load profiles`), or a TOML file
    #[arg(value_name = "PROFILE|FILE")]
    pub(crate) profile: String,
    /// ws:// or wss://; without a URL, ws-load starts a server
    #[arg(value_name = "URL")]
    url: Option<String>,
    /// Multiply all times of the profile's stages
    #[arg(long, value_name = "FACTOR", allow_negative_numbers = true)]
    scale: Option<f64>,
    #[command(flatten)]
    common: Common,
}

/// Flags of a load in several processes.
#[derive(clap::Args)]
pub(crate) struct ShardFlags {
    /// Shard I of N, from 0 [default: the environment of
    /// Kubernetes, Slurm or Nomad]
    #[arg(long, value_name = "I/N", value_parser = shard)]
    shard: Option<Shard>,
    /// Start, in seconds since 1970; the same for all shards
    #[arg(long, value_name = "T", allow_negative_numbers = true, value_parser = start)]
    start_at: Option<SystemTime>,
    /// Name of the run; the same for all shards
    #[arg(long, value_name = "ID", value_parser = run_id)]
    run_id: Option<String>,
}

impl Flags {
    /// The profile, changed by the flags.
    pub(crate) fn profile(&self) -> Result<Profile> {
        let name = &self.profile;
        let words = format!(
            "{name} is a URL, and a profile comes before it: write smoke {name}; ws-load {name} needs none"
        );
        ensure!(!name.contains("://") || name.contains('@'), Problem::usage(words));
        let mut profile = Profile::load(name).map_err(usage)?;
        if let Some(url) = &self.url {
            // Not by clap, whose message would repeat a password.
            url.parse::<Url>().map_err(usage)?;
        }
        if let Some(scale) = self.scale {
            profile = profile.scaled(scale).map_err(usage)?;
        }
        self.common.amend(&mut profile)?;
        Ok(profile)
    }

    /// Refuses shards without a common target.
    pub(crate) fn check_shard(&self, profile: &Profile, shard: Shard) -> Result<()> {
        let has_target = self.url.is_some() || profile.target.url.is_some();
        let words =
            "each shard would start a server of its own; give all of them the URL of one target";
        ensure!(shard.of <= 1 || has_target, Problem::usage(words.to_owned()));
        Ok(())
    }

    /// [`Common::settings`], with the URL of the command line.
    pub(crate) fn settings(&self, profile: Profile) -> RunSettings {
        self.common.settings(profile, self.url.as_deref())
    }
}

impl ShardFlags {
    pub(crate) fn shard(&self) -> Result<Shard> {
        let shard = self.shard.map_or_else(shard_of_scheduler, Ok)?;
        let is_common = self.start_at.is_some() && self.run_id.is_some();
        let words = "shards need a common start and name: give all of them the same --start-at $(( $(date +%s) + 10 )) \
                     and --run-id NAME";
        ensure!(shard.of <= 1 || is_common, Problem::usage(words.to_owned()));
        Ok(shard)
    }

    /// `whole`, cut down to `shard`.
    pub(crate) fn part(&self, shard: Shard, whole: RunSettings) -> RunSettings {
        let run_id = self.run_id.clone().unwrap_or(whole.run_id);
        RunSettings { shard, start_at: self.start_at, run_id, ..whole }
    }
}

/// A name; `+` joins the names of merged runs.
fn run_id(text: &str) -> Result<String> {
    let is_name = !text.is_empty() && !text.contains(|c: char| c == '+' || c.is_control());
    ensure!(is_name, "write one word without a +, such as night-7");
    Ok(text.to_owned())
}

/// Seconds since 1970 as a time within the next day.
fn start(text: &str) -> Result<SystemTime> {
    let now = SystemTime::now();
    let since = text.parse().ok().and_then(|at| Duration::try_from_secs_f64(at).ok());
    let why = match since.and_then(|since| UNIX_EPOCH.checked_add(since)) {
        Some(start) if start < now => "it has passed",
        Some(start) if start > now + FURTHEST_START => "it is more than a day ahead",
        Some(start) => return Ok(start),
        None => "it is not a time",
    };
    bail!("{why}; write seconds since 1970, such as $(( $(date +%s) + 10 ))")
}

fn shard(text: &str) -> Result<Shard> {
    text.split_once('/')
        .and_then(|(index, of)| Some(Shard { index: index.parse().ok()?, of: of.parse().ok()? }))
        .filter(|shard| shard.index < shard.of)
        .with_context(|| {
            format!("{text:?} is not a shard; write --shard I/N, such as 0/3, 1/3 or 2/3")
        })
}

/// The shard that a scheduler set in the environment; the whole run if there is none.
fn shard_of_scheduler() -> Result<Shard> {
    let number = |name: &str| -> Result<Option<u32>, Problem> {
        let Some(text) = std::env::var_os(name) else { return Ok(None) };
        let number = text.to_str().and_then(|text| text.parse().ok());
        number.map(Some).ok_or_else(|| {
            let cure = "unset it, or give --shard 0/N";
            Problem::usage(format!("{name} is {text:?}, not a number; {cure}"))
        })
    };
    let known = [
        ("JOB_COMPLETION_INDEX", "JOB_COMPLETIONS"),
        ("SLURM_PROCID", "SLURM_NTASKS"),
        ("NOMAD_ALLOC_INDEX", "NOMAD_ALLOC_COUNT"),
    ];
    for (index_name, of_name) in known {
        let Some(index) = number(index_name)? else { continue };
        let of = number(of_name)?.ok_or_else(|| {
            let cure = format!("give the number of shards with --shard {index}/N");
            Problem::usage(format!("{index_name} is set and {of_name} is not; {cure}"))
        })?;
        let shard = shard(&format!("{index}/{of}"));
        return shard.map_err(|error| Problem::usage(error.to_string()).into());
    }
    Ok(Shard { index: 0, of: 1 })
}
