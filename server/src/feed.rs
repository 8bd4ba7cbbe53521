/// Whose numbers the page and its subscribers get.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Feed {
    /// The server's own, which the hub takes once a tick.
    Server,
    /// Somebody else's, published from outside. Nothing is echoed, and there are no metrics to scrape.
    Published,
}
