//! The dashboard's page for somebody else's numbers: how a load generator shows its run while it lasts.

mod history;
mod load;

use std::net::SocketAddr;
use std::time::Duration;

use serde::Serialize;

pub(crate) use history::History;
pub use load::{Errors, Latency, Load, Mark, Phase, Stage, State, Threshold};

pub use crate::page::PALETTE;

use crate::feed::Feed;
use crate::{Config, Context, Embedded, Error};

/// Longest wait for browsers to say goodbye: whoever stops has better things to do.
const DRAIN: Duration = Duration::from_secs(1);

/// The page, its feed on `/ws/dashboard`, `/history` and `/healthz`, on a thread and a runtime of their own. Prints nothing.
///
/// Subscribers are served as those of a server's own dashboard: each message is serialised once, one that does not keep
/// up is paused at its high watermark and told how many it missed. Dropping it ends it at once.
#[derive(Debug)]
pub struct Live(Embedded);

impl Live {
    /// Serves on `addr`; port 0 takes a free one. Until the first [`Live::publish`] the page says that it waits.
    ///
    /// # Errors
    ///
    /// [`Error::Bind`], or [`Error::Io`] if the machine has no thread or descriptor left.
    pub fn start(addr: SocketAddr) -> Result<Self, Error> {
        let config = Config { drain: DRAIN, ..Config::default() };
        let context = Context::with_feed(config, Feed::Published(Box::default()))?;
        Embedded::launch(context, addr, |stream| stream).map(Self)
    }

    /// Where it listens.
    #[must_use]
    pub fn addr(&self) -> SocketAddr {
        self.0.addr()
    }

    /// Sends `load` to every subscriber, and to those to come until the next. About four times a second is what the page
    /// is made for; it keeps 2,400 points. Who comes late gets the run so far from `/history`.
    pub fn publish(&self, load: &Load<'_>) {
        if let Feed::Published(history) = &self.0.context().feed {
            history.lock().expect("no holder panics").push(load);
        }
        // The number is given where the message is put, so that two callers cannot overtake each other.
        self.0.context().board.publish(|seq| {
            let message = Message { skipped: 0, seq, view: "load", load };
            serde_json::to_string(&message).expect("a load is plain data").into()
        });
    }

    /// Says goodbye to every subscriber, with whatever was published before, and joins the thread.
    ///
    /// # Errors
    ///
    /// What ended it early, or [`Error::Panicked`].
    pub fn stop(self) -> Result<(), Error> {
        self.0.stop().map(drop)
    }
}

/// A [`Load`] as a subscriber gets it; begins with [`crate::snapshot::Snapshot::UNSKIPPED`].
#[derive(Serialize)]
struct Message<'a> {
    skipped: u64,
    seq: u64,
    view: &'static str,
    #[serde(flatten)]
    load: &'a Load<'a>,
}
