//! One test case per threshold, and one for the validity of the measurement.

use anyhow::Result;
use bench_show::junit::{self, TestCase, TestCaseStatus, TestSuite};
use bench_show::units::counted;

use super::format;
use crate::validator::{Assessment, Check, RunVerdict};
use load_plan::model::Run;

/// The case with an error if the verdict is neither pass nor fail.
const MEASUREMENT: &str = "the measurement can be trusted";

pub(super) fn render(run: &Run, assessment: &Assessment) -> Result<String> {
    let mut suite = TestSuite::new(run.profile.name.as_str());
    suite.set_time(run.length(|_| true));
    if let Some(date) = format::date(run) {
        suite.set_timestamp(date);
    }
    suite.add_test_case(measurement(run, assessment));
    for check in &assessment.checks {
        suite.add_test_case(case(run, assessment, check));
    }
    junit::render("ws-load", [suite])
}

/// Whether a threshold that is violated says something about the target.
fn is_valid(assessment: &Assessment) -> bool {
    matches!(assessment.verdict, RunVerdict::Pass | RunVerdict::Fail)
}

fn measurement(run: &Run, assessment: &Assessment) -> TestCase {
    let status = if is_valid(assessment) {
        TestCaseStatus::success()
    } else {
        let mut status = junit::errored(assessment.verdict.name());
        status.set_description(assessment.reasons.join("\n"));
        status
    };
    let mut out = vec![format!("{} against {}", run.profile.name, run.target())];
    out.extend(format::origin(run));
    out.extend(assessment.notices.iter().cloned());
    junit::case(&run.profile.name, MEASUREMENT, status, &out.join("\n"))
}

fn case(run: &Run, assessment: &Assessment, check: &Check) -> TestCase {
    let description = check.describe(&run.profile);
    let status = match (is_valid(assessment), check.met) {
        (true, true) => TestCaseStatus::success(),
        (true, false) => junit::failed(&description),
        // Without a valid measurement it is neither met nor violated.
        (false, _) => junit::skipped(&format!("{}: {description}", assessment.verdict.name())),
    };
    let class = match check.stage {
        Some(stage) => format!("{}.{}", run.profile.name, format::stage(run, stage)),
        None => run.profile.name.clone(),
    };
    let samples = counted(check.samples, "sample");
    let worst = format::worst(check).map(|worst| format!("worst seconds: {worst}"));
    let evidence: Vec<_> = [description, samples].into_iter().chain(worst).collect();
    junit::case(&class, &check.threshold.to_string(), status, &evidence.join("\n"))
}
