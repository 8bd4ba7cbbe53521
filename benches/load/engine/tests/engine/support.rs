//! The profiles of these tests, and what their runs must add up to.

use std::fmt;
use std::time::Duration;

use futures::{SinkExt, StreamExt};
use load_engine::testing::{Load, Peer, Socket};
use load_plan::metrics::{Tally, Timing};
use load_plan::model::{self, Phase, Run};
use load_plan::outcome::{Ending, Fault};
use load_plan::profile::Mode;
use tokio::time::{Interval, sleep};
use tokio_tungstenite::tungstenite::Error;

/// One stage of a load.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Profile<'a> {
    /// More lines of `[target]`.
    pub(crate) target: &'a str,
    /// TOML of the pace.
    pub(crate) pace: &'a str,
    pub(crate) timeout: &'a str,
    /// More lines of `[traffic]`, and tables after it.
    pub(crate) traffic: &'a str,
    pub(crate) connections: u32,
    pub(crate) hold: &'a str,
    /// More stages.
    pub(crate) stages: &'a str,
}

impl Default for Profile<'_> {
    fn default() -> Self {
        Self {
            target: "",
            pace: "{ open = { rate = 100 } }",
            timeout: "2s",
            traffic: "",
            connections: 3,
            hold: "1s",
            stages: "",
        }
    }
}

impl fmt::Display for Profile<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { target, pace, timeout, traffic, connections, hold, stages } = self;
        write!(
            f,
            "name = \"test\"\n[target]\n{target}\n\
             [traffic]\npace = {pace}\ntimeout = \"{timeout}\"\n{traffic}\n\
             [[stage]]\nconnections = {connections}\nhold = \"{hold}\"\n{stages}\n"
        )
    }
}

impl Profile<'_> {
    /// The load of one worker.
    pub(crate) fn load(&self) -> Load {
        Load::new(&self.to_string())
    }
}

/// Runs `profile` against `peer`; every attempt ends in one way.
#[track_caller]
pub(crate) fn run(profile: Profile<'_>, peer: &Peer) -> Run {
    let run = profile.load().run(peer).expect("the peer can be probed");
    assert_eq!(counts(&run).unended(), 0);
    run
}

/// Everything that was counted.
pub(crate) fn counts(run: &Run) -> Tally {
    run.sum(|_| true).counts
}

/// Times recorded in all holds, in nanoseconds: how many, the smallest and the largest.
pub(crate) fn times(run: &Run, timing: Timing) -> (u64, u64, u64) {
    let sum = run.sum(is_hold);
    let times = sum.timing(timing);
    (times.count, times.min_ns, times.max_ns)
}

/// Whether `interval` is measured.
pub(crate) fn is_hold(interval: &model::Interval) -> bool {
    interval.phase == Phase::Hold
}

/// Buckets of the times recorded in all holds: the highest time of each, in nanoseconds, and how many fell into it.
pub(crate) fn times_in(run: &Run, timing: Timing) -> Vec<(u64, u64)> {
    run.sum(is_hold).timing(timing).buckets.clone()
}

/// Faults of messages that happened, by name.
pub(crate) fn faults(run: &Run) -> Vec<(&'static str, u64)> {
    let all = counts(run);
    let faults = Fault::ALL.map(|fault| (fault.name(), all.faulty(fault)));
    faults.into_iter().filter(|(_, count)| *count > 0).collect()
}

/// Endings of connections that happened, by name.
pub(crate) fn endings(run: &Run) -> Vec<(&'static str, u64)> {
    let all = counts(run);
    let endings = Ending::ALL.map(|ending| (ending.name(), all.ended(ending)));
    endings.into_iter().filter(|(_, count)| *count > 0).collect()
}

/// Text of the most frequent error of `kind`.
#[track_caller]
pub(crate) fn error_text<'a>(run: &'a Run, kind: &str) -> &'a str {
    let sample = run.error_samples.iter().find(|sample| sample.kind == kind);
    &sample.unwrap_or_else(|| panic!("no {kind} in {:?}", run.error_samples)).text
}

/// Checks what holds for every run: each connection has ended, and each message was answered or lost, unless it is one
/// of a subscription.
#[track_caller]
pub(crate) fn check_sums(run: &Run) {
    let all = counts(run);
    assert_eq!(all.unended(), 0);
    assert_eq!(all.endings.iter().sum::<u64>(), all.attempted);
    if !matches!(run.profile.target.mode, Mode::Subscribe { .. }) {
        let more = all.faulty(Fault::Duplicated) + all.faulty(Fault::Unexpected);
        assert_eq!(all.received - more + all.faulty(Fault::Lost), all.sent);
    }
}

/// Connections before those of users: one that finds the target, and one that asks for metrics.
pub(crate) const BEFORE: u64 = 2;

/// Messages that fill the buffers of a connection.
pub(crate) const LARGE: &str = "kind = \"binary\"\nsizes = [{ bytes = \"512 KiB\" }]";

/// Sends every message back.
pub(crate) async fn echo(mut socket: Socket) -> Result<(), Error> {
    while let Some(message) = socket.next().await.transpose()? {
        if message.is_text() || message.is_binary() {
            socket.send(message).await?;
        }
    }
    Ok(())
}

/// An echo that reads nothing in the first part of each connection of a user.
pub(crate) fn deaf_for(first: Duration) -> Peer {
    Peer::upgrading(move |socket, counts| async move {
        if counts.accepted.get() > BEFORE {
            sleep(first).await;
        }
        echo(socket).await
    })
}

/// Waits for the next tick and drops what the client sends; false once the client has gone.
pub(crate) async fn ticked(socket: &mut Socket, tick: &mut Interval) -> Result<bool, Error> {
    loop {
        tokio::select! {
            biased;
            message = socket.next() => if message.transpose()?.is_none() { return Ok(false) },
            _ = tick.tick() => return Ok(true),
        }
    }
}

/// Whether the `n`th message of a connection is one of the five that a peer answers wrongly.
pub(crate) const fn is_chosen(n: u64) -> bool {
    n % 10 == 5 && n < 50
}
