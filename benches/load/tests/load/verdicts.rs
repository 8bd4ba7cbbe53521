//! Whole runs of `ws-load`, one for each verdict, with its exit code, its report and its words.

use std::fs;

use crate::profile::Profile;
use crate::run::Load;
use crate::server::{Answer, PROBES, Server};

/// Every fifth message of a connection is dropped.
fn dropping() -> Server {
    Server::answering(
        |n, message| {
            if n % 5 == 4 { Answer::Wrong(vec![]) } else { Answer::Right(message) }
        },
    )
}

#[test]
fn an_echo_passes_with_the_counts_of_the_server() {
    let server = Server::echo();
    let outcome = Load::new(Profile::default(), &server.url()).run();
    outcome.check(0, &["PASS"]);
    outcome.adds_up();
    assert_eq!(outcome.endings().into_iter().collect::<Vec<_>>(), [("clean", 3)]);
    assert_eq!(outcome.count("sent"), server.tally().received.get());
    assert_eq!(outcome.count("received"), server.tally().sent.get());
    assert_eq!(outcome.count("attempted") + PROBES, server.tally().accepted.get());
}

#[test]
fn a_report_has_every_format() {
    let server = Server::echo();
    let outcome = Load::new(Profile::default(), &server.url()).run();
    let files = fs::read_dir(outcome.out()).expect("the report is written");
    let name = |file: std::io::Result<fs::DirEntry>| file.ok()?.file_name().into_string().ok();
    let mut names: Vec<_> = files.filter_map(name).collect();
    names.sort_unstable();
    let all = ["intervals.csv", "intervals.hlog", "junit.xml", "report.html", "report.json"];
    assert_eq!(names, all);
}

#[test]
fn lost_messages_fail_with_exit_code_3() {
    let server = dropping();
    let thresholds = "errors = \"<= 0\"\nlatency_p50 = \"< 20s\"";
    let profile = Profile { timeout: "1s", thresholds, ..Profile::default() };
    let outcome = Load::new(profile, &server.url()).run();
    outcome.check(3, &["FAIL", "errors", "lost"]);
    outcome.adds_up();
    assert_eq!(outcome.fault("lost"), server.tally().faults.get(), "{}", outcome.text);
}

#[test]
fn a_run_without_thresholds_is_invalid_with_exit_code_6() {
    let server = Server::echo();
    let outcome = Load::new(Profile { thresholds: "", ..Profile::default() }, &server.url()).run();
    outcome.check(6, &["INVALID", "threshold"]);
}

#[test]
fn progress_on_a_pipe_is_a_line_per_second() {
    let server = Server::echo();
    let profile = Profile { hold: "1200ms", ..Profile::default() };
    let outcome = Load::new(profile, &server.url()).run();
    let lines = outcome.stderr.lines().filter(|line| line.starts_with("1/2 s  ")).count();
    assert_eq!(lines, 1, "{}", outcome.stderr);
    assert!(!outcome.stderr.contains('\x1b') && !outcome.stderr.contains('\r'));
}

#[test]
fn a_server_of_its_own_reports_its_allocations() {
    let thresholds = "errors = \"<= 0\"\nremaining_allocations = \"== 0\"\nlatency_p99 = \"< 20s\"";
    let outcome = Load::of_its_own(Profile { thresholds, ..Profile::default() }).run();
    outcome.check(0, &["PASS"]);
    outcome.adds_up();
    let allocations = &outcome.report()["allocations"];
    assert_eq!(allocations["remaining_blocks"], 0, "{allocations}");
    assert!(allocations["total_blocks"].as_u64() > Some(0), "{allocations}");
}
