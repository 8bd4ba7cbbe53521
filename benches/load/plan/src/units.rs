//! Times and sizes as profiles spell them (`10s`, `16KiB`), and as reports show them.

use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};

pub use bench_show::units::{count, rate, share, significant, time, volume};

#[cfg(test)]
mod tests;

/// Units of time in nanoseconds, the longest first.
const TIMES: [(&str, u64); 6] = [
    ("h", 3_600_000_000_000),
    ("m", 60_000_000_000),
    ("s", 1_000_000_000),
    ("ms", 1_000_000),
    ("us", 1_000),
    ("ns", 1),
];

/// Units of size in bytes, the largest first.
const SIZES: [(&str, usize); 4] = [("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10), ("B", 1)];

/// `10s`, `250ms`, `1m30s`, `1.5 ms`, `50µs`: exact to the nanosecond.
///
/// # Errors
///
/// In words, with what to write instead. A number without a unit is one: `10` could be anything.
pub fn parse_duration(text: &str) -> Result<Duration> {
    let text = text.trim();
    let mut rest = text;
    let mut total_ns = 0_u64;
    let mut above = u64::MAX;
    loop {
        let (number, unit, behind) = part(rest);
        ensure!(
            !number.is_empty(),
            "\"{text}\" is no time; write one such as \"10s\", \"250ms\" or \"1m30s\""
        );
        ensure!(!unit.is_empty(), "{}", no_unit(text));
        let unit = if unit == "µs" || unit == "μs" { "us" } else { unit };
        let Some((_, factor)) = TIMES.iter().find(|(known, _)| *known == unit) else {
            bail!("\"{unit}\" is no unit of time here; write h, m, s, ms, us or ns");
        };
        ensure!(
            *factor < above,
            "the units in \"{text}\" do not descend; write a time such as \"1m30s\""
        );
        let ns = nanoseconds(number, *factor)
            .with_context(|| format!("\"{number}{unit}\" is no whole number of nanoseconds"))?;
        total_ns =
            total_ns.checked_add(ns).with_context(|| format!("\"{text}\" is over 500 years"))?;
        if behind.is_empty() {
            return Ok(Duration::from_nanos(total_ns));
        }
        (rest, above) = (behind, *factor);
    }
}

/// `64`, `64B`, `16KiB`, `1MiB`, in bytes.
///
/// # Errors
///
/// In words, with what to write instead.
pub fn parse_bytes(text: &str) -> Result<usize> {
    let text = text.trim();
    let (number, unit, behind) = part(text);
    let number: Option<usize> = number.parse().ok();
    let Some(number) = number.filter(|_| behind.is_empty()) else {
        bail!("\"{text}\" is no size; write one such as \"64B\", \"16KiB\" or \"1MiB\"");
    };
    let factor = match unit {
        "" => 1,
        _ => match SIZES.iter().find(|(known, _)| *known == unit) {
            Some((_, factor)) => *factor,
            None => bail!("\"{unit}\" is no unit of size here; write B, KiB (1024 B), MiB or GiB"),
        },
    };
    number.checked_mul(factor).with_context(|| format!("\"{text}\" is more than can be addressed"))
}

/// What [`parse_duration`] reads: `1m30s`, `1.5ms`, `0s`. Exact.
#[must_use]
pub fn exact_duration(duration: Duration) -> String {
    let ns = duration.as_nanos();
    let second = u128::from(TIMES[2].1);
    if ns >= second {
        let mut left = ns;
        let mut text = String::new();
        for (unit, factor) in &TIMES[..2] {
            let whole = left / u128::from(*factor);
            left %= u128::from(*factor);
            if whole > 0 {
                text += &format!("{whole}{unit}");
            }
        }
        if left > 0 {
            text += &format!("{}s", decimal(left, second));
        }
        return text;
    }
    let unit = TIMES[3..].iter().find(|(_, factor)| ns >= u128::from(*factor));
    unit.map_or_else(
        || "0s".to_owned(),
        |(unit, factor)| format!("{}{unit}", decimal(ns, u128::from(*factor))),
    )
}

/// What [`parse_bytes`] reads: `64B`, `16KiB`, `1500B`. Exact.
#[must_use]
pub fn exact_bytes(bytes: usize) -> String {
    // Of no bytes at all, every unit would do.
    let unit = SIZES.iter().find(|(_, factor)| bytes > 0 && bytes.is_multiple_of(*factor));
    unit.map_or_else(|| "0B".to_owned(), |(unit, factor)| format!("{}{unit}", bytes / factor))
}

/// A leading number, the unit behind it, and what follows; both may be empty.
fn part(text: &str) -> (&str, &str, &str) {
    let end = |text: &str, is_inside: fn(char) -> bool| {
        text.find(|c: char| !is_inside(c)).unwrap_or(text.len())
    };
    let (number, rest) = text.split_at(end(text, |c| c.is_ascii_digit() || c == '.'));
    let rest = rest.trim_start();
    let (unit, rest) = rest.split_at(end(rest, char::is_alphabetic));
    (number, unit, rest.trim_start())
}

fn no_unit(number: &str) -> String {
    format!("{number} has no unit; write \"{number}s\" or \"{number}ms\"")
}

/// A decimal number of units; `None` if it is not one, or not a whole number of nanoseconds, or too many.
fn nanoseconds(number: &str, factor: u64) -> Option<u64> {
    let (whole, fraction) = number.split_once('.').unwrap_or((number, "0"));
    let mut ns = whole.parse::<u64>().ok()?.checked_mul(factor)?;
    let mut place = factor;
    if fraction.is_empty() {
        return None;
    }
    for digit in fraction.chars() {
        let digit = u64::from(digit.to_digit(10)?);
        if digit > 0 && !place.is_multiple_of(10) {
            return None;
        }
        place /= 10;
        ns = ns.checked_add(digit * place)?;
    }
    Some(ns)
}

/// `value / unit` in full, where the unit is a power of ten.
fn decimal(value: u128, unit: u128) -> String {
    let (whole, rest) = (value / unit, value % unit);
    if rest == 0 {
        return whole.to_string();
    }
    let places = unit.ilog10() as usize;
    let fraction = format!("{rest:0places$}");
    format!("{whole}.{}", fraction.trim_end_matches('0'))
}

/// For `#[serde(with)]`: a [`Duration`] as text with a unit, `"1m30s"`.
pub mod duration {
    use std::fmt;
    use std::time::Duration;

    use serde::de::{Deserializer, Error, Visitor};
    use serde::ser::Serializer;

    /// Writes it.
    ///
    /// # Errors
    ///
    /// The serializer's own.
    pub fn serialize<S: Serializer>(value: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&super::exact_duration(*value))
    }

    /// Reads it.
    ///
    /// # Errors
    ///
    /// For anything that [`super::parse_duration`] does not take, numbers among them.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
        deserializer.deserialize_any(Text)
    }

    struct Text;

    impl Visitor<'_> for Text {
        type Value = Duration;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a time such as \"10s\", \"250ms\" or \"1m30s\"")
        }

        fn visit_str<E: Error>(self, text: &str) -> Result<Duration, E> {
            super::parse_duration(text).map_err(|error| E::custom(format!("{error:#}")))
        }

        fn visit_i64<E: Error>(self, number: i64) -> Result<Duration, E> {
            Err(E::custom(super::no_unit(&number.to_string())))
        }

        fn visit_u64<E: Error>(self, number: u64) -> Result<Duration, E> {
            Err(E::custom(super::no_unit(&number.to_string())))
        }

        fn visit_f64<E: Error>(self, number: f64) -> Result<Duration, E> {
            Err(E::custom(super::no_unit(&number.to_string())))
        }
    }
}

/// For `#[serde(with)]`: the same, or nothing.
pub mod optional_duration {
    use std::time::Duration;

    use serde::de::{Deserialize, Deserializer};
    use serde::ser::{Serialize, Serializer};

    #[derive(serde::Serialize, serde::Deserialize)]
    struct Text(#[serde(with = "super::duration")] Duration);

    /// Writes it.
    ///
    /// # Errors
    ///
    /// The serializer's own.
    pub fn serialize<S: Serializer>(
        value: &Option<Duration>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        value.map(Text).serialize(serializer)
    }

    /// Reads it.
    ///
    /// # Errors
    ///
    /// As [`super::duration::deserialize`].
    pub fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<Duration>, D::Error> {
        Ok(Option::<Text>::deserialize(deserializer)?.map(|Text(duration)| duration))
    }
}

/// For `#[serde(with)]`: a number of bytes, as text with a unit (`"16KiB"`) or plain.
pub mod bytes {
    use std::fmt;

    use serde::de::{Deserializer, Error, Unexpected, Visitor};
    use serde::ser::Serializer;

    /// Writes it, with a unit.
    ///
    /// # Errors
    ///
    /// The serializer's own.
    pub fn serialize<S: Serializer>(value: &usize, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&super::exact_bytes(*value))
    }

    /// Reads it.
    ///
    /// # Errors
    ///
    /// For anything but a whole number that is not negative, and what [`super::parse_bytes`] takes.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<usize, D::Error> {
        deserializer.deserialize_any(Text)
    }

    struct Text;

    impl Visitor<'_> for Text {
        type Value = usize;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a size such as \"64B\", \"16KiB\" or 64")
        }

        fn visit_str<E: Error>(self, text: &str) -> Result<usize, E> {
            super::parse_bytes(text).map_err(|error| E::custom(format!("{error:#}")))
        }

        fn visit_i64<E: Error>(self, number: i64) -> Result<usize, E> {
            let unexpected = || E::invalid_value(Unexpected::Signed(number), &self);
            usize::try_from(number).map_err(|_| unexpected())
        }

        fn visit_u64<E: Error>(self, number: u64) -> Result<usize, E> {
            let unexpected = || E::invalid_value(Unexpected::Unsigned(number), &self);
            usize::try_from(number).map_err(|_| unexpected())
        }
    }
}
