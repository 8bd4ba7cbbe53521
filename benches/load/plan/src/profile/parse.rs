use anyhow::{Result, anyhow};

use super::Profile;
use crate::unknown::unknown;

impl Profile {
    /// Of TOML, with `origin` (a file's name) in front of every complaint. Stages without a name get one.
    ///
    /// # Errors
    ///
    /// In words, with the line: what is no TOML, unknown, missing, of the wrong kind, or makes no sense.
    pub fn parse(toml: &str, origin: &str) -> Result<Self> {
        let mut profile: Self =
            toml::from_str(toml).map_err(|error| anyhow!("{origin}: {}", words(toml, &error)))?;
        for (index, stage) in profile.stages.iter_mut().enumerate() {
            if stage.name.is_empty() {
                stage.name = format!("stage {}", index + 1);
            }
        }
        profile.check().map_err(|error| anyhow!("{origin}: {error:#}"))?;
        Ok(profile)
    }

    /// Writes what [`Profile::parse`] reads.
    #[must_use]
    pub fn to_toml(&self) -> String {
        toml::to_string(self).expect("a profile is tables of plain values")
    }
}

/// One line; serde's lists of what it expected are cut down to what was probably meant.
fn words(text: &str, error: &toml::de::Error) -> String {
    let message = error.message().replace('\n', " ");
    let line = error.span().map(|span| {
        let before = text.get(..span.start).unwrap_or(text);
        before.matches('\n').count() + 1
    });
    if let Some((kind, word, known)) = unexpected(&message) {
        let all = format!("; known here: {}", known.join(", "));
        let words = unknown(kind, word, &known, &all);
        // The line belongs to the word, before what follows it.
        let quoted = format!("\"{word}\"");
        let place = line.map_or_else(String::new, |line| format!(" in line {line}"));
        return words.replacen(&quoted, &format!("{quoted}{place}"), 1);
    }
    if let Some(key) = message.strip_prefix("missing field ") {
        let key = key.trim_matches('`');
        let place = line.map_or_else(String::new, |line| format!(" in the table of line {line}"));
        return format!("\"{key}\" is missing{place}");
    }
    let message = plain(&message);
    line.map_or_else(|| message.clone(), |line| format!("line {line}: {message}"))
}

/// A complaint of the parser without its words for Rust, where a newcomer would not understand them.
fn plain(message: &str) -> String {
    if message.starts_with("wanted exactly 1 element") {
        return "one of several is wanted here, such as { open = { rate = 10 } }".to_owned();
    }
    let hint = match message {
        "invalid type: map, expected a sequence" => {
            "; a table of a list has two brackets, such as [[stage]]"
        }
        _ => "",
    };
    message.replace('`', "") + hint
}

/// What kind of word was met where others are known.
fn unexpected(message: &str) -> Option<(&'static str, &str, Vec<&str>)> {
    // Of toml, about the keys of an enum's variant.
    if let Some(rest) = message.strip_prefix("unexpected keys in table: ") {
        let (met, known) = rest.split_once(", available keys: ")?;
        let first = met.split(", ").next()?;
        return Some(("key", first, known.split(", ").collect()));
    }
    // Of serde: unknown field `a`, expected one of `b`, `c`.
    let kind = match message {
        _ if message.starts_with("unknown field ") => "key",
        _ if message.starts_with("unknown variant ") => "word",
        _ => return None,
    };
    let mut quoted = message.split('`').skip(1).step_by(2);
    Some((kind, quoted.next()?, quoted.collect()))
}
