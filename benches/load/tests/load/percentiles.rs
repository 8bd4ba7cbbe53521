//! What a report says of its own intervals is what anybody else reads in them.

use crate::histograms::{percentile, read};
use crate::profile::Profile;
use crate::run::Load;
use crate::server::Server;

/// Percentiles of a report.
const PERCENTILES: [(&str, f64); 6] = [
    ("p50_ns", 50.0),
    ("p90_ns", 90.0),
    ("p95_ns", 95.0),
    ("p99_ns", 99.0),
    ("p999_ns", 99.9),
    ("p9999_ns", 99.99),
];

#[track_caller]
fn check(pace: &str, timings: &[&str]) {
    let server = Server::echo();
    let profile = Profile { pace, connections: 5, hold: "2500 ms", ..Profile::default() };
    let outcome = Load::new(profile, &server.url()).run();
    outcome.adds_up();
    let log = read(&outcome.out());
    for timing in timings {
        let values = log.get(*timing).unwrap_or_else(|| panic!("no {timing}"));
        let of = |name| outcome.number(&format!("timings/{timing}/{name}"));
        assert_eq!(of("count"), values.len() as u64, "{timing}");
        let (min, max) = (of("min_ns"), of("max_ns"));
        for (name, percent) in PERCENTILES {
            // A report leaves out what too few values support.
            if of(name) > 0 {
                let expected = percentile(values, percent).clamp(min, max);
                assert_eq!(of(name), expected, "{name} of {timing}");
            }
        }
        assert!(of("p50_ns") > 0 && of("p90_ns") > 0, "{timing}");
        // The extremes are exact; those of the log have three digits, and no bucket is finer than half a microsecond.
        let near = |exact: u64, bucket: u64| exact.abs_diff(bucket) <= 512 + exact / 500;
        let (first, last) = (values[0], values[values.len() - 1]);
        assert!(near(max, last), "{timing}: {max} and {last}");
        assert!(min < 1000 || near(min, first), "{timing}: {min} and {first}");
    }
}

#[test]
fn percentiles_of_an_open_loop_are_those_of_its_interval_log() {
    check("{ open = { rate = 200 } }", &["rtt_intended", "rtt_service", "schedule_lag"]);
    check("{ open = { rate = 200, arrival = \"poisson\" } }", &["rtt_intended"]);
}

#[test]
fn percentiles_of_a_closed_loop_are_those_of_its_interval_log() {
    check("{ closed = { depth = 2 } }", &["rtt_service"]);
}

#[test]
fn every_answer_of_the_hold_is_timed() {
    let server = Server::echo();
    let outcome = Load::new(Profile::default(), &server.url()).run();
    outcome.adds_up();
    let held = outcome.held("sent");
    assert!(held >= 250, "{held}");
    assert_eq!(outcome.number("timings/rtt_intended/count"), held);
    assert_eq!(outcome.number("timings/rtt_service/count"), held);
}
