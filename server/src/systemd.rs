//! What a service manager hands to `ws-server`, and what it is told: sd_listen_fds(3) and sd_notify(3).

use std::net::TcpListener;
use std::os::fd::FromRawFd;
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use rustix::net::{AddressFamily, SocketType, sockopt};
use sd_notify::NotifyState;
use server::Context;

/// Ticks that fit into the watchdog's time, at least. It is fed twice in that time, each time for a new snapshot.
const TICKS_WITHIN: u32 = 4;

/// The socket that a service manager opened for this process; `None` if it passed none.
pub(crate) fn passed_socket() -> anyhow::Result<Option<TcpListener>> {
    let mut passed = sd_notify::listen_fds()
        .context("LISTEN_PID and LISTEN_FDS announce sockets that are not there; unset both to listen on --bind")?;
    let count = passed.len();
    let Some(descriptor) = passed.next() else { return Ok(None) };
    ensure!(
        count == 1,
        "{count} sockets were passed, and ws-server serves one; keep one ListenStream="
    );
    // SAFETY: by the protocol the descriptor is open and this process's own, and nothing has taken it: the only caller
    // calls once.
    let listener = unsafe { TcpListener::from_raw_fd(descriptor) };
    if !is_listening_tcp(&listener).unwrap_or(false) {
        bail!(
            "the passed descriptor {descriptor} is no TCP socket that listens; use ListenStream=ADDRESS:PORT and Accept=no"
        );
    }
    Ok(Some(listener))
}

fn is_listening_tcp(socket: &TcpListener) -> rustix::io::Result<bool> {
    let family = sockopt::socket_domain(socket)?;
    Ok((family == AddressFamily::INET || family == AddressFamily::INET6)
        && sockopt::socket_type(socket)? == SocketType::STREAM
        && sockopt::socket_acceptconn(socket)?)
}

/// Tells a service manager that the server listens, and where.
pub(crate) fn ready(status: &str) {
    tell(&[NotifyState::Ready, NotifyState::Status(status)]);
}

/// Tells a service manager that the drain begins.
pub(crate) fn stopping(status: &str) {
    tell(&[NotifyState::Stopping, NotifyState::Status(status)]);
}

/// Does nothing without a service manager that listens.
fn tell(state: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(state) {
        tracing::warn!(%error, "cannot tell the service manager {state:?}");
    }
}

/// The watchdog's time if a service manager has one for this process. With a [`TICKS_WITHIN`]th of it below `tick`, no
/// snapshot could be due in time.
pub(crate) fn watchdog(tick: Duration) -> anyhow::Result<Option<Duration>> {
    let watchdog = sd_notify::watchdog_enabled().filter(|within| !within.is_zero());
    if let Some(within) = watchdog {
        ensure!(
            within >= TICKS_WITHIN * tick,
            "a watchdog of {within:?} is fed by new snapshots, and one comes every {tick:?}; \
             set WatchdogSec= to {TICKS_WITHIN} ticks or more, or lower --tick-ms"
        );
    }
    Ok(watchdog)
}

/// Feeds the watchdog for as long as the server works: twice in its time, and only if the hub has published a snapshot
/// in between. A hub that hangs, or a runtime that no longer turns, leaves it unfed.
pub(crate) async fn feed_watchdog(within: Duration, context: &Context) {
    let half = within / 2;
    let mut beats = tokio::time::interval_at(tokio::time::Instant::now() + half, half);
    let mut last = 0;
    loop {
        beats.tick().await;
        if works(&mut last, context.snapshots_published(), context.is_draining()) {
            tell(&[NotifyState::Watchdog]);
        } else {
            tracing::warn!("no new snapshot: the watchdog is not fed");
        }
    }
}

/// Whether the number of snapshots has changed. A drain has no snapshots, and an end that TimeoutStopSec= enforces.
fn works(last: &mut u64, published: u64, draining: bool) -> bool {
    std::mem::replace(last, published) != published || draining
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_watchdog_is_fed_by_new_snapshots_and_in_a_drain_alone() {
        let mut last = 0;
        for (published, draining, fed) in [
            (1, false, true),
            (3, false, true),
            (3, false, false),
            (3, true, true),
            (1, false, true),
        ] {
            assert_eq!(works(&mut last, published, draining), fed, "{published}, {draining}");
        }
    }
}
