//! A conversation as a workload.

use std::path::Path;

use anyhow::Result;
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
        let conversation = Conversation::load(file)?;
        let name = file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        Ok(Self { name, conversation })
    }
}
