//! Searches that end without an answer.

use std::process::Command;

use crate::profile::Profile;
use crate::run::PROGRAM;
use crate::server::Server;

/// The exit code of a search from ten messages a second on, and its words without their breaks into lines.
fn search(thresholds: &str) -> (Option<i32>, String) {
    let server = Server::echo();
    let folder = tempfile::tempdir().expect("there is room for a folder");
    let file = folder.path().join("test.toml");
    let profile = Profile { thresholds, ..Profile::default() };
    std::fs::write(&file, profile.to_string()).expect("the folder is ours");
    let mut command = Command::new(PROGRAM);
    command.arg("search").arg(file).arg(server.url()).args(["--from", "10", "--trial", "0.5"]);
    let output = command.output().expect("ws-load starts");
    let text = String::from_utf8(output.stdout).expect("it is text");
    let words: Vec<_> = text.split_whitespace().collect();
    (output.status.code(), words.join(" "))
}

#[test]
fn a_search_whose_first_value_cannot_be_judged_does_not_say_that_it_does_not_hold() {
    let (code, words) = search("latency_p99 = '< 20s'");
    assert_eq!(code, Some(6), "{words}");
    assert!(words.contains("? INVALID: 10 messages/s could not be judged: "), "{words}");
    assert!(words.contains("hold it longer") && !words.contains("not hold"), "{words}");
}

#[test]
fn a_search_whose_first_value_does_not_hold_proposes_a_lower_one() {
    // The generator may be late by a tenth of the limit on the mean.
    let (code, words) = search("messages_received = '>= 1000000'\nlatency_mean = '< {timeout}'");
    assert_eq!(code, Some(3), "{words}");
    assert!(words.contains("✗ FAIL: 10 messages/s do not hold; try --from 1"), "{words}");
}
