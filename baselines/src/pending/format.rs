//! The text of pending numbers, one call site a line.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize, de::IgnoredAny};
use serde_json::Value;

use super::{Pending, SCHEMA};
use crate::Verdict;
use crate::alloc::{Counts, Provenance};
use crate::compare::Slack;
use crate::sites::{SiteChange, SiteCost};
use crate::strict::{self, Sorted};

/// The key that no other file has.
const MARK: &str = "pending";

/// Parses a file; `None` for other JSON.
pub(super) fn parse(text: &str) -> Result<Option<Pending>, String> {
    // A map of what is ignored: deep or large values of other files cost nothing.
    match serde_json::from_str::<BTreeMap<String, IgnoredAny>>(text) {
        Ok(keys) if keys.contains_key(MARK) => {}
        Ok(_) => return Ok(None),
        // A list, say.
        Err(_) if serde_json::from_str::<IgnoredAny>(text).is_ok() => return Ok(None),
        Err(error) => return Err(error.to_string()),
    }
    let PendingFile {
        _schema,
        pending: id,
        package,
        test,
        target,
        rustc,
        profile,
        packages: Sorted(packages),
        verdict,
        unit,
        recorded,
        measured,
        slack,
        sites: Sorted(sites),
        sites_changed,
    } = strict::parse(text, SCHEMA).map_err(|reason| match reason.strip_prefix("schema ") {
        Some(_) => format!("{reason}; install the cargo-plimsoll of the plimsoll that wrote it"),
        None => reason,
    })?;
    let provenance = Provenance { rustc, profile, packages };
    Ok(Some(Pending {
        id,
        package,
        test,
        target,
        provenance,
        verdict,
        unit,
        recorded,
        measured,
        slack,
        sites,
        sites_changed,
    }))
}

pub(super) fn render(pending: &Pending) -> String {
    let Pending { id, package, test, target, verdict, unit, recorded, measured, .. } = pending;
    let Pending { provenance: Provenance { rustc, profile, packages }, .. } = pending;
    let Pending { slack, sites, sites_changed, .. } = pending;
    let packages = packages.iter().map(|(name, version)| (name, json(version)));
    let sites = sites.iter().map(|(key, cost)| (key, json(cost)));
    let values = [
        (MARK, json(id)),
        ("package", json(package)),
        ("test", json(test)),
        ("target", json(target)),
        ("rustc", json(rustc)),
        ("profile", json(profile)),
        ("packages", strict::entries(packages)),
        ("verdict", json(verdict)),
        ("unit", json(unit)),
        ("recorded", json(recorded)),
        ("measured", json(measured)),
        ("slack", json(slack)),
        ("sites", strict::entries(sites)),
        ("sites_changed", json(sites_changed)),
    ];
    strict::render(SCHEMA, &values)
}

fn json(value: &impl Serialize) -> String {
    serde_json::to_value(value)
        .map(|value: Value| value.to_string())
        .expect("invariant: every key is a string")
}

/// The file's shape; [`Pending`] may change without a new schema.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PendingFile {
    #[serde(rename = "schema")]
    _schema: IgnoredAny,
    pending: String,
    package: String,
    test: String,
    target: String,
    rustc: String,
    profile: String,
    packages: Sorted<String>,
    verdict: Verdict,
    unit: String,
    #[serde(deserialize_with = "Option::deserialize")]
    recorded: Option<Counts>,
    measured: Counts,
    slack: Vec<Slack>,
    sites: Sorted<SiteCost>,
    sites_changed: Vec<SiteChange>,
}
