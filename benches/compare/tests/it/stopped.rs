//! What `ws-compare compare` says while it works, and when a signal ends it.

use crate::compare::{check, command, compare};

const ONLY: [&str; 2] = ["--only", "echo_latency/text/64B"];

/// A correct server, whose seventh start sends this signal to the comparison: two rounds are then complete.
fn stops_it_with(signal: &str, count: &std::path::Path) -> String {
    let count = count.display();
    format!(
        "echo >> '{count}'; [ $(wc -l < '{count}') -lt 7 ] || kill -{signal} $PPID; {}",
        command("correct")
    )
}

#[track_caller]
fn stopped(signal: &str, code: i32, more: &[&str], words: &[&str]) {
    let folder = tempfile::tempdir().expect("there is room");
    let base = stops_it_with(signal, &folder.path().join("count"));
    let head = command("correct");
    let page = folder.path().join("page.html");
    let page = page.to_str().expect("its name is text");
    let servers = ["--base-cmd", &base, "--head-cmd", &head, "--html", page];
    let output = compare(&[&servers[..], &ONLY, more].concat());
    check(&output, code, words);
    assert!(!std::path::Path::new(page).exists());
    let is_table = more.is_empty();
    assert_eq!(output.stdout.is_empty(), !is_table, "a program is not given half a report");
}

#[test]
fn a_comparison_that_a_signal_ends_shows_its_rounds_and_says_that_they_are_no_verdict() {
    let words =
        ["? STOPPED: ", "in step 1 of 1, timing: this is no verdict", "timing, not finished"];
    stopped("TERM", 143, &[], &[&words[..], &["text/64B", "rounds\n"]].concat());
    stopped("INT", 130, &["--format", "json"], &words);
}

#[test]
fn a_step_has_a_number_and_about_a_time_before_it_begins() {
    let output = compare(&["--base-cmd", "exit 1 {port}", "--head-cmd", "exit 1 {port}"]);
    check(&output, 1, &["1 of 1, timing, about 60 s…\n"]);
    let one = [&["--base-cmd", "exit 1 {port}", "--head-cmd", "exit 1 {port}"][..], &ONLY].concat();
    check(&compare(&one), 1, &["1 of 1, timing, some seconds…\n"]);
}
