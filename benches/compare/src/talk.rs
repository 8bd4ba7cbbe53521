//! A conversation as a workload.

use std::path::Path;

use anyhow::{Context, Result};
use conversation::Conversation;

/// A conversation, with the name that its rows bear.
#[derive(Clone, Debug)]
pub struct Talk {
    /// Between two slashes of a row's id.
    pub name: String,
    /// What is said, and what must come back.
    pub conversation: Conversation,
}

impl Talk {
    /// Reads a file; its name without the extension is the name of the rows.
    ///
    /// # Errors
    ///
    /// If the file cannot be read, or no driver could hold the conversation.
    pub fn read(file: &Path) -> Result<Self> {
        let shown = file.display();
        let text = std::fs::read_to_string(file)
            .with_context(|| format!("cannot read the conversation {shown}; check the path"))?;
        let conversation = Conversation::parse(&text, &shown.to_string())?;
        let name = file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        Ok(Self { name, conversation })
    }
}
