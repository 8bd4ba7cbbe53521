//! Runs in virtual time, with the verdicts and the reports that follow from them.

use std::time::Duration;

use futures::{SinkExt, StreamExt};
use load::merge::merge;
use load::report::directory;
use load::validator::{Assessment, RunVerdict, validate};
use load_engine::testing::{Answer, Load, Peer, in_virtual_time};
use load_plan::model::Run;
use serde_json::Value;
use tempfile::TempDir;
use tokio::time::{advance, sleep};

use crate::histograms::{percentile, read};
use crate::profile::Profile;

/// Percentiles in a report.
const PERCENTILES: [(&str, f64); 6] = [
    ("p50_ns", 50.0),
    ("p90_ns", 90.0),
    ("p95_ns", 95.0),
    ("p99_ns", 99.0),
    ("p999_ns", 99.9),
    ("p9999_ns", 99.99),
];

fn run(profile: Profile<'_>, peer: &Peer) -> Run {
    Load::new(&profile.to_string()).run(peer).expect("the peer is there")
}

/// The report of a run, in files and as JSON.
fn report(run: &Run) -> (TempDir, Value, Assessment) {
    let folder = tempfile::tempdir().expect("there is room for a folder");
    let assessment = validate(run);
    directory::write(folder.path(), run, &assessment, true).expect("the folder is ours");
    let json = std::fs::read(folder.path().join("report.json")).expect("the report is written");
    (folder, serde_json::from_slice(&json).expect("it is JSON"), assessment)
}

/// An echo whose answers to a connection take 1 ms, 2 ms and so on, up to 40 ms, and then 1 ms again.
fn uneven() -> Peer {
    Peer::upgrading(|mut socket, _| async move {
        let mut n = 0;
        while let Some(message) = socket.next().await {
            let message = message?;
            sleep(Duration::from_millis(n % 40 + 1)).await;
            n += 1;
            if message.is_text() {
                socket.send(message).await?;
            }
        }
        Ok(())
    })
}

#[track_caller]
fn check_percentiles(pace: &str, timings: &[&str]) {
    let profile = Profile { pace, connections: 5, hold: "30s", ..Profile::default() };
    let (folder, report, _) = report(&run(profile, &uneven()));
    let log = read(folder.path());
    for timing in timings {
        let values = log.get(*timing).unwrap_or_else(|| panic!("no {timing}"));
        let of = |name: &str| report["overall"]["timings"][*timing][name].as_u64();
        assert_eq!(of("count"), Some(values.len() as u64), "{timing}");
        let (min, max) = (of("min_ns").expect("a minimum"), of("max_ns").expect("a maximum"));
        for (name, percent) in PERCENTILES {
            // A report leaves out a percentile that rests on too few values.
            if let Some(reported) = of(name) {
                let expected = percentile(values, percent).clamp(min, max);
                assert_eq!(reported, expected, "{name} of {timing}");
            }
        }
        assert!(of("p50_ns").is_some() && of("p99_ns").is_some(), "{timing}");
        // Extremes are exact; buckets have three digits, and none is finer than half a microsecond.
        let near = |exact: u64, bucket: u64| exact.abs_diff(bucket) <= 512 + exact / 500;
        let (first, last) = (values[0], values[values.len() - 1]);
        assert!(near(max, last), "{timing}: {max} and {last}");
        assert!(min < 1000 || near(min, first), "{timing}: {min} and {first}");
    }
}

#[test]
fn reported_percentiles_of_an_open_loop_equal_those_of_the_interval_log() {
    check_percentiles("{ open = { rate = 40 } }", &["rtt_intended", "rtt_service", "schedule_lag"]);
    check_percentiles("{ open = { rate = 40, arrival = \"poisson\" } }", &["rtt_intended"]);
}

#[test]
fn reported_percentiles_of_a_closed_loop_equal_those_of_the_interval_log() {
    check_percentiles("{ closed = { depth = 2 } }", &["rtt_service"]);
}

#[test]
fn a_violated_limit_is_reported_with_measured_value_samples_and_first_violation() {
    // Good answers for a second and a half, and then none for two seconds.
    let peer = Peer::upgrading(|mut socket, _| async move {
        let mut n = 0;
        while let Some(message) = socket.next().await {
            let message = message?;
            n += 1;
            if n == 150 {
                sleep(Duration::from_secs(2)).await;
            }
            if message.is_text() {
                socket.send(message).await?;
            }
        }
        Ok(())
    });
    let thresholds = "latency_p90 = \"< 1s\"";
    let profile = Profile { connections: 1, hold: "3s", thresholds, ..Profile::default() };
    let run = run(profile, &peer);
    let (_folder, report, assessment) = report(&run);
    assert_eq!(assessment.verdict, RunVerdict::Fail);
    let limit = &report["thresholds"][0];
    let timing = &report["overall"]["timings"]["rtt_intended"];
    assert_eq!(
        (&limit["metric"], &limit["limit"], &limit["met"], &limit["samples"]),
        (&"latency_p90".into(), &1e9.into(), &false.into(), &timing["count"])
    );
    let measured = timing["p90_ns"].as_f64().expect("a time");
    assert_eq!(limit["measured"].as_f64(), Some(measured));
    let margin = limit["margin"].as_f64().expect("a number");
    assert!((margin - (1e9 - measured) / 1e9).abs() < 1e-9, "{margin}");
    // The stall begins 1.5 s into the hold.
    let since = limit["first_violated_ns"].as_u64().expect("a time");
    assert!((1_000_000_000..=2_000_000_000).contains(&since), "{since}");
}

/// A run that is stopped for `stopped` after every 100 ms, as a bandwidth limit of the kernel does.
fn throttled(profile: Profile<'_>, stopped: Duration) -> Run {
    let peer = Peer::echo();
    in_virtual_time(async {
        let run = async { Load::new(&profile.to_string()).run_beside(&peer, &mut |_| {}).await };
        let throttle = async {
            loop {
                sleep(Duration::from_millis(100)).await;
                advance(stopped).await;
            }
        };
        tokio::select! {
            run = run => run.expect("the peer is there"),
            () = throttle => unreachable!("it has no end"),
        }
    })
}

/// Limits that allow the generator to be late by 100 ms and by 1 ms.
const LIMITS: [&str; 2] =
    ["errors = \"<= 0\"\nlatency_p99 = \"< 1s\"", "errors = \"<= 0\"\nlatency_p99 = \"< 10ms\""];

#[test]
fn a_generator_that_runs_a_fifth_of_the_time_is_invalid_and_not_a_failure() {
    let paces = [Profile::default().pace, "{ closed = { depth = 4 } }"];
    for (thresholds, pace) in LIMITS.into_iter().flat_map(|limit| paces.map(|pace| (limit, pace))) {
        let profile = Profile { thresholds, pace, hold: "2s", ..Profile::default() };
        let assessment = validate(&throttled(profile, Duration::from_millis(400)));
        assert_eq!(assessment.verdict, RunVerdict::Invalid, "{thresholds}");
        assert!(!assessment.reasons.is_empty(), "{thresholds}");
        let assessment = validate(&run(profile, &Peer::echo()));
        assert_eq!(assessment.verdict, RunVerdict::Pass, "{:?}", assessment.reasons);
    }
}

#[test]
fn a_generator_that_sleeps_through_its_hold_is_invalid() {
    let profile = Profile { thresholds: LIMITS[0], hold: "1s", ..Profile::default() };
    let peer = Peer::echo();
    let run = in_virtual_time(async {
        let sleeper = async {
            while peer.counts().received.get() < 10 {
                sleep(Duration::from_millis(1)).await;
            }
            advance(Duration::from_secs(3)).await;
        };
        let run = async { Load::new(&profile.to_string()).run_beside(&peer, &mut |_| {}).await };
        tokio::join!(run, sleeper).0.expect("the peer is there")
    });
    let assessment = validate(&run);
    assert_eq!(assessment.verdict, RunVerdict::Invalid);
    assert!(!assessment.reasons.is_empty());
}

#[test]
fn a_latency_of_messages_without_answers_never_passes() {
    // The timeout is 1 s, so that an answer within 30 s is possible but not known.
    for limit in ["1s", "30s"] {
        let peer = Peer::answering(|_, _, _| Answer::Wrong(vec![]));
        let thresholds = &format!("latency_p99 = \"< {limit}\"");
        let assessment =
            validate(&run(Profile { timeout: "1s", thresholds, ..Profile::default() }, &peer));
        assert_ne!(assessment.verdict, RunVerdict::Pass, "{limit}");
    }
}

#[test]
fn a_subscription_without_messages_never_passes() {
    let peer = Peer::upgrading(|mut socket, _| async move {
        while socket.next().await.is_some() {}
        Ok(())
    });
    let target = "mode = { subscribe = { send = \"subscribe ticks\" } }";
    let thresholds = "gap_p99 = \"< 30s\"";
    let profile = Profile { target, pace: "\"idle\"", thresholds, ..Profile::default() };
    assert_ne!(validate(&run(profile, &peer)).verdict, RunVerdict::Pass);
}

#[test]
fn a_closed_loop_whose_target_falls_silent_fails() {
    let peer = Peer::answering(|n, message, _| match n {
        ..3000 => Answer::Right(message),
        _ => Answer::Wrong(vec![]),
    });
    let thresholds = "errors = \"<= 1%\"\nlatency_p99 = \"< 10ms\"";
    let pace = "{ closed = { depth = 1 } }";
    let profile = Profile { pace, thresholds, timeout: "5s", hold: "60s", ..Profile::default() };
    let assessment = validate(&run(profile, &peer));
    assert_eq!(assessment.verdict, RunVerdict::Fail);
    assert!(assessment.reasons[0].contains("no answer came in"), "{:?}", assessment.reasons);
}

/// Two shards of `profile` that start so many seconds from now.
fn two_shards(profile: &str, peer: &Peer, starts: [u64; 2]) -> [Run; 2] {
    let run = async |index, start| {
        let load = Load::new(profile).shard(index, 2).starts_in(Duration::from_secs(start));
        load.run_beside(peer, &mut |_| {}).await.expect("the peer is there")
    };
    in_virtual_time(async { tokio::join!(run(0, starts[0]), run(1, starts[1])).into() })
}

#[test]
fn half_of_the_load_after_the_other_half_is_not_the_whole_load() {
    let profile = Profile { connections: 4, hold: "3s", ..Profile::default() }.to_string();
    let verdict = |starts| {
        let whole = merge(two_shards(&profile, &Peer::echo(), starts).into());
        validate(&whole.expect("they are the shards of one run"))
    };
    assert_eq!(verdict([3, 3]).verdict, RunVerdict::Pass);
    let assessment = verdict([3, 7]);
    assert_eq!(assessment.verdict, RunVerdict::Invalid);
    assert!(assessment.reasons[0].contains("4.00 s after shard 0"), "{:?}", assessment.reasons);
}

#[test]
fn merged_shards_have_the_percentiles_of_all_their_values() {
    let profile = Profile { connections: 5, hold: "5s", ..Profile::default() }.to_string();
    let halves = two_shards(&profile, &uneven(), [3, 3]);
    let mut seen = std::collections::BTreeMap::new();
    for half in &halves {
        let (folder, _, assessment) = report(half);
        assert_eq!(assessment.verdict, RunVerdict::Incomplete);
        for (timing, values) in read(folder.path()) {
            let all: &mut Vec<_> = seen.entry(timing).or_default();
            all.extend(values);
            all.sort_unstable();
        }
    }
    let whole = merge(halves.into()).expect("they are the shards of one run");
    let (folder, report, assessment) = report(&whole);
    assert_eq!(assessment.verdict, RunVerdict::Pass, "{:?}", assessment.reasons);
    assert_eq!(read(folder.path()), seen);
    let timing = &report["overall"]["timings"]["rtt_intended"];
    assert_eq!(timing["p90_ns"], percentile(&seen["rtt_intended"], 90.0));
    assert_eq!(timing["count"], seen["rtt_intended"].len());
}
