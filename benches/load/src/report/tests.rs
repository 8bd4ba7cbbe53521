//! Reports of runs with every verdict.

mod damaged;
mod diff;
mod directory;
mod json;
mod lines;
mod log;
mod open_metrics;
mod page;
mod percentiles;
mod table;
mod timeline;

use super::fixture;
use crate::validator::{Assessment, RunVerdict, validate};
use load_plan::model::Run;

/// Checks something that is true of a run with any verdict.
fn each(check: impl Fn(&Run, &Assessment)) {
    let runs = [
        fixture::passing(),
        fixture::failing(),
        fixture::starved(),
        fixture::incomplete(),
        fixture::interrupted(),
    ];
    for (run, verdict) in runs.into_iter().zip(RunVerdict::ALL) {
        let assessment = validate(&run);
        assert_eq!(assessment.verdict, verdict, "{:?}", assessment.reasons);
        check(&run, &assessment);
    }
}

fn failing() -> (Run, Assessment) {
    let run = fixture::failing();
    let assessment = validate(&run);
    (run, assessment)
}

/// Checks that `message` says all of `parts`.
#[track_caller]
fn says(message: &str, parts: &[&str]) {
    for part in parts {
        assert!(message.contains(part), "no {part:?} in {message:?}");
    }
}
