//! The dashboard's page for the numbers of another program: a load generator shows its run while it lasts.

use std::net::SocketAddr;
use std::time::Duration;

use serde::Serialize;

use crate::context::Feed;
use crate::embedded::Stopped;
use crate::lock::lock;
use crate::{Access, Config, Context, Embedded, Error};

pub use crate::history::Point;

/// Longest wait for browsers to answer the close frame; the program that stops has nothing else to wait for.
const DRAIN: Duration = Duration::from_secs(1);

/// The page, its feed on `/ws/dashboard`, `/history` and `/healthz`, on a thread and a runtime of their own. Prints
/// nothing. Dropping it ends it at once.
///
/// Subscribers are served as those of a server's own dashboard: each message is serialised once, and a subscriber that
/// does not keep up is paused and later told how many messages it missed.
#[derive(Debug)]
pub struct LivePage(Embedded);

impl LivePage {
    /// Serves on `addr`; port 0 takes a free one. `series` names the values of a [`Point`], as the page calls them.
    /// Until the first [`LivePage::publish`] the page says that it waits. `access` says who may see it.
    ///
    /// # Errors
    ///
    /// [`Error::Bind`], [`Error::Exposed`], or [`Error::Io`] if the machine has no thread or descriptor left.
    pub fn start(
        addr: SocketAddr,
        series: &'static [&'static str],
        access: Access,
    ) -> Result<Self, Error> {
        let config = Config { drain: DRAIN, access, ..Config::default() };
        let context = Context::with_feed(config, Feed::Published, series)?;
        Embedded::launch(context, addr, |stream| stream).map(Self)
    }

    /// Where it listens.
    #[must_use]
    pub fn addr(&self) -> SocketAddr {
        self.0.addr()
    }

    /// Sends `message` to every subscriber, and to each new one until the next message. With `point`, the message is
    /// also a moment in the history that `/history` serves to pages that open late; without, it replaces the newest
    /// message and leaves no trace.
    ///
    /// `view` in the message names the page's view. The page is made for about four messages a second.
    ///
    /// # Panics
    ///
    /// If `message` is not a JSON object.
    pub fn publish(&self, message: &impl Serialize, point: Option<Point<'_>>) {
        if let Some(point) = point {
            lock(&self.0.context().history).push(point);
        }
        self.0.context().board.publish(|seq| {
            let numbered = Numbered { skipped: 0, seq, message };
            serde_json::to_string(&numbered).expect("a message is a JSON object").into()
        });
    }

    /// Sends every subscriber the last message and a close frame, and joins the thread.
    ///
    /// # Errors
    ///
    /// What ended it early, or [`Error::Panicked`].
    pub fn stop(self) -> Result<Stopped, Error> {
        self.0.stop()
    }
}

/// A message as a subscriber gets it; begins with [`crate::UNSKIPPED`].
#[derive(Serialize)]
struct Numbered<'a, T> {
    skipped: u64,
    seq: u64,
    #[serde(flatten)]
    message: &'a T,
}
