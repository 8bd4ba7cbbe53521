//! What a run is asked to do: a TOML file with its thresholds inside.

mod builtin;
mod check;
mod conduct;
mod measurable;
mod parse;
mod redact;
#[cfg(test)]
mod tests;
mod timeline;

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::thresholds::Threshold;

pub use builtin::Builtin;
pub use conduct::{Conduct, Hostile, Provocation, SlowReaders, Storm};

/// A load, and the limits that it is held to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Profile {
    /// Noun of intent: `smoke`.
    pub name: String,
    /// One sentence for a list of profiles.
    #[serde(default)]
    pub description: String,
    /// How to speak to the target.
    #[serde(default)]
    pub target: Target,
    /// What each connection sends.
    #[serde(default)]
    pub traffic: Traffic,
    /// Peers that do not behave, beside the connections above or instead of their patience.
    #[serde(default)]
    pub conduct: Conduct,
    /// How many connections, and when; at least one.
    #[serde(default, rename = "stage")]
    pub stages: Vec<Stage>,
    /// Limits on the whole of what was measured.
    #[serde(default, skip_serializing_if = "Vec::is_empty", with = "super::thresholds::table")]
    pub thresholds: Vec<Threshold>,
}

/// How to speak to the target. Nothing secret is in here: a token is named by where it lies.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Target {
    /// `ws://` or `wss://`; none starts a server of our own.
    pub url: Option<String>,
    /// What to do once connected.
    pub mode: Mode,
    /// Offered, and required in the answer.
    pub subprotocol: Option<String>,
    /// The `Origin` header.
    pub origin: Option<String>,
    /// More headers of the upgrade.
    pub headers: BTreeMap<String, String>,
    /// File with a bearer token.
    pub bearer_file: Option<String>,
    /// Environment variable with a bearer token.
    pub bearer_env: Option<String>,
}

/// What to do once connected.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "snake_case")]
#[serde(expecting = "\"echo\", { request = {…} } or { subscribe = {…} }")]
pub enum Mode {
    /// Every message must come back as it was.
    #[default]
    Echo,
    /// Every message is answered by one that contains its number.
    Request {
        /// What to send; `{seq}` becomes the number.
        send: String,
        /// What the answer contains; `{seq}` is where the number stands.
        reply: String,
    },
    /// Messages come by themselves.
    Subscribe {
        /// What to send first, if anything.
        #[serde(default)]
        send: Option<String>,
        /// JSON pointer (RFC 6901) to a number that rises by one with every message: `/seq`.
        #[serde(default)]
        sequence: Option<String>,
        /// JSON pointer to the time of a message, in milliseconds since 1970.
        #[serde(default)]
        time_ms: Option<String>,
    },
}

/// What each connection sends.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Traffic {
    /// When.
    pub pace: Pace,
    /// Sizes of messages and how often each is chosen.
    pub sizes: Vec<Size>,
    /// Text or binary.
    pub kind: Kind,
    /// Frames that a message is sent in: 1 to 1024.
    pub fragments: u32,
    /// Time after which an answer is late, in nanoseconds on disk.
    #[serde(with = "super::units::duration")]
    pub timeout: Duration,
    /// Time before each hold, once all are open, that is not measured.
    #[serde(with = "super::units::duration")]
    pub warm_up: Duration,
    /// A ping after so much silence of ours; none sends no pings.
    #[serde(with = "super::units::optional_duration")]
    pub ping: Option<Duration>,
    /// Seed of arrivals, sizes and jitter.
    pub seed: u64,
}

/// When a connection sends.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "snake_case")]
#[serde(expecting = "{ open = { rate = 10 } }, { closed = { depth = 1 } } or \"idle\"")]
pub enum Pace {
    /// By the clock, whatever the answers do.
    Open {
        /// Messages a second on each connection.
        rate: f64,
        /// How they are spread.
        #[serde(default)]
        arrival: Arrival,
    },
    /// By the answers: so many are on their way, and once half of them are answered, again.
    Closed {
        /// Most messages on their way on each connection.
        depth: u32,
    },
    /// Never.
    Idle,
}

/// How messages are spread over time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Arrival {
    /// Evenly, connections out of phase.
    #[default]
    Constant,
    /// Independently of each other, exponential gaps.
    Poisson,
}

/// A size of messages, in bytes of payload: 16 bytes or more, so that a number fits.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Size {
    /// Payload.
    #[serde(with = "super::units::bytes")]
    pub bytes: usize,
    /// Weight among the sizes.
    #[serde(default = "one")]
    pub share: f64,
}

fn one() -> f64 {
    1.0
}

/// The kind of messages.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// UTF-8.
    #[default]
    Text,
    /// Any bytes.
    Binary,
}

/// A number of connections, reached and held.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stage {
    /// Names it in reports; by default `stage 1` and so on.
    #[serde(default)]
    pub name: String,
    /// Connections at its end.
    pub connections: u32,
    /// Time to get there from the stage before, evenly.
    #[serde(default, with = "super::units::duration")]
    pub ramp: Duration,
    /// Time that they are held and measured, once all are open and [`Traffic::warm_up`] is over.
    #[serde(default, with = "super::units::duration")]
    pub hold: Duration,
    /// Another pace than [`Traffic::pace`].
    #[serde(default)]
    pub pace: Option<Pace>,
    /// Limits on this stage alone.
    #[serde(default, skip_serializing_if = "Vec::is_empty", with = "super::thresholds::table")]
    pub thresholds: Vec<Threshold>,
}

impl Default for Pace {
    fn default() -> Self {
        Self::Open { rate: 10.0, arrival: Arrival::Constant }
    }
}

impl Default for Traffic {
    fn default() -> Self {
        Self {
            pace: Pace::default(),
            sizes: vec![Size { bytes: 64, share: 1.0 }],
            kind: Kind::Text,
            fragments: 1,
            timeout: Duration::from_secs(5),
            warm_up: Duration::ZERO,
            ping: None,
            seed: 1,
        }
    }
}
