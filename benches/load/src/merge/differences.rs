use std::collections::BTreeSet;
use std::fmt::Display;

use serde_json::Value;

use load_plan::model::{Run, TargetAllocations};

/// The properties that must be equal and are not, by their names in `report.json`, and both values.
pub(super) fn differences(one: &Run, other: &Run) -> Vec<String> {
    let mut found = Found(Vec::new());
    found.compare("schema", one.schema, other.schema);
    found.compare("run.shard.of", one.shard.of, other.shard.of);
    if !is_whole(one) || !is_whole(other) {
        found.compare("run.run_id", &one.run_id, &other.run_id);
        if let (Some(mine), Some(theirs)) = (&one.allocations, &other.allocations) {
            let json = |of: &TargetAllocations| serde_json::to_value(of).unwrap_or_default();
            found.values("allocations", &json(mine), &json(theirs));
        }
    }
    found.compare("run.url", one.target(), other.target());
    if one.profile != other.profile {
        let before = found.0.len();
        let json = |run: &Run| serde_json::to_value(&run.profile).unwrap_or_default();
        found.values("profile", &json(one), &json(other));
        if found.0.len() == before {
            found.push("profile", &one.profile.name, &other.profile.name);
        }
    }
    found.0
}

/// The innermost values that differ, named by their paths below `path`, and both values.
pub(crate) fn differing(path: &str, one: &Value, other: &Value) -> Vec<String> {
    let mut found = Found(Vec::new());
    found.values(path, one, other);
    found.0
}

/// The first of `differences`, and the number of the others: a person mends one after the other.
#[must_use]
pub fn in_words(differences: &[String]) -> String {
    let shown = differences.iter().take(SHOWN).cloned().collect::<Vec<_>>().join(", ");
    match differences.len().saturating_sub(SHOWN) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}

/// Whether `run` is not a shard of several.
pub(super) fn is_whole(run: &Run) -> bool {
    run.shard.of <= 1
}

/// Differences that are told in words.
const SHOWN: usize = 3;

struct Found(Vec<String>);

impl Found {
    fn push(&mut self, what: &str, one: impl Display, other: impl Display) {
        self.0.push(format!("{what} ({one} and {other})"));
    }

    fn compare<T: PartialEq + Display>(&mut self, what: &str, one: T, other: T) {
        if one != other {
            self.push(what, one, other);
        }
    }

    /// A part of a profile would take many lines.
    fn only(&mut self, what: &str, side: &str) {
        self.0.push(format!("{what} (in the {side} only)"));
    }

    /// Adds the innermost values that differ, named by their paths.
    fn values(&mut self, path: &str, one: &Value, other: &Value) {
        match (one, other) {
            (Value::Object(mine), Value::Object(theirs)) => {
                let keys: BTreeSet<_> = mine.keys().chain(theirs.keys()).collect();
                for key in keys {
                    let of =
                        |side: &serde_json::Map<_, _>| side.get(key).cloned().unwrap_or_default();
                    self.values(&format!("{path}.{key}"), &of(mine), &of(theirs));
                }
            }
            (Value::Array(mine), Value::Array(theirs)) => {
                for index in 0..mine.len().max(theirs.len()) {
                    let of = |side: &[Value]| side.get(index).cloned().unwrap_or_default();
                    self.values(&format!("{path}.{index}"), &of(mine), &of(theirs));
                }
            }
            (Value::Null, Value::Object(_) | Value::Array(_)) => self.only(path, "second"),
            (Value::Object(_) | Value::Array(_), Value::Null) => self.only(path, "first"),
            _ => self.compare(path, one, other),
        }
    }
}
