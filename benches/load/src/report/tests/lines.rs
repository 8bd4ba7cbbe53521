use std::time::Duration;

use load_engine::progress::Progress;
use load_plan::metrics::{Sample, Timing};
use load_plan::model::{Interval, Phase, Run};
use serde_json::Value;

use super::json::conforms;
use super::{each, failing};
use crate::report::lines;
use crate::summary::Summary;

/// The line as JSON, after a check against its definition in the schema.
fn checked(line: &str, definition: &str) -> Value {
    assert!(line.ends_with("}\n") && line.matches('\n').count() == 1, "{line}");
    let schema: Value = serde_json::from_str(lines::JSON_SCHEMA).expect("it is JSON");
    let value = serde_json::from_str(line).expect("it is JSON");
    conforms(&schema, &schema["$defs"][definition], &value, definition);
    value
}

/// At the end of `interval`.
pub(super) fn progress<'a>(run: &'a Run, interval: &'a Interval) -> Progress<'a> {
    Progress {
        profile: &run.profile,
        elapsed: Duration::from_secs(interval.second + 1),
        second: interval.second,
        stage: interval.stage,
        phase: interval.phase,
        open: interval.open,
        target: interval.target,
        last: &interval.sample,
        closed: &[],
        generator_cpu: interval.generator_cpu,
    }
}

#[test]
fn a_line_of_a_second_has_its_counts_and_times_as_its_schema_says() {
    let (run, _) = failing();
    let mut so_far = Summary::nothing(&run.profile);
    for interval in &run.intervals {
        so_far.add(&run.profile, interval);
        for last in [&interval.sample, &Sample::default()] {
            let now = Progress { last, ..progress(&run, interval) };
            let line = lines::second("r", 7, &now, &so_far).expect("plain values");
            let line = checked(&line, "Second");
            let received = (&line["received"], &line["errors_so_far"]);
            let errors = so_far.overall.counts.errors();
            assert_eq!(received, (&last.counts.received.into(), &errors.into()));
            let times = last.timing(Timing::RttIntended);
            let p99 = times.quantile_ns(0.99);
            assert_eq!(
                (line["samples"].as_u64(), line["p99_ns"].as_u64()),
                (Some(times.count), p99)
            );
            assert_eq!(line["phase"] == "hold", interval.phase == Phase::Hold);
        }
    }
}

#[test]
fn the_last_line_has_the_verdict_and_the_totals_as_its_schema_says() {
    each(|run, assessment| {
        let line = lines::verdict(7, run, assessment).expect("plain values");
        let line = checked(&line, "Verdict");
        assert_eq!(line["verdict"], assessment.verdict.name());
        let sent: u64 = run.intervals.iter().map(|of| of.sample.counts.sent).sum();
        assert_eq!(line["sent"], sent);
    });
}

#[test]
fn a_run_that_fails_has_a_first_and_a_last_line_as_their_schemas_say() {
    let (run, _) = failing();
    let mut so_far = Summary::nothing(&run.profile);
    checked(&lines::start("r", 7, "mine").expect("plain values"), "Start");
    for interval in [None, run.intervals.first()] {
        interval.iter().for_each(|interval| so_far.add(&run.profile, interval));
        let line = lines::failed("r", 7, "it \"broke\"", &so_far).expect("plain values");
        let line = checked(&line, "Verdict");
        assert_eq!(
            (&line["verdict"], &line["reasons"][0]),
            (&"failed".into(), &"it \"broke\"".into())
        );
        assert_eq!(line["sent"], so_far.overall.counts.sent);
    }
}
