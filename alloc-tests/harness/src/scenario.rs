//! Scenarios: a fixed number of operations on a server.

use std::collections::BTreeMap;

use baselines::alloc::Metric;
use baselines::compare::Slack;

use crate::Window;

/// All scenarios of a runner, by id.
pub(crate) type Registry = BTreeMap<&'static str, Scenario>;

/// The part of a scenario that runs inside the window.
pub(crate) type Body = Box<dyn FnOnce(&Window) -> anyhow::Result<()>>;

/// Prefix of the ids of scenarios with a planted fault. They run only when named by their whole id.
pub(crate) const PLANTED: &str = "planted_";

/// What a report says of a scenario besides its counts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Label {
    /// The name of one operation.
    pub(crate) unit: &'static str,
    /// Differences that it tolerates.
    pub(crate) slack: Vec<Slack>,
}

/// What makes a scenario execute the same instructions in every run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Repeatable {
    /// One thread and no kernel I/O.
    InMemory,
    /// One of client and server always waits for the other. What the client does while it waits differs.
    InTurns,
}

/// A server's life with a fixed number of operations in it.
///
/// ```
/// use plimsoll::{Scenario, ws::{Client, Frame}};
/// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/doc/echo.rs"));
/// # fn main() -> std::process::ExitCode { plimsoll::Suite::new(env!("CARGO_MANIFEST_DIR")).scenario("example_2_ops", || {
/// Scenario::new("message", 2, |n| {
///     let (mut client, hello) = (Client::default(), Frame::text("hello"));
///     move |window| {
///         let server = window.serve(serve)?;
///         client.upgrade(server.addr(), "/")?;
///         for _ in 0..n {
///             client.exchange(&hello.request, &hello.reply)?;
///         }
///         client.close()?;
///         server.stop()
///     }
/// })
/// # }).main() }
/// ```
pub struct Scenario {
    pub(crate) label: Label,
    /// N.
    pub(crate) ops: u64,
    /// Why it executes the same instructions in every run, if it does.
    pub(crate) repeatable: Option<Repeatable>,
    prepare: Box<dyn Fn(u64) -> Body>,
}

impl Scenario {
    /// A scenario of `ops` operations (N), also run with 2N, and in a suite that is not strict once with 3N. `unit` names
    /// one operation, as in "per message".
    ///
    /// `prepare` gets the number of operations before the window opens. The closure that it returns runs inside the
    /// window, and only the server may allocate there. Its error is a *regression*: the server broke the scenario.
    ///
    /// ```
    /// # use plimsoll::Scenario;
    /// # fn main() -> std::process::ExitCode { plimsoll::Suite::new(env!("CARGO_MANIFEST_DIR")).scenario("example_2_ops", || {
    /// Scenario::new("number", 2, |n| {
    ///     let number = "7".to_owned();
    ///     move |_| {
    ///         for _ in 0..n {
    ///             number.parse::<u64>()?;
    ///         }
    ///         Ok(())
    ///     }
    /// })
    /// # }).main() }
    /// ```
    pub fn new<B>(unit: &'static str, ops: u64, prepare: impl Fn(u64) -> B + 'static) -> Self
    where
        B: FnOnce(&Window) -> anyhow::Result<()> + 'static,
    {
        let prepare = Box::new(move |ops| -> Body { Box::new(prepare(ops)) });
        Self { label: Label { unit, slack: Vec::new() }, ops, repeatable: None, prepare }
    }

    /// Tolerates that the totals of `metric` differ by up to `amount`, between runs and from the baseline, for the written
    /// `reason`, which every report shows. By default no count has any slack.
    ///
    /// The suite refuses a slack without a reason, and one from which a cost of one unit per operation would not stand
    /// out: `amount` must be less than N, except for the peak.
    ///
    /// ```
    /// # use plimsoll::{Metric, Scenario};
    /// # fn main() -> std::process::ExitCode { plimsoll::Suite::new(env!("CARGO_MANIFEST_DIR")).scenario("example_2_ops", || {
    /// Scenario::new("message", 2, |_| |_| Ok(()))
    ///     .slack(Metric::Blocks, 1, "the pool is filled by another thread")
    /// # }).main() }
    /// ```
    #[must_use]
    pub fn slack(mut self, metric: Metric, amount: u64, reason: &str) -> Self {
        self.label.slack.push(Slack { metric, amount, reason: reason.to_owned() });
        self
    }

    /// Why the suite refuses this scenario.
    pub(crate) fn problem(&self) -> Option<String> {
        if self.ops == 0 {
            return Some("N is 0 operations; the cost of one needs at least 1".to_owned());
        }
        let refuse = |slack: &Slack| {
            let Slack { metric, amount, reason } = slack;
            let (name, ops) = (metric.name(), self.ops);
            if reason.trim().is_empty() {
                return Some(format!("a slack on {name} has no reason; write why it is not exact"));
            }
            (*metric != Metric::PeakBytes && *amount >= ops).then(|| {
                format!(
                    "a slack of {amount} on {name} hides a cost of one per operation; choose less than N, which is {ops}"
                )
            })
        };
        self.label.slack.iter().find_map(refuse)
    }

    /// Declares that the scenario uses one thread and no kernel I/O. It then executes the same instructions in every
    /// run, and a simulated processor can compare them.
    ///
    /// ```
    /// # use plimsoll::Scenario;
    /// # fn main() -> std::process::ExitCode { plimsoll::Suite::new(env!("CARGO_MANIFEST_DIR")).scenario("example_2_ops", || {
    /// Scenario::new("number", 2, |_| |_| Ok("7".parse::<u64>().map(drop)?)).in_memory()
    /// # }).main() }
    /// ```
    #[must_use]
    pub fn in_memory(self) -> Self {
        Self { repeatable: Some(Repeatable::InMemory), ..self }
    }

    /// Declares that client and server take turns on one connection, the client on the thread of the scenario.
    pub(crate) fn in_turns(self) -> Self {
        Self { repeatable: Some(Repeatable::InTurns), ..self }
    }

    /// A line of `--list --repeatable`: N, unit, and which instructions to count, all threads' or those of the others.
    pub(crate) fn repeats(&self) -> Option<String> {
        let threads = match self.repeatable? {
            Repeatable::InMemory => "memory",
            Repeatable::InTurns => "turns",
        };
        Some(format!("{} {} {threads}", self.ops, self.label.unit))
    }

    pub(crate) fn prepare(&self, ops: u64) -> Body {
        (self.prepare)(ops)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(metric: Metric, amount: u64, reason: &str, problem: Option<&str>) {
        let scenario = Scenario::new("message", 1000, |_| |_| Ok(()));
        let said = scenario.slack(metric, amount, reason).problem();
        assert_eq!(said.is_some(), problem.is_some(), "{said:?}");
        assert!(said.unwrap_or_default().contains(problem.unwrap_or_default()));
    }

    #[test]
    fn a_scenario_without_operations_is_refused() {
        let problem = Scenario::new("message", 0, |_| |_| Ok(())).problem();
        assert!(problem.is_some_and(|problem| problem.contains("N is 0 operations")));
    }

    #[test]
    fn a_slack_has_a_reason_and_hides_no_cost_per_operation() {
        check(Metric::Blocks, 999, "a pool is filled by another thread", None);
        check(Metric::PeakBytes, 4096, "a buffer is freed before or after the next", None);
        check(Metric::Blocks, 1000, "a pool", Some("choose less than N, which is 1000"));
        check(Metric::Blocks, 1, " ", Some("has no reason"));
    }
}
