use std::net::IpAddr;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::str::FromStr;

use anyhow::{Context, Result, anyhow};
use load::own_target::OwnTarget;
use load::settings;
use load_engine::problem::Problem;
use load_engine::run::{RunSettings, Trust};
use load_plan::metrics::Timing;
use load_plan::profile::{Kind, LEAST_BYTES, Profile, Size};
use load_plan::thresholds::{Metric, Threshold, overridden};
use load_plan::url::Url;

/// Flags of each load, with a profile and without.
#[derive(clap::Args)]
pub(crate) struct Common {
    /// Say what this TOML file says, not what the profile does
    #[arg(long, value_name = "FILE")]
    conversation: Option<PathBuf>,
    /// Send the text in this file, in place of a size;
    /// {seq} in it becomes the number of the message
    #[arg(long, value_name = "FILE", conflicts_with = "conversation")]
    payload: Option<PathBuf>,
    /// Text that each answer to the payload contains
    /// [default: the payload comes back]
    #[arg(long, value_name = "TEXT", requires = "payload")]
    reply: Option<String>,
    /// Show these percentiles: 50,90,99,99.9
    #[arg(long, value_name = "P", value_delimiter = ',', value_parser = percentile)]
    percentiles: Vec<f64>,
    /// Threads that load [default: half of the processors]
    #[arg(long, value_name = "N", value_parser = some::<NonZeroUsize>)]
    workers: Option<NonZeroUsize>,
    /// Use this seed, not the profile's
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// Add a limit, or replace those on the same metric:
    /// 'latency_p99 < 5 ms'; may be given several times
    #[arg(long = "threshold", value_name = "LIMIT")]
    thresholds: Vec<Threshold>,
    /// Send this header; may be given several times
    #[arg(long = "header", value_name = "NAME: VALUE", value_parser = header)]
    headers: Vec<(String, String)>,
    /// Send this Origin header
    #[arg(long, value_name = "ORIGIN")]
    origin: Option<String>,
    /// Offer this subprotocol, and require it
    #[arg(long, value_name = "NAME")]
    subprotocol: Option<String>,
    /// Read a bearer token from this file; other users could
    /// see a token among the arguments
    #[arg(long, value_name = "FILE", visible_alias = "token-file")]
    bearer_file: Option<String>,
    /// Read a bearer token from this environment variable
    #[arg(long, value_name = "NAME", conflicts_with = "bearer_file")]
    bearer_env: Option<String>,
    /// Trust the certificates in this PEM file, too;
    /// a self-signed one may be the target's own
    #[arg(long, value_name = "FILE")]
    ca_file: Option<String>,
    /// Accept any certificate of the target
    #[arg(long, conflicts_with = "ca_file")]
    insecure: bool,
    /// Connect from these addresses of this machine, in turn
    #[arg(long, value_name = "ADDR", value_delimiter = ',')]
    source_ip: Vec<IpAddr>,
}

impl Common {
    /// What the flags say to the target, in words; `None` if they say nothing.
    pub(crate) fn says(&self) -> Option<String> {
        let file = |(what, file): (_, &Option<PathBuf>)| {
            file.as_ref().map(|file| format!("{what} {}", file.display()))
        };
        [("conversation", &self.conversation), ("payload", &self.payload)]
            .into_iter()
            .find_map(file)
    }

    /// Whether a limit of the flags is on how long answers take.
    pub(crate) fn limits_latency(&self) -> bool {
        let is_latency = |of: &Threshold| match of.metric {
            Metric::Latency(_) => true,
            Metric::Timing(timing, _) => matches!(timing, Timing::RttIntended | Timing::RttService),
            _ => false,
        };
        self.thresholds.iter().any(is_latency)
    }

    /// Changes `profile` by the flags, and checks it.
    pub(crate) fn amend(&self, profile: &mut Profile) -> Result<()> {
        if let Some(seed) = self.seed {
            profile.traffic.seed = seed;
        }
        if !self.percentiles.is_empty() {
            profile.percentiles.clone_from(&self.percentiles);
        }
        profile.thresholds = overridden(&profile.thresholds, &self.thresholds);
        let target = &mut profile.target;
        if let Some(file) = &self.conversation {
            target.say_file(file).map_err(usage)?;
        }
        if let Some(file) = &self.payload {
            let binary = std::mem::take(&mut profile.traffic.kind) == Kind::Binary;
            let bytes = target.say_payload(file, self.reply.clone(), binary).map_err(usage)?;
            // The longest answer that is taken rises with the size.
            profile.traffic.sizes = vec![Size { bytes: bytes.max(LEAST_BYTES), share: 1.0 }];
        }
        target.headers.extend(self.headers.iter().cloned());
        target.origin = self.origin.clone().or_else(|| target.origin.take());
        target.subprotocol = self.subprotocol.clone().or_else(|| target.subprotocol.take());
        if self.bearer_file.is_some() || self.bearer_env.is_some() {
            target.bearer_file.clone_from(&self.bearer_file);
            target.bearer_env.clone_from(&self.bearer_env);
        }
        profile.check().map_err(usage)
    }

    /// The settings of a whole run of `profile` against `url`, or that of the profile. Without either, it is empty: see
    /// [`own_target`].
    pub(crate) fn settings(&self, profile: Profile, url: Option<&str>) -> RunSettings {
        let url = url.or(profile.target.url.as_deref());
        let url = url.map(|url| profile.target.address(url)).unwrap_or_default();
        let whole = settings::whole(profile, url);
        RunSettings {
            trust: Trust { ca_file: self.ca_file.clone(), insecure: self.insecure },
            sources: self.source_ip.clone(),
            workers: self.workers.map_or(whole.workers, NonZeroUsize::get),
            ..whole
        }
    }
}

/// Starts a server for `settings` without a URL. It ends with its value.
pub(crate) fn own_target(settings: &mut RunSettings) -> Result<Option<OwnTarget>> {
    if !settings.url.is_empty() {
        return Ok(None);
    }
    let own = OwnTarget::start()?;
    own.url().clone_into(&mut settings.url);
    Ok(Some(own))
}

/// Whether the target's certificate is not checked.
pub(crate) fn is_unchecked(settings: &RunSettings) -> bool {
    let is_tls = settings.url.parse().is_ok_and(|url: Url| url.is_tls);
    is_tls && settings.trust.insecure
}

/// All values, or an error. Errors before the last one are printed: a person mends all of them at once.
pub(crate) fn all<T>(results: impl IntoIterator<Item = Result<T>>) -> Result<Vec<T>> {
    let (mut values, mut last) = (Vec::new(), None);
    for result in results {
        match result {
            Ok(value) => values.push(value),
            Err(error) => {
                if let Some(earlier) = last.replace(error) {
                    eprintln!("ws-load: {earlier:#}");
                }
            }
        }
    }
    last.map_or(Ok(values), Err)
}

/// A mistake of the user.
pub(crate) fn usage(error: anyhow::Error) -> anyhow::Error {
    Problem::usage(format!("{error:#}")).into()
}

/// A whole number that is not 0.
pub(crate) fn some<N: FromStr>(text: &str) -> Result<N> {
    let is_positive =
        text.bytes().all(|digit| digit.is_ascii_digit()) && text.bytes().any(|digit| digit != b'0');
    let why = if is_positive { "is too large" } else { "is not a number of 1 or more" };
    text.parse().ok().with_context(|| format!("{text:?} {why}; write one such as 4"))
}

fn percentile(text: &str) -> Result<f64> {
    let number = text.strip_prefix('p').unwrap_or(text).parse();
    number.map_err(|_| anyhow!("{text:?} is not a percentile; write numbers such as 50,90,99,99.9"))
}

fn header(text: &str) -> Result<(String, String)> {
    let (name, value) = text.split_once(':').context("write --header 'Name: value'")?;
    Ok((name.trim().to_owned(), value.trim().to_owned()))
}
