use std::sync::Mutex;

use crate::live::History;

/// Whose numbers the page and its subscribers get.
#[derive(Debug)]
pub(crate) enum Feed {
    /// The server's own, which the hub takes once a tick.
    Server,
    /// Somebody else's, published from outside, with what was published before. Nothing is echoed, and there are no
    /// metrics to scrape.
    Published(Box<Mutex<History>>),
}
