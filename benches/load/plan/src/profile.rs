//! A profile: the load that a run generates, and its thresholds, as a TOML file.

mod builtin;
mod check;
mod conduct;
mod measurable;
mod parse;
mod redact;
mod talk;
#[cfg(test)]
mod tests;
mod timeline;

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::thresholds::Threshold;

pub use builtin::Builtin;
pub use conduct::{Conduct, Hostile, Provocation, SlowReaders, Storm};
pub use talk::Talk;

/// Smallest payload, in bytes: it contains a number.
pub const LEAST_BYTES: usize = 16;

/// Largest payload, in bytes: longer answers are not read.
const MOST_BYTES: usize = 64 << 20;

/// A load, and the limits on its run.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Profile {
    /// A noun that says what the load is for: `smoke`.
    pub name: String,
    /// One sentence for a list of profiles.
    #[serde(default)]
    pub description: String,
    /// Percentiles that reports show; the usual ones if there are none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub percentiles: Vec<f64>,
    /// How to talk to the target.
    #[serde(default)]
    pub target: Target,
    /// What each connection sends.
    #[serde(default)]
    pub traffic: Traffic,
    /// Misbehaviour: connections that come and go, read slowly or break the protocol.
    #[serde(default)]
    pub conduct: Conduct,
    /// How many connections, and when; at least one.
    #[serde(default, rename = "stage")]
    pub stages: Vec<Stage>,
    /// Limits on the whole run.
    #[serde(default, skip_serializing_if = "Vec::is_empty", with = "super::thresholds::table")]
    pub thresholds: Vec<Threshold>,
}

/// How to talk to the target. Holds no secret: a token is named by the file or variable that contains it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Target {
    /// `ws://` or `wss://`; without it the run starts a server of its own.
    pub url: Option<String>,
    /// What a connection does once it is open.
    pub mode: Mode,
    /// The subprotocol to offer, which the answer must contain.
    pub subprotocol: Option<String>,
    /// The `Origin` header.
    pub origin: Option<String>,
    /// Additional headers of the upgrade request.
    pub headers: BTreeMap<String, String>,
    /// File that contains a bearer token.
    pub bearer_file: Option<String>,
    /// Environment variable that contains a bearer token.
    pub bearer_env: Option<String>,
}

/// What a connection does once it is open.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "snake_case")]
#[serde(
    expecting = "\"echo\", { request = {…} }, { conversation = \"FILE\" } or { subscribe = {…} }"
)]
pub enum Mode {
    /// Sends messages that must come back unchanged.
    #[default]
    Echo,
    /// Sends messages that are each answered by one that contains their number.
    Request {
        /// The message; `{seq}` becomes its number of ten digits, which rises by one from a number that differs between
        /// connections.
        send: String,
        /// A text that the answer contains; `{seq}` stands for the number.
        reply: String,
    },
    /// Opens each connection with some steps, then sends exchanges in turn, each as a message with its answer.
    Conversation(Talk),
    /// Receives messages without asking for each.
    Subscribe {
        /// A message to send once, before any is expected.
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
    /// When messages are sent.
    pub pace: Pace,
    /// Sizes of messages, with the weight of each. The longest also bounds answers.
    pub sizes: Vec<Size>,
    /// Text or binary.
    pub kind: Kind,
    /// Number of frames of a message: 1 to 1024.
    pub fragments: u32,
    /// Time after which an answer is late.
    #[serde(with = "super::units::duration")]
    pub timeout: Duration,
    /// Unmeasured time between the opening of all connections and the hold.
    #[serde(with = "super::units::duration")]
    pub warm_up: Duration,
    /// Time without a message of ours after which a ping is sent; `None` sends no pings.
    #[serde(with = "super::units::optional_duration")]
    pub ping: Option<Duration>,
    /// Seed of the random arrivals, sizes and jitter.
    pub seed: u64,
}

/// When a connection sends.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "snake_case")]
#[serde(expecting = "{ open = { rate = 10 } }, { closed = { depth = 1 } } or \"idle\"")]
pub enum Pace {
    /// By the clock, whether or not answers arrive.
    Open {
        /// Messages per second on each connection.
        rate: f64,
        /// How the messages are spread over time.
        #[serde(default)]
        arrival: Arrival,
    },
    /// By the answers: sends up to `depth` messages, and fills up again once half of them are answered.
    Closed {
        /// Unanswered messages on each connection, at most.
        depth: u32,
    },
    /// Sends nothing.
    Idle,
}

/// How messages are spread over time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Arrival {
    /// At even intervals, with the connections out of phase.
    #[default]
    Constant,
    /// Independently of each other: the intervals are exponentially distributed.
    Poisson,
}

/// A size of messages, and how often it is chosen.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Size {
    /// Payload in bytes: 16 or more, because it contains a number.
    #[serde(with = "super::units::bytes")]
    pub bytes: usize,
    /// Weight relative to the other sizes.
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
    /// UTF-8 text.
    #[default]
    Text,
    /// Arbitrary bytes.
    Binary,
}

/// A number of connections to reach and to hold.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stage {
    /// The name in reports; by default `stage 1`, `stage 2`, ….
    #[serde(default)]
    pub name: String,
    /// Number of connections at the end of the stage.
    pub connections: u32,
    /// Time over which connections are opened or closed, evenly, to reach that number.
    #[serde(default, with = "super::units::duration")]
    pub ramp: Duration,
    /// Time that is measured, after all connections are open and [`Traffic::warm_up`] is over.
    #[serde(default, with = "super::units::duration")]
    pub hold: Duration,
    /// Replaces [`Traffic::pace`] in this stage.
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
