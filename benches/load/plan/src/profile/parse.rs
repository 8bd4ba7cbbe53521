use std::path::Path;

use anyhow::{Context as _, Result, anyhow};

use super::{Mode, Profile, Talk};
use crate::unknown::unknown;

impl Profile {
    /// Reads TOML, and names stages that have no name. Errors begin with `origin`, a file's name.
    ///
    /// # Errors
    ///
    /// If the text is not TOML, if a key is unknown, missing or of the wrong kind, or if [`Profile::check`] fails; with
    /// the line where one is known.
    pub fn parse(toml: &str, origin: &str) -> Result<Self> {
        Self::parse_in(None, toml, origin)
    }

    /// As [`Profile::parse`], for a profile in `folder`, which may name other files.
    ///
    /// # Errors
    ///
    /// As [`Profile::parse`], or if such a file cannot be read.
    pub(super) fn parse_in(folder: Option<&Path>, toml: &str, origin: &str) -> Result<Self> {
        let mut profile: Self =
            toml::from_str(toml).map_err(|error| anyhow!("{origin}: {}", words(toml, &error)))?;
        match (std::mem::take(&mut profile.target.mode), folder) {
            (Mode::Conversation(Talk::Held(conversation)), _) => profile.target.say(conversation),
            (Mode::Conversation(Talk::File(file)), Some(folder)) => {
                profile.target.say_file(&folder.join(file)).with_context(|| origin.to_owned())?;
            }
            (mode, _) => profile.target.mode = mode,
        }
        for (index, stage) in profile.stages.iter_mut().enumerate() {
            if stage.name.is_empty() {
                stage.name = format!("stage {}", index + 1);
            }
        }
        profile.check().map_err(|error| anyhow!("{origin}: {error:#}"))?;
        Ok(profile)
    }
}

/// The error in one line. Of a list of keys that serde expected, only the most similar one is kept.
fn words(text: &str, error: &toml::de::Error) -> String {
    let message = error.message().replace('\n', " ");
    let line = error.span().map(|span| {
        let before = text.get(..span.start).unwrap_or(text);
        before.matches('\n').count() + 1
    });
    if let Some((kind, word, known)) = unexpected(&message) {
        let all = format!("; known here: {}", known.join(", "));
        let words = unknown(kind, word, &known, &all);
        // The line number comes right after the word.
        let quoted = format!("\"{word}\"");
        let place = line.map_or_else(String::new, |line| format!(" in line {line}"));
        return words.replacen(&quoted, &format!("{quoted}{place}"), 1);
    }
    if let Some(key) = message.strip_prefix("missing field ") {
        let key = key.trim_matches('`');
        let place = line.map_or_else(String::new, |line| format!(" in the table of line {line}"));
        return format!("\"{key}\" is missing{place}");
    }
    let mut message = plain(&message);
    let span = error.span().unwrap_or_default();
    if let Some(key) = text.get(..span.start).and_then(key_before)
        && !message.contains(key)
    {
        message = format!("{key}: {message}");
    }
    line.map_or_else(|| message.clone(), |line| format!("line {line}: {message}"))
}

/// The key that a value belongs to, where `text` is everything before the value.
fn key_before(text: &str) -> Option<&str> {
    let key = text.trim_end().strip_suffix('=')?.trim_end();
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    key.rsplit(|c| !is_part(c)).next().filter(|key| !key.is_empty())
}

/// A message of the parser, without the terms of Rust that a user of profiles need not know.
fn plain(message: &str) -> String {
    if message.starts_with("wanted exactly 1 element") {
        return "expected exactly one key here, such as { open = { rate = 10 } }".to_owned();
    }
    let hint = match message {
        "invalid type: map, expected a sequence" => {
            "; write a table that is part of a list with two brackets, such as [[stage]]"
        }
        _ => "",
    };
    message.replace('`', "") + hint
}

/// If the message is about an unknown word: its kind, the word, and the known words.
fn unexpected(message: &str) -> Option<(&'static str, &str, Vec<&str>)> {
    // Written by toml, about the keys of an enum's variant.
    if let Some(rest) = message.strip_prefix("unexpected keys in table: ") {
        let (met, known) = rest.split_once(", available keys: ")?;
        let first = met.split(", ").next()?;
        return Some(("key", first, known.split(", ").collect()));
    }
    // Written by serde: unknown field `a`, expected one of `b`, `c`.
    let kind = match message {
        _ if message.starts_with("unknown field ") => "key",
        _ if message.starts_with("unknown variant ") => "word",
        _ => return None,
    };
    let mut quoted = message.split('`').skip(1).step_by(2);
    Some((kind, quoted.next()?, quoted.collect()))
}
