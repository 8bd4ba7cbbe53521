//! Servers written with other libraries count the same messages as we do. `scripts/check-peers.sh` installs them.
//!
//! A peer listens on a free port of 127.0.0.1, echoes on `/echo`, and on `/push` sends `{"seq":0,"at":…}` and so on every
//! 10 ms. It prints its port, and when it ends, how many messages it received and sent on each path.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};

use crate::busy::holds;
use crate::profile::Profile;
use crate::run::{Killed, Load};

/// Environment variable with the shell command that starts a peer.
const PEER: &str = "PLIMSOLL_PEER";

const LIMIT: &str = "errors = \"<= 0\"\nlatency_p99 = \"< {timeout}\"";

/// Loads on the echo.
const ECHOES: [Profile<'_>; 3] = [
    Profile {
        target: "",
        pace: "{ open = { rate = 100, arrival = \"poisson\" } }",
        timeout: "20s",
        traffic: "sizes = [{ bytes = 64, share = 9 }, { bytes = \"50 KiB\" }]",
        connections: 10,
        hold: "2s",
        thresholds: LIMIT,
    },
    Profile {
        target: "",
        pace: "{ closed = { depth = 16 } }",
        timeout: "20s",
        traffic: "kind = \"binary\"\nping = \"500ms\"",
        connections: 3,
        hold: "2s",
        thresholds: LIMIT,
    },
    Profile {
        target: "",
        pace: "{ open = { rate = 50 } }",
        timeout: "20s",
        traffic: "fragments = 4",
        connections: 3,
        hold: "1s",
        thresholds: LIMIT,
    },
];

const PUSH: Profile<'_> = Profile {
    target: "mode = { subscribe = { sequence = \"/seq\", time_ms = \"/at\" } }",
    pace: "\"idle\"",
    timeout: "20s",
    traffic: "",
    connections: 10,
    hold: "2s",
    thresholds: "errors = \"<= 0\"\nmissed_updates = \"== 0\"\ngap_p99 = \"< 30s\"",
};

#[derive(Debug, PartialEq, Eq, serde::Deserialize)]
struct Messages {
    received: u64,
    sent: u64,
}

#[test]
#[ignore = "needs a peer: scripts/check-peers.sh"]
fn a_peer_counts_what_we_count() {
    let command = std::env::var(PEER).expect("scripts/check-peers.sh sets it");
    let mut peer = Command::new("sh");
    peer.args(["-c", &format!("exec {command}")]).stdout(Stdio::piped());
    let mut peer = Killed(peer.spawn().expect("there is a shell"));
    let mut lines = BufReader::new(peer.0.stdout.take().expect("it is a pipe")).lines();
    let mut line = || lines.next().expect("a line more").expect("it is text");
    let port = line();
    let url = |path| format!("ws://127.0.0.1:{port}{path}");

    let mut ours = BTreeMap::new();
    for (path, profiles) in [("/echo", &ECHOES[..]), ("/push", &[PUSH])] {
        let sum = ours.entry(path.to_owned()).or_insert(Messages { received: 0, sent: 0 });
        for profile in profiles {
            let outcome = Load::new(profile, &url(path)).run();
            outcome.adds_up();
            assert!(outcome.faults().is_empty(), "{}", outcome.text);
            assert!(outcome.endings().keys().all(|ending| *ending == "clean"), "{}", outcome.text);
            // A run may be invalid on a slow machine, but its counts are still right.
            holds(outcome.code, &outcome.text);
            sum.received += outcome.count("sent");
            sum.sent += outcome.count("received");
        }
        assert!(sum.sent > 0, "no message came from {path}");
    }

    kill_process(Pid::from_child(&peer.0), Signal::TERM).expect("it runs");
    let theirs: BTreeMap<String, Messages> =
        serde_json::from_str(&line()).expect("counts by their paths");
    assert_eq!(theirs, ours, "the peer counted what we counted");
    eprintln!("agreed: {theirs:?}");
}
