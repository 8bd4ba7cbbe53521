use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use super::{Conversation, Refused};

/// Size of the longest file that is read, in bytes.
const MOST_BYTES: u64 = 1 << 20;

impl Conversation {
    /// Reads and checks a file.
    ///
    /// # Errors
    ///
    /// If the file cannot be read, or as [`Conversation::parse`].
    pub fn load(file: &Path) -> Result<Self, Refused> {
        let name = file.display();
        let mut text = String::new();
        let read = File::open(file)
            .and_then(|opened| opened.take(MOST_BYTES + 1).read_to_string(&mut text));
        read.map_err(|error| {
            Refused(format!("cannot read the conversation {name}: {error}; check the path"))
        })?;
        if text.len() as u64 > MOST_BYTES {
            let words = "the file is longer than 1 MiB; a conversation is shorter";
            return Err(Refused(format!("{name}: {words}")));
        }
        Self::parse(&text, &name.to_string())
    }

    /// Reads and checks TOML. Errors begin with `origin`, a file's name.
    ///
    /// # Errors
    ///
    /// If the text is not TOML, a key is unknown or of the wrong kind, or no driver could hold the conversation.
    pub fn parse(text: &str, origin: &str) -> Result<Self, Refused> {
        let parsed: Result<Self, _> = toml::from_str(text);
        let conversation =
            parsed.map_err(|error| Refused(format!("{origin}: {}", words(text, &error))))?;
        conversation.check().map_err(|Refused(why)| Refused(format!("{origin}: {why}")))?;
        Ok(conversation)
    }
}

/// The error in one line, with the line and the key that it is about.
fn words(text: &str, error: &toml::de::Error) -> String {
    let message = error.message().replace('\n', " ").replace('`', "");
    let Some(before) = error.span().and_then(|span| text.get(..span.start)) else { return message };
    let line = before.matches('\n').count() + 1;
    let key = before.trim_end().strip_suffix('=').map(str::trim_end);
    let key = key.and_then(|text| text.rsplit(|c: char| !c.is_ascii_alphanumeric()).next());
    match key {
        Some(key) if !key.is_empty() => format!("line {line}: {key}: {message}"),
        _ => format!("line {line}: {message}"),
    }
}
