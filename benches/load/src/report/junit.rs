//! A test case a threshold, and one for the measurement itself.

use anyhow::Result;
use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};

use super::format;
use crate::validator::{Assessment, Check, RunVerdict};
use load_plan::model::Run;

/// The case that breaks where no threshold can be believed.
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
    let mut report = Report::new("ws-load");
    report.add_test_suite(suite);
    Ok(report.to_string()? + "\n")
}

/// Whether a threshold that is violated says something about the target.
fn is_trusted(assessment: &Assessment) -> bool {
    matches!(assessment.verdict, RunVerdict::Pass | RunVerdict::Fail)
}

fn measurement(run: &Run, assessment: &Assessment) -> TestCase {
    let status = if is_trusted(assessment) {
        TestCaseStatus::success()
    } else {
        let mut status = TestCaseStatus::non_success(NonSuccessKind::Error);
        status
            .set_message(assessment.verdict.name())
            .set_description(assessment.reasons.join("\n"));
        status
    };
    let mut case = TestCase::new(MEASUREMENT, status);
    case.set_classname(run.profile.name.as_str());
    let mut out = vec![format!("{} against {}", run.profile.name, run.target())];
    out.extend(format::origin(run));
    out.extend(assessment.notices.iter().cloned());
    case.set_system_out(out.join("\n"));
    case
}

fn case(run: &Run, assessment: &Assessment, check: &Check) -> TestCase {
    let words = check.words(&run.profile);
    let status = match (is_trusted(assessment), check.met) {
        (true, true) => TestCaseStatus::success(),
        (true, false) => {
            let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
            status.set_message(words.as_str());
            status
        }
        // Neither met nor violated.
        (false, _) => {
            let mut status = TestCaseStatus::skipped();
            status.set_message(format!("{}: {words}", assessment.verdict.name()));
            status
        }
    };
    let mut case = TestCase::new(check.threshold.to_string(), status);
    case.set_classname(match check.stage {
        Some(stage) => format!("{}.{}", run.profile.name, format::stage(run, stage)),
        None => run.profile.name.clone(),
    });
    case.set_system_out(evidence(check, &words));
    case
}

/// The numbers behind the outcome.
fn evidence(check: &Check, words: &str) -> String {
    let worst = format::worst(check).map(|worst| format!("worst seconds: {worst}"));
    let lines = [words.to_owned(), format::counted(check.samples, "sample")];
    lines.into_iter().chain(worst).collect::<Vec<_>>().join("\n")
}
