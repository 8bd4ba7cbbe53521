//! JSON lines and OpenMetrics while a run goes on.

use std::fs;
use std::net::TcpListener;
use std::path::Path;
use std::process::Command;

use rustix::process::{Signal, kill_process};
use serde_json::Value;

use crate::busy::holds;
use crate::interrupted::is_ignored;
use crate::profile::Profile;
use crate::run::{Load, PROGRAM, Running, not_run, ws_load};
use crate::server::Server;

fn values(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).expect("a whole object")).collect()
}

#[test]
fn a_line_can_be_read_at_once_and_the_last_one_of_an_interrupted_run_has_its_verdict() {
    if is_ignored(Signal::INT) {
        not_run("this process ignores the signal, and so would ws-load");
        return;
    }
    let server = Server::echo();
    let load = Load::new(Profile { hold: "1 h", ..Profile::default() }, &server.url());
    let file = load.file("lines", "");
    let mut run = load.args(["--json-lines".as_ref(), file.as_os_str()]).start();
    let read = || fs::read_to_string(&file).expect("it is there");
    run.wait_until(|_: &Running| (read().matches('\n').count() > 2).then_some(()));
    kill_process(run.pid(), Signal::INT).expect("it runs");
    let outcome = run.finish();
    outcome.check(130, &["INTERRUPTED"]);
    let lines = values(&read());
    let (first, lines) = lines.split_first().expect("there are lines");
    assert_eq!((&first["kind"], &first["profile"]), (&"start".into(), &"test".into()));
    let (last, seconds) = lines.split_last().expect("there are lines");
    assert_eq!((&last["kind"], &last["verdict"]), (&"verdict".into(), &"interrupted".into()));
    assert_eq!(last["received"], outcome.count("received"));
    for (nth, line) in seconds.iter().enumerate() {
        assert_eq!((&line["kind"], &line["second"]), (&"second".into(), &nth.into()));
        assert_eq!(line["run_id"], outcome.report()["run"]["run_id"]);
    }
}

#[test]
fn lines_on_stdout_leave_the_table_to_stderr() {
    let server = Server::echo();
    let flags = "-c 2 -r 100 -d 1500ms --ramp 0s --warm-up 0s --json-lines - --threshold";
    let output = Command::new(PROGRAM)
        .arg(server.url())
        .args(flags.split(' ').chain(["latency_mean < 20s"]))
        .output()
        .expect("ws-load starts");
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(text.contains(": quick against"), "{text}");
    let lines = values(&String::from_utf8_lossy(&output.stdout));
    assert!(lines.len() >= 3, "{lines:?}");
    let verdict = lines.last().and_then(|line| line["verdict"].as_str());
    holds(output.status.code(), &text);
    assert_eq!(verdict, Some(if output.status.success() { "pass" } else { "invalid" }), "{text}");
}

#[test]
fn lines_that_cannot_be_written_are_refused_before_the_run_or_reported_after_it() {
    let server = Server::echo();
    let url = server.url();
    let flags = "-c 1 -r 100 -d 600ms --ramp 0s --warm-up 0s --json-lines".split(' ');
    let words: Vec<&str> = [url.as_str()].into_iter().chain(flags).collect();
    let run = |more: &[&str]| ws_load(&[&words, more].concat());
    let (code, said) = run(&["/nowhere/lines"]);
    assert!(code == Some(2) && said.contains("--json-lines /nowhere/lines"), "{said}");
    let (code, said) = run(&["-", "--format", "json"]);
    assert!(code == Some(2) && said.contains("write the lines to a file"), "{said}");
    assert_eq!(server.tally().accepted.get(), 0);
    let (code, said) = run(&["/dev/full"]);
    assert!(code == Some(1) && said.contains("lines are missing there"), "{said}");
    assert!(said.contains(": quick against"), "{said}");
}

#[test]
fn a_file_of_open_metrics_is_replaced_and_no_other_file_is() {
    let server = Server::echo();
    let load = Load::new(Profile::default(), &server.url());
    let file = load.file("load.prom", "");
    let outcome = load.args(["--open-metrics".as_ref(), file.as_os_str()]).run();
    outcome.check(0, &[]);
    let text = fs::read_to_string(&file).expect("it was written");
    let sent = format!("ws_load_messages_sent_total {}\n", outcome.count("sent"));
    assert!(text.contains(&sent) && text.contains("ws_load_state{state=\"pass\"} 1"), "{text}");
    let accepted = server.tally().accepted.get();
    let load = Load::new(Profile::default(), &server.url());
    let file = load.file("thesis.tex", "years of work");
    let outcome = load.args(["--open-metrics".as_ref(), file.as_os_str()]).run();
    outcome.check(2, &["thesis.tex: something else is there; name a new file"]);
    assert_eq!(fs::read_to_string(&file).expect("it is there"), "years of work");
    let load = Load::new(Profile::default(), &server.url());
    load.args(["--open-metrics", "/nowhere/load.prom"]).run().check(2, &["/nowhere/load.prom"]);
    assert_eq!(server.tally().accepted.get(), accepted);
}

/// The states that are 1, and the last line.
fn states(metrics: &Path, lines: &Path) -> (Vec<String>, Value) {
    let read = |file| fs::read_to_string(file).expect("it is there");
    let is_on = |line: &&str| line.starts_with("ws_load_state{") && line.ends_with("} 1");
    let states = read(metrics).lines().filter(is_on).map(str::to_owned).collect();
    (states, values(&read(lines)).pop().expect("there are lines"))
}

fn state(name: &str) -> Vec<String> {
    vec![format!("ws_load_state{{state=\"{name}\"}} 1")]
}

#[test]
fn files_that_are_followed_never_show_the_verdict_of_an_earlier_run() {
    let folder = tempfile::tempdir().expect("there is room for a folder");
    let [metrics, lines] = ["load.prom", "lines"].map(|name| folder.path().join(name));
    let load = |profile, url: &str| {
        let load = Load::new(profile, url).args(["--open-metrics".as_ref(), metrics.as_os_str()]);
        load.args(["--json-lines".as_ref(), lines.as_os_str()])
    };
    let server = Server::echo();
    let url = server.url();
    load(Profile::default(), &url).run().check(0, &[]);
    let (on, last) = states(&metrics, &lines);
    assert_eq!((on, &last["verdict"]), (state("pass"), &"pass".into()));
    drop(server);
    load(Profile::default(), &url).run().check(1, &["no program listens there"]);
    let (on, last) = states(&metrics, &lines);
    assert_eq!((on, &last["verdict"]), (state("failed"), &"failed".into()));
    assert!(last["reasons"][0].as_str().is_some_and(|why| why.contains("refused")), "{last}");
    // Takes connections, and does not upgrade them: the first second never comes.
    let deaf = TcpListener::bind("127.0.0.1:0").expect("there is a port");
    let url = format!("ws://{}", deaf.local_addr().expect("it is bound"));
    let profile = Profile { timeout: "60s", ..Profile::default() };
    let mut run = load(profile, &url).start();
    run.wait_until(|_| (states(&metrics, &lines).0 == state("running")).then_some(()));
    kill_process(run.pid(), Signal::KILL).expect("it runs");
    run.finish();
    let (on, last) = states(&metrics, &lines);
    assert_eq!((on, &last["kind"]), (state("running"), &"start".into()));
}

#[test]
fn a_file_inside_the_report_or_of_two_flags_is_refused_before_the_load() {
    let server = Server::echo();
    let url = server.url();
    let folder = tempfile::tempdir().expect("there is room for a folder");
    let at = |name: &str| folder.path().join(name).display().to_string();
    let (out, one, payload) = (at("out"), at("one"), at("payload"));
    fs::write(&payload, "{seq}").expect("the folder is ours");
    std::os::unix::fs::symlink(folder.path(), at("link")).expect("the folder is ours");
    let inside = at("link/out/a/lines");
    let again = at("link/one");
    for (words, said) in [
        (
            &["--out", &out, "--json-lines", &inside][..],
            format!("--json-lines {inside} is inside --out {out}, "),
        ),
        (
            &["--out", &out, "--open-metrics", &out],
            format!("--open-metrics {out} is inside --out {out}, "),
        ),
        (&["--out", &out, "--save", &inside], format!("--save {inside} is inside --out {out}, ")),
        (
            &["--json-lines", &one, "--open-metrics", &again],
            format!("--json-lines {one} is the file of --open-metrics, too; name another one"),
        ),
        (
            &["--open-metrics", &one, "--save", &one],
            format!("--open-metrics {one} is the file of --save, "),
        ),
        (
            &["--payload", &payload, "--json-lines", &payload],
            format!("--json-lines {payload} is the file of --payload, too; "),
        ),
    ] {
        let (code, text) = ws_load(&[&[url.as_str()], words].concat());
        assert!(code == Some(2) && text.contains(&said) && text.lines().count() == 1, "{text}");
    }
    let (code, text) = ws_load(&[url.as_str(), "--open-metrics", "/dev/null"]);
    assert!(code == Some(2) && text.contains("/dev/null: something else is there"), "{text}");
    assert_eq!(server.tally().accepted.get(), 0);
    let left = fs::read_dir(folder.path()).expect("it is ours").count();
    assert_eq!((left, fs::read_to_string(&payload).expect("it is there")), (2, "{seq}".to_owned()));
}
