//! The result of one run of an allocation suite as JSON: the runner prints it with `--format json`, and `ws-compare`
//! reads it.
//!
//! Reading is strict: an unknown, missing or misspelt key is an error, never an empty value. Every runner since the
//! first one prints `schema`, so a report without it comes from another program and is refused.

use std::collections::BTreeMap;

use serde::de::{DeserializeOwned, Error as _};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Map, Value};

use crate::alloc::{Counts, Metric};
use crate::compare::{Change, Live, Slack, changes};
use crate::sites::SiteChange;
use crate::{Verdict, strict};

/// The version of the report's format.
pub const SCHEMA: u32 = 4;

/// One run of a suite.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SuiteReport {
    /// Always [`SCHEMA`] in a report that was read.
    pub schema: u32,
    /// Target triple of the runner.
    pub target: String,
    /// The compiler's version, as in `1.95.0`.
    pub rustc: String,
    /// The cargo profile that the runner was built with.
    pub profile: String,
    /// The packages that the runner is built of, with their versions.
    pub packages: BTreeMap<String, String>,
    /// Differences between this build and the one that recorded the baseline, one sentence each.
    pub provenance_differs: Vec<String>,
    /// The exit code of the run.
    pub exit_code: u8,
    /// Scenario id to its result.
    pub scenarios: BTreeMap<String, ScenarioReport>,
}

/// The result of one scenario. In JSON, the keys of `measured` and `live` stand beside the others.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, remote = "Self")]
pub struct ScenarioReport {
    /// Totals of this run; `None` if the scenario was not counted.
    #[serde(flatten, skip_deserializing)]
    pub measured: Option<Counts>,
    /// The outcome.
    pub verdict: Verdict,
    /// The name of one operation: `message`, `connection`.
    pub unit: String,
    /// Totals in the baseline; `None` if it has none.
    #[serde(deserialize_with = "Option::deserialize")]
    pub recorded: Option<Counts>,
    /// Left alive at the end.
    #[serde(flatten, skip_deserializing)]
    pub live: Live,
    /// Call sites that differ from the baseline, largest change first.
    pub sites_changed: Vec<SiteChange>,
    /// Call sites that left blocks behind.
    pub leaks: Vec<Leak>,
    /// Sentences for a reader.
    pub notes: Vec<String>,
    /// Counts that differ between repeats, one sentence each. `measured` has then the least of them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub wavering: Vec<String>,
    /// Differences that the scenario tolerates.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub slack: Vec<Slack>,
}

impl ScenarioReport {
    /// The metrics that differ from the baseline by more than their slack; none if one side is missing or the sides cannot be compared.
    pub fn changes(&self) -> Vec<Change> {
        let sides = self.recorded.as_ref().zip(self.measured.as_ref());
        sides
            .and_then(|(recorded, measured)| changes(recorded, measured, &self.slack))
            .unwrap_or_default()
    }
}

/// Blocks that one call site left behind.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Leak {
    /// The call path, innermost frame first.
    pub key: String,
    /// Its file and line.
    pub place: String,
    /// Live blocks.
    pub blocks: u64,
    /// Live bytes.
    pub bytes: u64,
}

impl SuiteReport {
    /// Reads a report.
    ///
    /// # Errors
    ///
    /// If `text` is not a report of this schema, with the reason and the next step.
    pub fn parse(text: &str) -> Result<Self, Unreadable> {
        strict::parse(text, SCHEMA).map_err(Unreadable)
    }

    /// The report as text that [`parse`](Self::parse) reads back, indented.
    #[must_use]
    pub fn render(&self) -> String {
        serde_json::to_string_pretty(self).expect("invariant: every key is a string") + "\n"
    }
}

/// The reason why a text is not a suite report.
#[derive(Debug, thiserror::Error)]
#[error(
    "not a suite report of schema {SCHEMA}: {0}; read it with a program built from the same revision as the runner"
)]
pub struct Unreadable(String);

impl Serialize for ScenarioReport {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Self::serialize(self, serializer)
    }
}

// serde's `flatten` reads an optional group with a misspelt key as absent, so the groups are split off by hand.
impl<'de> Deserialize<'de> for ScenarioReport {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let all = Map::deserialize(deserializer)?;
        let (counts, rest): (Map<_, _>, Map<_, _>) =
            all.into_iter().partition(|(key, _)| is_total(key));
        let (live, rest) = rest.into_iter().partition(|(key, _)| key.starts_with("live_"));
        let mut report = Self::deserialize(Value::Object(rest)).map_err(D::Error::custom)?;
        report.measured = if counts.is_empty() { None } else { Some(group(counts)?) };
        report.live = group(live)?;
        Ok(report)
    }
}

fn is_total(key: &str) -> bool {
    key == "ops" || Metric::ALL.iter().any(|metric| metric.name() == key)
}

fn group<T: DeserializeOwned, E: serde::de::Error>(map: Map<String, Value>) -> Result<T, E> {
    T::deserialize(Value::Object(map)).map_err(E::custom)
}

#[cfg(test)]
mod tests;
