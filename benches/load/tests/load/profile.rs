//! The profiles of these tests.

use std::fmt;

/// One stage of a load, short enough for a test. Any error violates the thresholds, but a slow machine does not: the lag of
/// the generator counts from a tenth of the latency limit on, and that limit is the timeout.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Profile<'a> {
    /// More lines of `[target]`.
    pub(crate) target: &'a str,
    /// TOML of the pace.
    pub(crate) pace: &'a str,
    pub(crate) timeout: &'a str,
    /// More lines of `[traffic]`.
    pub(crate) traffic: &'a str,
    pub(crate) connections: u32,
    pub(crate) hold: &'a str,
    /// Lines of `[thresholds]`; `{timeout}` becomes the timeout.
    pub(crate) thresholds: &'a str,
}

impl Default for Profile<'_> {
    fn default() -> Self {
        Self {
            target: "",
            pace: "{ open = { rate = 100 } }",
            timeout: "20s",
            traffic: "",
            connections: 3,
            hold: "600ms",
            thresholds: "errors = \"<= 0\"\nlatency_p99 = \"< {timeout}\"",
        }
    }
}

impl fmt::Display for Profile<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { target, pace, timeout, traffic, connections, hold, thresholds } = self;
        let thresholds = thresholds.replace("{timeout}", timeout);
        write!(
            f,
            "name = \"test\"\n\
            [target]\n{target}\n\
            [traffic]\npace = {pace}\ntimeout = \"{timeout}\"\n{traffic}\n\
            [thresholds]\n{thresholds}\n\
            [[stage]]\nconnections = {connections}\nhold = \"{hold}\"\n"
        )
    }
}
