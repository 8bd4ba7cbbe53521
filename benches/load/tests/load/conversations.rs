//! Runs that say what a file says.

use crate::profile::Profile;
use crate::run::Load;
use crate::server::Server;

const RPC: &str = "headers = { authorization = 'Bearer x' }\nopen = [{ send = 'join {seq}', expect = { prefix = 'join' } }]\n\
     [[exchange]]\nsend = 'ask {seq}'\nexpect = { contains = '{seq}' }\n[[exchange]]\nsend = 'and'\n";

#[test]
fn a_conversation_on_the_command_line_is_held_and_its_report_repeats_the_run() {
    let server = Server::echo();
    let load = Load::new(Profile::default(), &server.url());
    let file = load.file("rpc.toml", RPC);
    let first = load.args(["--conversation".as_ref(), file.as_os_str()]).run();
    first.check(0, &["PASS: test"]);
    let mode = &first.report()["profile"]["target"]["mode"];
    assert_eq!(mode.pointer("/conversation/exchange/1/send"), Some(&"and".into()), "{mode}");
    assert!(!first.report().to_string().contains("Bearer x"));
    // Each connection has joined as well.
    assert_eq!(first.count("sent") + 3, server.tally().received.get());
    assert_eq!(first.count("received"), first.count("sent"));
}

#[test]
fn a_conversation_that_is_answered_wrongly_fails_the_run() {
    let server = Server::echo();
    let load = Load::new(Profile { timeout: "500ms", ..Profile::default() }, &server.url());
    let wrong = "[[exchange]]\nsend = 'ask {seq}'\nexpect = { prefix = 'reply' }";
    let file = load.file("wrong.toml", wrong);
    let outcome = load.args(["--conversation".as_ref(), file.as_os_str()]).run();
    outcome.check(3, &["corrupted"]);
    assert_eq!(outcome.fault("corrupted"), outcome.count("sent"));
}

#[test]
fn a_conversation_that_cannot_be_held_is_refused_before_anything_is_sent() {
    let server = Server::echo();
    for (said, words) in [
        ("connections = 8\n[[exchange]]\nsend = 'x'", "ws-compare"),
        ("[[exchange]]", "exchange 1 has neither send nor expect"),
    ] {
        let load = Load::new(Profile::default(), &server.url());
        let file = load.file("said.toml", said);
        load.args(["--conversation".as_ref(), file.as_os_str()]).run().check(2, &[words]);
    }
    let load = Load::new(Profile::default(), &server.url());
    load.args(["--conversation", "/nowhere.toml"]).run().check(2, &["/nowhere.toml"]);
    let target = "mode = { conversation = \"beside.toml\" }";
    let load = Load::new(Profile { target, ..Profile::default() }, &server.url());
    load.run().check(2, &["test.toml", "cannot read the conversation", "beside.toml"]);
    assert_eq!(server.tally().accepted.get(), 0);
}
