//! A load in flags, without a profile.

use std::process::Command;

use futures::StreamExt as _;
use load_plan::profile::Profile;

use crate::busy::holds;
use crate::run::{PROGRAM, ws_load};
use crate::server::Server;

#[test]
fn a_load_in_flags_runs_and_is_repeated_by_the_profile_that_it_saves() {
    let server = Server::echo();
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("mine.toml").display().to_string();
    let url = server.url();
    let short = "-c 2 -r 200 -d 600ms --ramp 0s --warm-up 0s -s 1KiB --threshold";
    // A slow machine is no failure of this test; see the limit of `Profile`.
    let last = ["latency_mean < 20s", "--save", &file];
    let words: Vec<&str> = [url.as_str()].into_iter().chain(short.split(' ')).chain(last).collect();
    let (code, said) = ws_load(&words);
    holds(code, &said);
    for words in [
        "2 connections, 200 messages/s in all, 100 on each, 1KiB, 600ms",
        ": quick against",
        &format!("ws-load run {file} repeats this load"),
    ] {
        assert!(said.contains(words), "no {words:?} in: {said}");
    }
    let received = server.tally().received.get();
    assert!(received >= 100, "{received}");
    let profile = Profile::load(&file).expect("it was written");
    assert_eq!(profile.target.url.as_ref(), Some(&url));
    let (code, said) = ws_load(&["run", &file]);
    holds(code, &said);
    assert!(server.tally().received.get() >= received + 100);
    let (code, said) = ws_load(&[&words, &["--seed", "9"][..]].concat());
    assert!(code == Some(2) && said.contains("another file is there"), "{said}");
}

/// Checks that the words are refused with 2, in this line.
#[track_caller]
fn refuses(words: &[&str], line: &str) {
    let (code, said) = ws_load(words);
    assert_eq!((code, said.as_str()), (Some(2), format!("ws-load: {line}\n").as_str()));
}

#[test]
fn a_wrong_load_in_flags_is_refused_in_one_line_with_the_value_and_the_cure() {
    let with = |flags: [&'static str; 2]| [&["ws://127.0.0.1:1"], &flags[..]].concat();
    let units = "write a whole number of B, KiB (1024 B), MiB or GiB, such as \"16KiB\"";
    refuses(&with(["-s", "64X"]), &format!("--size: \"64X\" is not a size; {units}"));
    refuses(&with(["-d", "10"]), "--duration: 10 has no unit; write \"10s\" or \"10ms\"");
    refuses(&with(["-d", "0s"]), "--duration: \"0s\" measures nothing; write a time such as 10s");
    let number = "\"0\" is not a number of 1 or more; write one such as 4";
    refuses(&with(["-c", "0"]), &format!("--connections: {number}"));
    refuses(&with(["-p", "0"]), &format!("--in-flight: {number}"));
    refuses(
        &with(["-c", "4294967296"]),
        "--connections: \"4294967296\" is too large; write one such as 4",
    );
    refuses(&with(["-d", "0"]), "--duration: \"0\" measures nothing; write a time such as 10s");
    refuses(
        &with(["--live", "9002"]),
        "--live \"9002\": invalid socket address syntax; write an address and a port, such as 127.0.0.1:9001",
    );
    refuses(
        &with(["--source-ip", "x"]),
        "--source-ip \"x\": invalid IP address syntax; write an address such as 127.0.0.2",
    );
    refuses(&["run", "smoke", "--workers", "0"], &format!("--workers: {number}"));
    refuses(
        &with(["-r", "0"]),
        "--rate: \"0\" is not a rate above 0; write messages per second in all, such as 20",
    );
}

#[test]
fn words_that_are_no_url_are_refused_with_what_was_probably_meant() {
    refuses(
        &["http://localhost:1/a"],
        "\"http://localhost:1/a\" is not the URL of a WebSocket: write ws://localhost:1/a",
    );
    refuses(
        &["localhost:1", "-c", "5"],
        "\"localhost:1\" is not the URL of a WebSocket: write ws://localhost:1",
    );
    refuses(
        &["-c", "5"],
        "there is no URL; write ws-load ws://host:port/path, with your server's address",
    );
    refuses(&["smoke", "ws://a"], "\"smoke\" is a profile; write ws-load run smoke ws://a");
    refuses(&["serch", "smoke"], "unknown command \"serch\"; did you mean \"search\"?");
    refuses(
        &["run", "ws://a"],
        "ws://a is a URL, and a profile comes before it: write smoke ws://a; ws-load ws://a needs none",
    );
    refuses(&["ws://a", "-z", "10s"], "unknown flag -z; the duration is -d 10s");
    refuses(&["ws://a", "--vus=5"], "unknown flag --vus; the number of connections is -c 50");
    refuses(
        &["run", "smoke", "--rate", "5"],
        "unknown flag --rate; a profile says it, so write it there (ws-load profiles smoke > mine.toml), or load without \
         one: ws-load URL",
    );
    for flag in ["-c", "--warm-up", "--save", "--binary"] {
        let cure = "a profile says it, so write it there (ws-load profiles smoke > mine.toml), or load without one: ws-load URL";
        refuses(&["search", "smoke", flag], &format!("unknown flag {flag}; {cure}"));
    }
    refuses(
        &["search", "smoke", "--out", "a"],
        "unexpected argument '--out' found; ws-load search --help says what to write",
    );
    refuses(
        &["merge", "a", "-c", "5"],
        "unexpected argument '-c' found; ws-load merge --help says what to write",
    );
    refuses(
        &["ws://a", "-r", "5", "-p", "5"],
        "the argument '--rate <N>' cannot be used with '--in-flight <N>'; give one of them",
    );
    refuses(
        &["diff", "a"],
        "the following required arguments were not provided: <B>; write ws-load diff <A> <B>",
    );
    refuses(&["ws://a", "ws://b"], "one URL at a time, and not \"ws://b\" as well");
}

#[test]
fn a_payload_from_a_file_must_come_back_or_contain_what_the_reply_says() {
    let server = Server::echo();
    let folder = tempfile::tempdir().expect("a folder");
    let url = server.url();
    let fast = "-c 2 -r 200 -d 600ms --ramp 0s --warm-up 0s --threshold".split(' ');
    let fast: Vec<&str> = fast.chain(["latency_mean < 20s", "--percentiles", "75,99.5"]).collect();
    let run = |payload: &[u8], flags: &[&str]| {
        let file = folder.path().join("payload");
        std::fs::write(&file, payload).expect("the folder is ours");
        let file = file.display().to_string();
        ws_load(&[&[&url, "--payload", &file], &fast[..], flags].concat())
    };
    for (payload, flags) in [
        (&b"{\"id\":{seq}}\n"[..], &[][..]),
        (b"always the same", &["--binary"]),
        (b"ask {seq}", &["--reply", "k {seq}"]),
        (&[b'x'; 70_000], &[]),
    ] {
        let (code, said) = run(payload, flags);
        holds(code, &said);
        assert!(said.contains("p99.5") && said.contains("payload"), "{said}");
    }
    let (code, said) = run(b"ask {seq}", &["--reply", "no {seq}", "--format", "json"]);
    assert!(code == Some(3) && said.contains("\"corrupted\""), "{said}");
    let accepted = server.tally().accepted.get();
    for (payload, words) in [
        (&[b'a', 0xff][..], "is not UTF-8 from byte 1 on; write it as text"),
        (&[], "has no bytes; a message has from 1B to 64MiB"),
    ] {
        let (code, said) = run(payload, &[]);
        assert!(code == Some(2) && said.contains(words), "{said}");
    }
    refuses(
        &[&url, "--payload", "/nowhere"],
        "cannot read the payload /nowhere; check the path: No such file or directory (os error 2)",
    );
    refuses(
        &[&url, "--percentiles", "50,x"],
        "--percentiles: \"x\" is not a percentile; write numbers such as 50,90,99,99.9",
    );
    assert_eq!(server.tally().accepted.get(), accepted);
}

#[test]
fn the_next_command_repeats_the_load_with_all_of_its_flags_and_without_its_secrets() {
    let server = Server::echo();
    let url = server.url();
    let many = "messages_received >= 1000000";
    let flags =
        "-c 2 -r 100 -d 600ms --ramp 0s --warm-up 0s --percentiles 50,75 --insecure --format table"
            .split(' ');
    let quoted =
        ["--threshold", many, "--threshold", "latency_mean < 20s", "--header", "X-A: b 'c'"];
    let words: Vec<&str> = [url.as_str()].into_iter().chain(flags).chain(quoted).collect();
    let (code, said) = ws_load(&words);
    assert_eq!(code, Some(3), "{said}");
    let next = |said: &str| {
        let line = said.lines().find_map(|line| line.strip_prefix("next: ws-load "));
        line.unwrap_or_else(|| panic!("no next command: {said}")).to_owned()
    };
    let again = next(&said);
    let wanted =
        format!("{url} --connections 2 --rate 100 --duration 600ms --ramp 0s --warm-up 0s ");
    assert!(again.starts_with(&wanted) && !again.contains("--format"), "{again}");
    for flag in
        ["--percentiles 75", "--insecure", &format!("--threshold '{many}'"), "--header 'X-A: b "]
    {
        assert!(again.contains(flag), "no {flag} in: {again}");
    }
    let output = Command::new("sh").args(["-c", &format!("{PROGRAM} {again}")]).output();
    let output = output.expect("there is a shell");
    let said = String::from_utf8_lossy(&output.stdout);
    assert_eq!((output.status.code(), next(&said)), (Some(3), again));
    let (_, said) = ws_load(&[&words[..], &["--header", "Cookie: hunter2"]].concat());
    assert!(next(&said).contains("'Cookie: (secret)'") && !said.contains("hunter2"), "{said}");
}

#[test]
fn a_server_that_upgrades_and_never_answers_fails() {
    let server = Server::upgrading(|mut socket, tally| async move {
        while socket.next().await.transpose()?.is_some() {
            tally.received.add(1);
        }
        Ok(())
    });
    let url = server.url();
    let flags = "-c 2 -r 20 -d 1s --ramp 0s --warm-up 0s".split(' ');
    let words: Vec<&str> = [url.as_str()].into_iter().chain(flags).collect();
    let (code, said) = ws_load(&words);
    assert_eq!(code, Some(3), "{said}");
    assert!(said.contains("FAIL: quick") && said.contains("lost"), "{said}");
    assert!(said.contains("--payload FILE --reply TEXT"), "{said}");
    assert!(server.tally().received.get() >= 20, "{said}");
}
