//! Errors that a caller tells apart.

/// Marks an error of this machine (no port, thread or descriptor left), which is no fault of the server.
///
/// ```
/// use plimsoll::Environment;
///
/// let full = std::io::Error::other("no port is left");
/// let error = anyhow::Error::new(full).context(Environment);
/// assert!(error.is::<Environment>());
/// ```
#[derive(Debug, thiserror::Error)]
#[error("this machine does not let the scenario run")]
pub struct Environment;

/// The instrument counted wrong, so that none of its counts can be trusted.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Blind(pub(crate) String);

/// The server did not behave as the scenario demands.
#[derive(Debug, thiserror::Error)]
#[error("{why}")]
pub(crate) struct Broken {
    pub(crate) why: String,
    /// The descriptors left open, one sentence each.
    pub(crate) left_open: Vec<String>,
}

/// A command line that makes no sense.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Usage(pub(crate) String);
