//! What a client says to a WebSocket server, and the answers that it demands, as a TOML file.
//!
//! # Layout
//!
//! - this file: the format; `read`: TOML to data; `check`: what is refused; `echo`: the built-in conversation
//! - [`script`]: the steps, made ready for a driver; [`frame`]: messages as bytes on the wire
//! - [`pattern`]: texts with `{seq}` in them, to be sent and to be found in answers

mod check;
mod echo;
pub mod frame;
pub mod pattern;
mod read;
pub mod script;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Stands in a text for a number of ten digits that rises with each operation of a connection.
pub const SEQ: &str = "{seq}";

/// What a client says, and what must come back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Conversation {
    /// The path of the upgrade; a path on the command line wins.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// The subprotocol to offer, which the server must choose.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subprotocol: Option<String>,
    /// Additional headers of the upgrade request.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: BTreeMap<String, String>,
    /// Connections; the first one sends, and all must get the answer.
    #[serde(default = "one")]
    pub connections: usize,
    /// What each connection does once, after the upgrade.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub open: Vec<Step>,
    /// Together they are one operation.
    #[serde(default, rename = "exchange")]
    pub exchanges: Vec<Step>,
}

/// A message, and its answer.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Step {
    /// The message; without it, only an answer is awaited.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub send: Option<String>,
    /// The answer. Without it, an exchange demands its own text back, and a step of `open` awaits nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expect: Option<Expect>,
    /// Whether the message and the answer are binary.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub binary: bool,
}

/// What an answer must be: at most one rule about its text, and the number of its messages.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Expect {
    /// The whole text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exact: Option<String>,
    /// The beginning of the text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prefix: Option<String>,
    /// A part of the text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub contains: Option<String>,
    /// The number of messages, one by default. The rule about the text is for the last one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub frames: Option<usize>,
}

/// Why a conversation is refused, in one line.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Refused(pub(crate) String);

fn one() -> usize {
    1
}
