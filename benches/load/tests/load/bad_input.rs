//! Bad input is refused before anything is sent, with what to write instead.

use std::fs;
use std::net::TcpListener;
use std::process::Command;

use crate::profile::Profile;
use crate::run::{Load, PROGRAM, not_run, ws_load};
use crate::server::Server;

#[track_caller]
fn check(words: &[&str], code: i32, said: &[&str]) {
    let (ended, text) = ws_load(words);
    assert_eq!(ended, Some(code), "{text}");
    for words in said {
        assert!(text.contains(words), "no {words:?} in: {text}");
    }
}

/// Checks that a profile is refused with these words, and that no connection is opened.
#[track_caller]
fn check_profile(profile: &str, said: &[&str]) {
    let server = Server::echo();
    let outcome = Load::new(profile, &server.url()).run();
    outcome.check(2, said);
    assert!(!outcome.has_report());
    assert_eq!(server.tally().accepted.get(), 0);
}

#[test]
fn an_unknown_key_is_named_with_its_line_and_the_nearest_key() {
    check_profile(
        "name = \"x\"\n\n[[stage]]\nconections = 1\nhold = \"1s\"\n",
        &["conections", "connections", "4"],
    );
    check_profile(
        "name = \"x\"\n[traffic]\ntime_out = \"1s\"\n[[stage]]\nconnections = 1\nhold = \"1s\"\n",
        &["time_out", "timeout", "3"],
    );
}

#[test]
fn a_limit_on_an_unknown_metric_names_the_nearest_metric() {
    let profile = Profile { thresholds: "latncy_p99 = \"< 5ms\"", ..Profile::default() };
    check_profile(&profile.to_string(), &["latncy_p99", "latency_p99"]);
    let server = Server::echo();
    let load = Load::new(Profile::default(), &server.url());
    load.args(["--threshold", "latency_p98.7 < 5 ms"]).run().check(2, &["latency_p98.7"]);
}

#[test]
fn a_limit_without_its_unit_or_with_another_is_refused() {
    for limit in ["< 5", "< 5 MiB", "5 ms", "<"] {
        let thresholds = &format!("latency_p99 = \"{limit}\"");
        check_profile(&Profile { thresholds, ..Profile::default() }.to_string(), &["latency_p99"]);
    }
}

#[test]
fn a_profile_without_a_load_or_with_values_out_of_range_is_refused() {
    check_profile("name = \"x\"\n", &["stage"]);
    check_profile(&Profile { hold: "10", ..Profile::default() }.to_string(), &["10s"]);
    check_profile(&Profile { connections: 0, ..Profile::default() }.to_string(), &["connections"]);
    check_profile(
        &Profile { pace: "{ open = { rate = -1 } }", ..Profile::default() }.to_string(),
        &["rate"],
    );
    check_profile(
        &Profile { pace: "{ open = { rate = inf } }", ..Profile::default() }.to_string(),
        &["rate"],
    );
    check_profile(
        &Profile { pace: "{ closed = { depth = 0 } }", ..Profile::default() }.to_string(),
        &["depth"],
    );
    check_profile(&Profile { traffic: "sizes = []", ..Profile::default() }.to_string(), &["sizes"]);
    check_profile(
        &Profile { traffic: "sizes = [{ bytes = 3 }]", ..Profile::default() }.to_string(),
        &["16"],
    );
    check_profile(
        &Profile {
            target: "mode = { request = { send = 'x', reply = 'y' } }",
            ..Profile::default()
        }
        .to_string(),
        &["{seq}"],
    );
}

#[test]
fn a_missing_profile_or_an_invalid_url_is_named() {
    check(&["run", "entreprise"], 2, &["entreprise", "enterprise"]);
    check(&["run", "/nowhere/mine.toml"], 2, &["/nowhere/mine.toml"]);
    check(&["run", "smoke", "http://localhost:1/"], 2, &["ws://"]);
    check(&["run", "smoke", "not a url"], 2, &["ws://"]);
    check(&["run", "smoke", "ws://localhost:99999/"], 2, &["1 to 65535"]);
    check(&["profiles", "smoek"], 2, &["smoke"]);
    check(&[], 2, &["run"]);
    check(&["run"], 2, &["PROFILE"]);
}

#[test]
fn a_number_out_of_range_is_refused() {
    for start in ["-5", "nan", "1e300", "1", "4e9", "1795336424096"] {
        check(&["run", "smoke", "--start-at", start], 2, &["--start-at", "date +%s"]);
    }
    for trial in ["-1", "0", "nan", "inf", "1e300", "1e12"] {
        check(&["search", "smoke", "--trial", trial], 2, &[]);
    }
    for range in [
        ["--from", "-1"],
        ["--from", "inf"],
        ["--to", "inf"],
        ["--within", "0"],
        ["--within", "500"],
    ] {
        check(&[&["search", "smoke"], &range[..]].concat(), 2, &["--from"]);
    }
    for name in ["", "a+b"] {
        check(&["run", "smoke", "--run-id", name], 2, &["--run-id", "without a +"]);
    }
    check(&["run", "smoke", "--scale", "-1"], 2, &["scaled by -1"]);
    check(&["run", "smoke", "--scale", "1e9"], 2, &["a year or less"]);
}

#[test]
fn each_of_several_reports_that_cannot_be_read_is_named() {
    for (words, folders) in [
        (&["merge", "/no/a", "/no/b", "/no/c"][..], &["a", "b", "c"][..]),
        (&["diff", "/no/a", "/no/b"], &["a", "b"]),
    ] {
        let (code, text) = ws_load(words);
        let lines: Vec<_> = text.lines().collect();
        assert_eq!((code, lines.len()), (Some(1), folders.len()), "{text}");
        for (line, folder) in lines.iter().zip(folders) {
            assert!(
                line.starts_with("ws-load: ") && line.contains(&format!("/no/{folder}")),
                "{text}"
            );
            assert!(line.contains("; name the folder"), "{text}");
        }
    }
}

#[test]
fn an_endless_file_is_refused_as_a_profile() {
    check(&["run", "/dev/zero"], 2, &["longer than 1 MiB"]);
}

#[test]
fn a_shard_that_is_out_of_range_is_refused() {
    for shard in ["3/2", "2/2", "x", "1/0", "-1/2", "1"] {
        let shard = format!("--shard={shard}");
        check(&["run", "smoke", &shard, "--run-id", "x"], 2, &["--shard"]);
    }
}

#[test]
fn a_shard_without_a_url_is_refused() {
    let start = std::time::SystemTime::UNIX_EPOCH.elapsed().expect("it is later").as_secs() + 60;
    let words = ["--shard=0/2", "--run-id", "x", "--start-at", &start.to_string()];
    check(&[&["run", "smoke"], &words[..]].concat(), 2, &["a server of its own", "URL"]);
}

#[test]
fn an_invalid_shard_in_the_environment_is_refused() {
    let output = Command::new(PROGRAM)
        .args(["run", "smoke"])
        .envs([("JOB_COMPLETION_INDEX", "one"), ("JOB_COMPLETIONS", "2")])
        .output()
        .expect("ws-load starts");
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(2), "{text}");
    assert!(text.contains("JOB_COMPLETION_INDEX") && text.contains("--shard"), "{text}");
}

#[test]
fn a_taken_port_for_the_live_page_is_reported_before_anything_is_sent() {
    let server = Server::echo();
    let taken = TcpListener::bind(("127.0.0.1", 0)).expect("there is a port");
    let addr = taken.local_addr().expect("it is bound").to_string();
    let outcome = Load::new(Profile::default(), &server.url()).args(["--live", &addr]).run();
    outcome.check(1, &[&addr]);
    assert_eq!(server.tally().accepted.get(), 0);
}

#[test]
fn a_folder_with_other_files_is_left_alone() {
    let server = Server::echo();
    let load = Load::new(Profile::default(), &server.url());
    let file = load.file("precious", "");
    let out = file.with_file_name("out");
    fs::create_dir(&out).expect("it is new");
    fs::write(out.join("thesis.tex"), "years of work").expect("it is ours");
    let outcome = load.run();
    assert!(matches!(outcome.code, Some(1 | 2)), "{}", outcome.text);
    assert!(outcome.says("--out"), "{}", outcome.text);
    assert_eq!(server.tally().accepted.get(), 0);
    let left = fs::read_dir(&out).expect("it is there").count();
    assert_eq!(
        (left, fs::read_to_string(out.join("thesis.tex")).ok().as_deref()),
        (1, Some("years of work"))
    );
}

#[test]
fn a_report_of_an_earlier_run_is_not_taken_for_that_of_a_run_that_failed() {
    let server = Server::echo();
    let earlier = Load::new(Profile::default(), &server.url()).run();
    let url = server.url();
    drop(server);
    let out = earlier.out();
    let out = out.to_str().expect("a temporary folder has a plain name");
    let later = Load::within(&[], Profile::default(), &url, out).args(["--overwrite"]).run();
    assert_eq!(later.code, Some(1), "{}", later.text);
    assert!(later.says(&format!("the report in {out} is of an earlier run")), "{}", later.text);
}

#[test]
fn a_folder_that_cannot_be_created_is_reported_before_anything_is_sent() {
    let server = Server::echo();
    let load = Load::new(Profile::default(), &server.url());
    load.file("out", "a file");
    let outcome = load.run();
    assert!(matches!(outcome.code, Some(1 | 2)), "{}", outcome.text);
    assert_eq!(server.tally().accepted.get(), 0);
}

#[test]
fn a_full_disk_is_an_error_that_still_prints_the_verdict() {
    // A small file system in a mount namespace of its own, which ends with the process.
    let script = r#"mount -t tmpfs -o size=16k,mode=777 tmpfs "$0" && exec "$@""#;
    let unshare = ["unshare", "--map-root-user", "--mount", "sh", "-c", script];
    let mounted = tempfile::tempdir().expect("there is room for a folder");
    let mounted = mounted.path().to_str().expect("a temporary folder has a plain name");
    let wrapper = [&unshare[..], &[mounted]].concat();
    let can = Command::new(wrapper[0]).args(&wrapper[1..]).arg("true").output();
    if !can.is_ok_and(|output| output.status.success()) {
        not_run("a file system cannot be mounted here, not even in a namespace of its own");
        return;
    }
    let server = Server::echo();
    let profile = Profile::default();
    let outcome = Load::within(&wrapper, profile, &server.url(), mounted).run();
    assert!(server.tally().received.get() > 0, "{}", outcome.text);
    outcome.check(1, &["No space left on device", mounted, "PASS: test", "latency_p99"]);
}

#[test]
fn a_folder_on_a_full_device_is_reported() {
    let server = Server::echo();
    let outcome = Load::within(&[], Profile::default(), &server.url(), "/dev/full").run();
    assert!(matches!(outcome.code, Some(1 | 2)), "{}", outcome.text);
    assert!(outcome.says("/dev/full"), "{}", outcome.text);
}
