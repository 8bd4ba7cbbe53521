//! Times and sizes as profiles spell them (`10s`, `16KiB`), and as reports show them.

#[cfg(test)]
mod tests;

use std::fmt;
use std::time::Duration;

use anyhow::{Context as _, Result, anyhow, ensure};
use serde::Deserialize;

pub use bench_show::units::{count, rate, share, significant, time, volume};

/// Units of size, each 1024 times the one before.
const SIZES: [&str; 4] = ["B", "KiB", "MiB", "GiB"];

/// Reads `10s`, `250ms`, `1m30s`, `1.5 ms` or `50µs`, exact to the nanosecond.
///
/// # Errors
///
/// If the text is not a time, or has no unit, in words that end with what to write instead.
pub fn parse_duration(text: &str) -> Result<Duration> {
    let text = text.trim();
    let is_number = !text.is_empty() && text.chars().all(|c| c.is_ascii_digit() || c == '.');
    ensure!(!is_number, "{text} has no unit; write \"{text}s\" or \"{text}ms\"");
    // Keyboards type two letters that look like this one; humantime knows the micro sign alone.
    humantime::parse_duration(&text.replace('μ', "µ")).map_err(|error| {
        let examples = "write one such as \"10s\", \"250ms\" or \"1m30s\"";
        anyhow!("\"{text}\" is not a time: {error}; {examples}")
    })
}

/// Writes what `parse_duration` reads: `1m30s`, `1.5ms`, `0s`. Exact.
#[must_use]
pub fn exact_duration(duration: Duration) -> String {
    let minutes = duration.as_secs() / 60;
    let rest = duration - Duration::from_mins(minutes);
    let mut text = String::new();
    for (number, unit) in [(minutes / 60, "h"), (minutes % 60, "m")] {
        if number > 0 {
            text += &format!("{number}{unit}");
        }
    }
    match rest.as_nanos() {
        0 if minutes == 0 => "0s".to_owned(),
        0 => text,
        // The shortest decimal of a quotient under 60 is exact: it has fewer digits than an f64 holds.
        ns if minutes > 0 => format!("{text}{}s", ns as f64 / 1e9),
        _ => format!("{rest:?}").replace('µ', "u"),
    }
}

/// Reads `64`, `64B`, `16KiB`, `1MiB` or `1GiB`, in bytes.
///
/// # Errors
///
/// If the text is not a whole number of bytes that can be addressed, in words that end with what to write instead.
pub fn parse_bytes(text: &str) -> Result<usize> {
    let text = text.trim();
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let unit = if unit.is_empty() { "B" } else { unit.trim_start() };
    let power = SIZES.iter().position(|known| *known == unit);
    number
        .parse()
        .ok()
        .and_then(|number: usize| number.checked_mul(1 << (10 * power?)))
        .with_context(|| {
            let units = "write a whole number of B, KiB (1024 B), MiB or GiB, such as \"16KiB\"";
            format!("\"{text}\" is not a size; {units}")
        })
}

/// Writes what [`parse_bytes`] reads: `64B`, `16KiB`, `1500B`. Exact.
#[must_use]
pub fn exact_bytes(bytes: usize) -> String {
    let power = if bytes == 0 { 0 } else { (bytes.trailing_zeros() as usize / 10).min(3) };
    format!("{}{}", bytes >> (10 * power), SIZES[power])
}

/// A time or a size in a file, with a unit or without.
#[derive(Deserialize)]
#[serde(untagged, expecting = "expected text with a unit, such as \"10s\" or \"16KiB\"")]
enum Written {
    Text(String),
    Integer(i64),
    Float(f64),
}

impl Written {
    fn parse<T, E: serde::de::Error>(self, parse: fn(&str) -> Result<T>) -> Result<T, E> {
        parse(&self.to_string()).map_err(|error| E::custom(format!("{error:#}")))
    }
}

impl fmt::Display for Written {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => text.fmt(f),
            Self::Integer(number) => number.fmt(f),
            Self::Float(number) => number.fmt(f),
        }
    }
}

/// For `#[serde(with)]`: a [`Duration`] as text with a unit, `"1m30s"`.
pub(crate) mod duration {
    use super::{Deserialize as _, Duration, Written, exact_duration, parse_duration};
    use serde::{Deserializer, Serializer};

    pub(crate) fn serialize<S: Serializer>(
        value: &Duration,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&exact_duration(*value))
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Duration, D::Error> {
        Written::deserialize(deserializer)?.parse(parse_duration)
    }
}

/// For `#[serde(with)]`: an optional [`Duration`] as text with a unit.
pub(crate) mod optional_duration {
    use super::{Deserialize as _, Duration, Written, exact_duration, parse_duration};
    use serde::{Deserializer, Serialize as _, Serializer};

    pub(crate) fn serialize<S: Serializer>(
        value: &Option<Duration>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        value.map(exact_duration).serialize(serializer)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<Duration>, D::Error> {
        let written = Option::<Written>::deserialize(deserializer)?;
        written.map(|written| written.parse(parse_duration)).transpose()
    }
}

/// For `#[serde(with)]`: a number of bytes, as text with a unit (`"16KiB"`) or plain.
pub(crate) mod bytes {
    use super::{Deserialize as _, Written, exact_bytes, parse_bytes};
    use serde::{Deserializer, Serializer};

    pub(crate) fn serialize<S: Serializer>(
        value: &usize,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&exact_bytes(*value))
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<usize, D::Error> {
        Written::deserialize(deserializer)?.parse(parse_bytes)
    }
}
