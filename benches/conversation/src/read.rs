use super::{Conversation, Refused};

impl Conversation {
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
