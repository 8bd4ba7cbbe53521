//! For `#[serde(with)]`: thresholds as a table from metrics to conditions.
//!
//! ```toml
//! [thresholds]
//! preset = "enterprise"
//! latency_p99 = "< 5ms"
//! messages_per_s = [">= 900", "<= 1100"]
//! ```

use std::fmt;

use bench_show::hint::nearest;
use serde::de::{Deserialize, DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde::ser::{SerializeMap as _, Serializer};

use super::{Metric, Preset, Threshold, overridden};

/// The key that names a [`Preset`].
const PRESET: &str = "preset";

/// Writes thresholds as a table; those of a preset as its name, if reading that name gives the same thresholds.
pub(crate) fn serialize<S: Serializer>(
    thresholds: &[Threshold],
    serializer: S,
) -> Result<S::Ok, S::Error> {
    let all = overridden(thresholds, &[]);
    let (preset, mut explicit): (Vec<_>, Vec<_>) =
        all.iter().copied().partition(|threshold| threshold.preset.is_some());
    // Reading the name would restore a limit of the preset that was removed without an explicit replacement.
    let preset = preset
        .first()
        .and_then(|threshold| threshold.preset)
        .filter(|preset| overridden(&preset.thresholds(), &explicit) == all);
    if preset.is_none() {
        explicit = all;
    }
    let mut map = serializer.serialize_map(None)?;
    if let Some(preset) = preset {
        map.serialize_entry(PRESET, preset.name())?;
    }
    for conditions in explicit.chunk_by(|one, other| one.metric == other.metric) {
        let metric = conditions[0].metric.name();
        match conditions {
            [one] => map.serialize_entry(&metric, &one.condition())?,
            several => {
                let several: Vec<String> = several.iter().map(Threshold::condition).collect();
                map.serialize_entry(&metric, &several)?;
            }
        }
    }
    map.end()
}

/// Reads a table of thresholds, in the order of [`Metric::all`].
pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Vec<Threshold>, D::Error> {
    deserializer.deserialize_map(Table)
}

struct Table;

impl<'de> Visitor<'de> for Table {
    type Value = Vec<Threshold>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a table of limits such as latency_p99 = \"< 10ms\"")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut preset = Vec::new();
        let mut explicit = Vec::new();
        while let Some(key) = map.next_key::<Key>()? {
            match key {
                Key::Preset => preset = map.next_value::<Name>()?.0.thresholds(),
                Key::Metric(metric) => explicit.extend(map.next_value_seed(Conditions(metric))?),
            }
        }
        Ok(overridden(&preset, &explicit))
    }
}

enum Key {
    Preset,
    Metric(Metric),
}

impl<'de> Deserialize<'de> for Key {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        if name == PRESET {
            return Ok(Self::Preset);
        }
        name.parse().map(Self::Metric).map_err(|error: anyhow::Error| {
            D::Error::custom(match nearest(&name, [PRESET]) {
                Some(preset) => format!("unknown key \"{name}\"; did you mean \"{preset}\"?"),
                None => format!("{error:#}"),
            })
        })
    }
}

struct Name(Preset);

impl<'de> Deserialize<'de> for Name {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        let preset = name.parse().map_err(|error| D::Error::custom(format!("{error:#}")))?;
        Ok(Self(preset))
    }
}

/// One condition on a metric, or a list of them.
struct Conditions(Metric);

impl<'de> DeserializeSeed<'de> for Conditions {
    type Value = Vec<Threshold>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Conditions {
    type Value = Vec<Threshold>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(metric) = self;
        write!(f, "a condition such as {metric} = \"< {}\"", metric.unit().example())
    }

    fn visit_str<E: Error>(self, condition: &str) -> Result<Self::Value, E> {
        match Threshold::parse(self.0, condition) {
            Ok(threshold) => Ok(vec![threshold]),
            Err(error) => Err(E::custom(format!("{error:#}"))),
        }
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut conditions: A) -> Result<Self::Value, A::Error> {
        let mut thresholds = Vec::new();
        while let Some(condition) = conditions.next_element::<String>()? {
            let threshold = Threshold::parse(self.0, &condition);
            thresholds.push(threshold.map_err(|error| A::Error::custom(format!("{error:#}")))?);
        }
        if thresholds.is_empty() {
            return Err(A::Error::invalid_length(0, &self));
        }
        Ok(thresholds)
    }
}
