//! Servers that do not echo, compared by a conversation.

use std::process::Output;

use crate::compare::{check, command, compare};

const FILE: &str =
    "path = '/rpc'\n[[exchange]]\nsend = 'ask {seq}'\nexpect = { contains = 'ask {seq}' }";

/// Whatever was asked.
const CONSTANT: &str = "[[exchange]]\nsend = 'ask {seq}'\nexpect = { prefix = 'yes' }";

/// A server that answers each message with these texts.
fn answers(texts: &str) -> String {
    format!("ANSWERS='{texts}' {}", command("correct"))
}

fn talk(conversation: &str, base: &str, head: &str, more: &[&str]) -> Output {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("rpc.toml");
    std::fs::write(&file, conversation).expect("room for a file");
    let file = file.to_str().expect("its name is text");
    let (base, head) = (answers(base), answers(head));
    let servers = ["--base-cmd", &base, "--head-cmd", &head, "--conversation", file];
    compare(&[&servers, more].concat())
}

#[test]
fn servers_that_do_not_echo_are_timed_by_a_conversation() {
    let output = talk(FILE, "re: *", "re: *", &["--format", "json"]);
    let report: serde_json::Value =
        serde_json::from_slice(&output.stdout).expect("the report is JSON");
    let text = report.to_string();
    for id in ["conversation_latency/rpc/c1", "conversation_cpu/rpc/c1", "connect_rate/rpc/open"] {
        assert!(text.contains(id), "{text}");
    }
    assert!(!text.contains("echo_latency"), "{text}");
    // The verdict on a debug build does not matter here, only that there is one.
    assert_ne!(output.status.code(), Some(1), "{text}");
}

#[test]
fn a_server_that_answers_wrongly_is_named_with_what_came_and_what_was_wanted() {
    let only = ["--only", "conversation_latency"];
    let words = ["head gave a wrong answer", "message 1: exchange 1", "\"ask 1000000000\""];
    check(&talk(FILE, "re: *", "no", &only), 1, &words);
    check(&talk(FILE, "no", "re: *", &only), 1, &["base", "gave a wrong answer", "\"no\""]);
}

#[test]
fn a_server_that_answers_twice_is_an_error_although_each_answer_fits() {
    let words = ["head gave a wrong answer", "a message more than was expected came: \"yes\""];
    check(&talk(CONSTANT, "yes", "yes,yes", &["--only", "conversation_latency"]), 1, &words);
}

#[test]
fn a_conversation_that_cannot_be_held_is_refused_before_a_server_starts() {
    let wrong = "[[exchange]]\nsend = 'x'\nexpect = { prefix = '' }";
    check(&talk(wrong, "x", "x", &[]), 2, &["rpc.toml: exchange 1: expect.prefix", "frames = 1"]);
    let servers = ["--base-cmd", "serve {port}", "--head-cmd", "serve {port}"];
    let nowhere = [&servers[..], &["--conversation", "/nowhere.toml"]].concat();
    check(&compare(&nowhere), 2, &["cannot read the conversation /nowhere.toml"]);
}
