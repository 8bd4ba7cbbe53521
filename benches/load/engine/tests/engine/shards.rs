//! Shards that run side by side are parts of one load.

use std::time::Duration;

use load_engine::testing::{Answer, Peer, UNIX_START, in_virtual_time};
use load_plan::model::{Run, Shard};

use crate::support::{Profile, check_sums, counts, faults, is_chosen};

#[test]
fn two_shards_start_together_and_share_the_connections() {
    let peer =
        Peer::answering(
            |n, message, _| {
                if is_chosen(n) { Answer::Wrong(vec![]) } else { Answer::Right(message) }
            },
        );
    let profile = Profile { connections: 5, ..Profile::default() };
    let run = async |index| {
        let shard = profile.load().shard(index, 2).starts_in(Duration::from_secs(3));
        shard.run_beside(&peer, &mut |_| {}).await.expect("the peer is there")
    };
    let halves = in_virtual_time(async { <[Run; 2]>::from(tokio::join!(run(0), run(1))) });
    let [one, other] = &halves;
    assert_eq!(one.started_unix_ns, other.started_unix_ns);
    for (index, (half, connections)) in (0..).zip(halves.iter().zip([3, 2])) {
        check_sums(half);
        assert_eq!((half.shard, half.shards.clone()), (Shard { index, of: 2 }, vec![index]));
        assert_eq!(counts(half).attempted, connections);
        assert_eq!(faults(half), [("lost", 5 * connections)]);
    }
    let sum = |count: fn(&Run) -> u64| count(one) + count(other);
    // The connection of each shard that checks the address.
    assert_eq!(sum(|run| counts(run).attempted) + 2, peer.counts().accepted.get());
    assert_eq!(sum(|run| counts(run).sent), peer.counts().received.get());
    assert_eq!(sum(|run| counts(run).received), peer.counts().sent.get());
    assert_eq!(peer.counts().faults.get(), 25);
}

/// A peer that takes two seconds for every upgrade.
fn slow() -> Peer {
    Peer::echo().waiting(|_| Duration::from_secs(2))
}

#[test]
fn a_shard_that_is_late_loads_nothing_and_fails() {
    let peer = slow();
    let load = Profile::default().load().shard(1, 2).starts_in(Duration::from_secs(1));
    let error = load.run(&peer).expect_err("the probe took two seconds").to_string();
    assert!(error.contains("start passed") && error.contains("--start-at"), "{error}");
    // The connection that checks the address.
    assert_eq!(peer.counts().accepted.get(), 1);
}

#[test]
fn a_run_records_when_it_really_started() {
    let hold = "60s";
    let load = Profile { hold, ..Profile::default() }.load().starts_in(Duration::from_secs(1));
    let run = load.run(&slow()).expect("it is late by less than a tenth of the hold");
    let since = Duration::from_nanos(run.started_unix_ns as u64) - UNIX_START;
    assert!(since > Duration::from_secs(2), "{since:?}");
}
