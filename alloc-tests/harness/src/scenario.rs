//! Scenarios: a fixed number of operations on a server.

use std::collections::BTreeMap;

use crate::Window;

/// All scenarios of a runner, by id.
pub(crate) type Registry = BTreeMap<&'static str, Scenario>;

/// The part of a scenario that runs inside the window.
type Body = Box<dyn FnOnce(&Window) -> anyhow::Result<()>>;

/// Prefix of the ids of scenarios with a planted fault. They run only when named by their whole id.
pub(crate) const PLANTED: &str = "planted_";

/// A server's life with a fixed number of operations in it.
pub struct Scenario {
    /// The name of one operation.
    pub(crate) unit: &'static str,
    /// N.
    pub(crate) ops: u64,
    pub(crate) in_memory: bool,
    prepare: Box<dyn Fn(u64) -> Body>,
}

impl Scenario {
    /// A scenario of `ops` operations (N), also run with 2N. `unit` names one operation, as in "per message".
    ///
    /// `prepare` gets N or 2N before the window opens. The closure that it returns runs inside the window, and only the
    /// server may allocate there.
    pub fn new<B>(unit: &'static str, ops: u64, prepare: impl Fn(u64) -> B + 'static) -> Self
    where
        B: FnOnce(&Window) -> anyhow::Result<()> + 'static,
    {
        let prepare = Box::new(move |ops| -> Body { Box::new(prepare(ops)) });
        Self { unit, ops, in_memory: false, prepare }
    }

    /// Declares that the scenario uses one thread and no kernel I/O. It then executes the same instructions in every
    /// run, and a simulated processor can compare them.
    #[must_use]
    pub fn in_memory(self) -> Self {
        Self { in_memory: true, ..self }
    }

    pub(crate) fn prepare(&self, ops: u64) -> Body {
        (self.prepare)(ops)
    }
}
