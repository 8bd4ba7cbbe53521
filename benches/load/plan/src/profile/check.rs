use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};

use super::measurable::why_not;
use super::{
    Conduct, LEAST_BYTES, MOST_BYTES, Mode, Pace, Profile, Size, Stage, Target, Traffic, talk,
};
use crate::metrics::HIGHEST_NS;
use crate::thresholds::Threshold;
use crate::units::{exact_bytes, exact_duration};
use crate::url::Url;

/// Highest rate of messages on a connection, per second: one per microsecond.
const MOST_RATE: f64 = 1e6;

/// Longest time that is accepted anywhere: sums of times cannot overflow.
const LONGEST: Duration = Duration::from_hours(24 * 366);

/// Highest percentile: one of a million values lies above it.
const HIGHEST_PERCENTILE: f64 = 99.9999;

/// Most percentiles in a report: a line of a table has no room for more.
const MOST_PERCENTILES: usize = 10;

/// Highest number of frames of a message; servers may refuse more.
const MOST_FRAGMENTS: u32 = 1024;

/// Headers that the opening handshake sets (RFC 6455 §4.1), and why or where to set them instead.
const OWN_HEADERS: [(&str, &str); 7] = [
    ("host", "it is taken from target.url"),
    ("connection", "the handshake sets it"),
    ("upgrade", "the handshake sets it"),
    ("sec-websocket-key", "the handshake sets it"),
    ("sec-websocket-version", "the handshake sets it"),
    ("sec-websocket-protocol", "write target.subprotocol"),
    ("origin", "write target.origin"),
];

impl Profile {
    /// Refuses values that are out of range or contradict each other. [`Profile::parse`] calls it; call it again after
    /// changing a profile.
    ///
    /// # Errors
    ///
    /// For the first such value, with its key and what to write instead.
    pub fn check(&self) -> Result<()> {
        ensure!(!self.name.trim().is_empty(), "name is empty; write one word such as \"checkout\"");
        percentiles(&self.percentiles)?;
        target(&self.target)?;
        traffic(&self.traffic)?;
        talk::check(self)?;
        conduct(&self.conduct)?;
        self.check_stages()?;
        self.check_thresholds(None, &self.thresholds).context("thresholds")?;
        for (index, stage) in self.stages.iter().enumerate() {
            self.check_thresholds(Some(index), &stage.thresholds)
                .with_context(|| format!("thresholds of stage \"{}\"", stage.name))?;
        }
        Ok(())
    }

    fn check_stages(&self) -> Result<()> {
        ensure!(
            !self.stages.is_empty(),
            "there is no [[stage]]; write at least one with connections = 10 and hold = \"10s\""
        );
        let is_measured = |stage: &Stage| !stage.hold.is_zero() && stage.connections > 0;
        ensure!(
            self.stages.iter().any(is_measured),
            "no stage holds any connections, so nothing would be measured; write \
             connections = 10 and hold = \"10s\" in one"
        );
        let mut names = BTreeSet::new();
        for Stage { name, pace: own, ramp, hold, .. } in &self.stages {
            bounded(&format!("ramp of stage \"{name}\""), *ramp)?;
            bounded(&format!("hold of stage \"{name}\""), *hold)?;
            ensure!(
                names.insert(name),
                "two stages are named \"{name}\"; give each a name of its own"
            );
            if let Some(own) = own {
                pace(*own).with_context(|| format!("pace of stage \"{name}\""))?;
            }
        }
        Ok(())
    }

    fn check_thresholds(&self, stage: Option<usize>, thresholds: &[Threshold]) -> Result<()> {
        for threshold in thresholds {
            if let Some(why) = why_not(self, stage, threshold.metric) {
                let preset = threshold.preset.map(|preset| format!(" of preset {}", preset.name()));
                bail!(
                    "{}{} cannot have samples, so the run could not pass: {why}",
                    threshold.metric,
                    preset.unwrap_or_default()
                );
            }
            let is_percentile = threshold.metric.quantile().is_some();
            ensure!(
                !is_percentile || threshold.limit <= HIGHEST_NS as f64,
                "{threshold} is beyond the 60 s up to which percentiles are told; limit the mean or the maximum"
            );
        }
        Ok(())
    }
}

fn percentiles(percentiles: &[f64]) -> Result<()> {
    let example = "write numbers above 0 and below 100 that rise, such as [50, 90, 99, 99.9]";
    for percent in percentiles {
        let is_one = *percent > 0.0 && *percent <= HIGHEST_PERCENTILE;
        ensure!(
            is_one,
            "percentiles has {percent}; {example}; the highest is {HIGHEST_PERCENTILE}"
        );
    }
    let rises = percentiles.is_sorted_by(|one, next| one < next);
    ensure!(rises, "percentiles is {percentiles:?}; {example}");
    let many = percentiles.len();
    ensure!(
        many <= MOST_PERCENTILES,
        "percentiles has {many} numbers; write {MOST_PERCENTILES} or fewer"
    );
    Ok(())
}

fn target(target: &Target) -> Result<()> {
    if let Some(url) = &target.url {
        url.parse::<Url>().context("target.url")?;
    }
    if let Some(subprotocol) = &target.subprotocol {
        ensure!(
            is_token(subprotocol),
            "target.subprotocol is \"{subprotocol}\"; RFC 6455 allows one word without separators"
        );
    }
    if let Some(origin) = &target.origin {
        ensure!(
            is_header_value(origin),
            "target.origin is {origin:?}; write a header value such as \"https://example.org\""
        );
    }
    ensure!(
        target.bearer_file.is_none() || target.bearer_env.is_none(),
        "target has both bearer_file and bearer_env; write one of them"
    );
    headers(&target.headers)?;
    mode(&target.mode)
}

fn headers(headers: &BTreeMap<String, String>) -> Result<()> {
    for (name, value) in headers {
        ensure!(
            is_token(name),
            "target.headers has the name {name:?}; write letters, digits and hyphens, such as X-Tenant"
        );
        ensure!(
            is_header_value(value),
            "target.headers.{name} is {value:?}; write one line of visible ASCII characters"
        );
        let own = OWN_HEADERS.iter().find(|(own, _)| name.eq_ignore_ascii_case(own));
        if let Some((own, instead)) = own {
            bail!("target.headers cannot contain {own}: {instead}");
        }
    }
    Ok(())
}

/// Whether `text` is a token (RFC 9110 §5.6.2).
fn is_token(text: &str) -> bool {
    let is_part = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
    !text.is_empty() && text.chars().all(is_part)
}

/// Whether `text` is a field value (RFC 9110 §5.5) without obsolete syntax.
fn is_header_value(text: &str) -> bool {
    text.trim() == text && text.chars().all(|c| c.is_ascii_graphic() || c == ' ' || c == '\t')
}

fn mode(mode: &Mode) -> Result<()> {
    match mode {
        Mode::Echo | Mode::Conversation(_) => {}
        Mode::Request { send, reply } => {
            for (key, template) in [("send", send), ("reply", reply)] {
                ensure!(
                    template.contains("{seq}"),
                    "target.mode.request.{key} has no {{seq}}, so answers could not be matched to \
                     messages; write {{seq}} where the number of the message stands"
                );
            }
        }
        Mode::Subscribe { sequence, time_ms, .. } => {
            for (key, pointer) in [("sequence", sequence), ("time_ms", time_ms)] {
                ensure!(
                    pointer.as_ref().is_none_or(|pointer| pointer.starts_with('/')),
                    "target.mode.subscribe.{key} is not a JSON pointer; write one such as \"/{key}\""
                );
            }
        }
    }
    Ok(())
}

fn traffic(traffic: &Traffic) -> Result<()> {
    pace(traffic.pace).context("traffic.pace")?;
    let Some(least) = traffic.sizes.iter().map(|size| size.bytes).min() else {
        bail!("traffic.sizes is empty; write at least one such as {{ bytes = \"64B\" }}");
    };
    ensure!(
        least >= LEAST_BYTES,
        "traffic.sizes has {}; write {LEAST_BYTES}B or more, which the number of a message needs",
        exact_bytes(least)
    );
    for Size { bytes, share } in &traffic.sizes {
        let shown = exact_bytes(*bytes);
        ensure!(
            *bytes <= MOST_BYTES,
            "traffic.sizes has {shown}; write {} or less",
            exact_bytes(MOST_BYTES)
        );
        ensure!(
            *share > 0.0 && *share <= 1e9,
            "the share of {shown} in traffic.sizes is {share}; write a number above 0, such as 1"
        );
    }
    let fragments = traffic.fragments;
    ensure!(
        (1..=MOST_FRAGMENTS).contains(&fragments),
        "traffic.fragments is {fragments}; write 1 to {MOST_FRAGMENTS}"
    );
    ensure!(
        fragments as usize <= least,
        "traffic.fragments is {fragments}, but the smallest message has {least} B; write {least} or less"
    );
    ensure!(
        !traffic.timeout.is_zero(),
        "traffic.timeout is 0s, so every answer would be late; write one such as \"5s\""
    );
    bounded("traffic.timeout", traffic.timeout)?;
    bounded("traffic.warm_up", traffic.warm_up)?;
    positive("traffic.ping", traffic.ping)
}

fn pace(pace: Pace) -> Result<()> {
    match pace {
        Pace::Open { rate, .. } => ensure!(
            rate > 0.0 && rate <= MOST_RATE,
            "rate is {rate:?}; write a number of messages per second on each connection above 0 and up \
             to {MOST_RATE}, or pace = \"idle\" to send none"
        ),
        Pace::Closed { depth } => {
            ensure!(depth > 0, "depth is 0; write 1 or more, or pace = \"idle\" to send nothing")
        }
        Pace::Idle => {}
    }
    Ok(())
}

fn conduct(conduct: &Conduct) -> Result<()> {
    positive("conduct.lifetime", conduct.lifetime)?;
    if let Some(storm) = conduct.storm {
        positive("conduct.storm.every", Some(storm.every))?;
        ensure!(
            storm.jitter < storm.every,
            "conduct.storm.jitter is {} and every is {}; write a shorter jitter, so that all \
             connections are back before the next storm",
            exact_duration(storm.jitter),
            exact_duration(storm.every)
        );
    }
    if let Some(slow) = conduct.slow_readers {
        ensure!(
            slow.connections > 0,
            "conduct.slow_readers.connections is 0; write 1 or more, or remove the table"
        );
    }
    if let Some(hostile) = &conduct.hostile {
        ensure!(
            hostile.rate > 0.0 && hostile.rate <= MOST_RATE,
            "conduct.hostile.rate is {:?}; write provocations per second above 0 and up to {MOST_RATE}",
            hostile.rate
        );
    }
    Ok(())
}

fn positive(key: &str, time: Option<Duration>) -> Result<()> {
    let is_zero = time.is_some_and(|time| time.is_zero());
    ensure!(!is_zero, "{key} is 0s; write a longer time, or remove the key");
    bounded(key, time.unwrap_or_default())
}

fn bounded(key: &str, time: Duration) -> Result<()> {
    ensure!(time <= LONGEST, "{key} is {}; write a year or less", exact_duration(time));
    Ok(())
}
