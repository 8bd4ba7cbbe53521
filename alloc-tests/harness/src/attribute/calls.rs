//! Call sites of system calls.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use baselines::compare::Change;
use serde::{Deserialize, Serialize};

use crate::setup::Crate;
use crate::sites::{self, MOST_SHOWN};
use crate::system_calls::Stack;

/// The frame that a call's own stack begins behind.
const HANDLER: &str = "system_calls::trap::handle";

/// System calls that open a descriptor.
const OPENING: [&str; 14] = [
    "accept",
    "accept4",
    "dup",
    "dup3",
    "epoll_create1",
    "eventfd2",
    "memfd_create",
    "open",
    "openat",
    "pipe2",
    "signalfd4",
    "socket",
    "socketpair",
    "timerfd_create",
];

/// A call site of a system call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct CallSite {
    call: String,
    key: String,
    place: String,
    /// At N and 2N.
    counts: [u64; 2],
}

/// The sites of stacks at N and 2N.
pub(super) fn sites(crates: &[Crate], stacks: [Vec<Stack>; 2]) -> Vec<CallSite> {
    let mut sites = BTreeMap::<(String, String, String), [u64; 2]>::new();
    for (size, stacks) in stacks.into_iter().enumerate() {
        for Stack { call, frames, count } in stacks {
            let (key, place) = sites::of_stack(&lines(&frames), crates);
            sites.entry((call, key, place)).or_default()[size] += count;
        }
    }
    let site = |((call, key, place), counts)| CallSite { call, key, place, counts };
    sites.into_iter().map(site).collect()
}

impl CallSite {
    /// `getppid 100, 200 at N, 2N of server/src/listener.rs:120: server::listener::serve`.
    fn sentence(self) -> String {
        let Self { call, key, place, counts: [n, double] } = self;
        let place = if place.is_empty() { "an unknown place".to_owned() } else { place };
        format!("{call} {n}, {double} at N, 2N of {place}: {key}")
    }
}

/// A sentence for each site that may be the cause of a change of all counts, the nearest to it first: no site is recorded. A
/// site that explains less than half of it is shown only if none explains more.
pub(crate) fn nearest(mut sites: Vec<CallSite>, change: &Change) -> Vec<String> {
    // An accept is no counted call.
    sites.retain(|site| site.call != "accept4");
    let more = [0, 1].map(|size| change.measured[size].abs_diff(change.recorded[size]));
    let distance = |site: &CallSite| -> u64 {
        [0, 1].iter().map(|size| site.counts[*size].abs_diff(more[*size])).sum()
    };
    sites.sort_by_key(distance);
    let near = sites.iter().take_while(|site| 2 * distance(site) <= more[0] + more[1]).count();
    let shown = if near == 0 { MOST_SHOWN } else { near.min(MOST_SHOWN) };
    sites.into_iter().take(shown).map(CallSite::sentence).collect()
}

/// A sentence for each site that writes to a descriptor, the most frequent first.
pub(crate) fn writes(mut sites: Vec<CallSite>) -> Vec<String> {
    sites.retain(|site| matches!(site.call.as_str(), "write" | "writev"));
    sites.sort_by_key(|site| Reverse(site.counts));
    sites.into_iter().take(MOST_SHOWN).map(CallSite::sentence).collect()
}

/// A sentence for each site that may have opened a descriptor that was left, the nearest to `left` of them first.
pub(crate) fn openers(mut sites: Vec<CallSite>, left: u64) -> Vec<String> {
    sites.retain(|site| OPENING.contains(&site.call.as_str()));
    sites.sort_by_key(|site| site.counts.map(|count| count.abs_diff(left)).into_iter().min());
    sites
        .into_iter()
        .take(MOST_SHOWN)
        .map(|site| format!("opened by {}", site.sentence()))
        .collect()
}

/// The frames as dhat writes them: `0x0: server::echo::run (server/src/echo.rs:41:9)`, inlined functions too.
fn lines(frames: &[usize]) -> Vec<String> {
    let mut lines = Vec::new();
    for frame in frames {
        // A return address belongs to the instruction before it, which this resolves.
        backtrace::resolve(*frame as *mut std::ffi::c_void, |symbol| {
            let Some(name) = symbol.name() else { return };
            let parts: Vec<_> =
                symbol.filename().into_iter().flat_map(|path| path.iter()).collect();
            let tail =
                parts[parts.len().saturating_sub(3)..].iter().map(|part| part.to_string_lossy());
            let (file, line) =
                (tail.collect::<Vec<_>>().join("/"), symbol.lineno().unwrap_or_default());
            lines.push(format!("0x0: {name:#} ({file}:{line}:0)"));
        });
    }
    let own = lines.iter().rposition(|line| line.contains(HANDLER));
    lines.split_off(own.map_or(0, |at| at + 1))
}

#[cfg(test)]
mod tests {
    use baselines::alloc::Metric;

    use super::*;

    fn site(call: &str, counts: [u64; 2]) -> CallSite {
        let [key, place] = ["server::run", "server/src/lib.rs:1"].map(str::to_owned);
        CallSite { call: call.to_owned(), key, place, counts }
    }

    #[test]
    fn the_site_whose_counts_are_those_of_the_change_is_named_alone() {
        let sites = vec![site("epoll_ctl", [1, 1]), site("getppid", [100, 200])];
        let change = Change { metric: Metric::Calls, recorded: [300, 600], measured: [400, 800] };
        let named = "getppid 100, 200 at N, 2N of server/src/lib.rs:1: server::run";
        assert_eq!(nearest(sites.clone(), &change), [named]);
        let large = Change { measured: [9300, 9600], ..change };
        assert_eq!(nearest(sites, &large).len(), 2);
    }

    #[test]
    fn sites_that_write_are_named_the_most_frequent_first() {
        let sites = [site("write", [1, 1]), site("getppid", [9, 9]), site("writev", [2, 4])];
        let [most, other] = writes(sites.to_vec()).try_into().expect("two of them write");
        assert!(most.starts_with("writev 2, 4") && other.starts_with("write 1, 1"));
    }

    #[test]
    fn sites_that_open_descriptors_are_named_the_likeliest_first() {
        let sites = [site("openat", [1, 1]), site("accept4", [100, 200]), site("read", [2, 2])];
        let [one, other] = openers(sites.to_vec(), 200).try_into().expect("two of them open");
        assert!(one.starts_with("opened by accept4 100, 200") && other.contains("openat"));
    }

    #[test]
    fn frames_are_resolved_to_functions_and_lines() {
        let here = sites_that_write_are_named_the_most_frequent_first as fn() as usize;
        let lines = lines(&[here + 1]);
        let (function, place) = ("sites_that_write", "attribute/calls.rs:");
        let named = lines.iter().any(|line| line.contains(function) && line.contains(place));
        assert!(named, "{lines:?}");
    }
}
