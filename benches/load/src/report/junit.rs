//! One test case per threshold, and one for the validity of the measurement.

use anyhow::Result;
use bench_show::junit::{self, TestCase, TestCaseStatus, TestSuite};
use bench_show::units::counted;

use super::{format, limits};
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

fn measurement(run: &Run, assessment: &Assessment) -> TestCase {
    let is_decided = matches!(assessment.verdict, RunVerdict::Pass | RunVerdict::Fail);
    let error = |word: &str, why: &[String]| {
        let mut status = junit::errored(word);
        status.set_description(why.join("\n"));
        status
    };
    let status = match (is_decided, assessment.doubts()) {
        (true, []) => TestCaseStatus::success(),
        // A failure that no doubt touches, beside limits that are not judged.
        (true, doubts) => error(RunVerdict::Invalid.name(), doubts),
        (false, _) => error(assessment.verdict.name(), &assessment.reasons),
    };
    let mut out = vec![format!("{} against {}", run.profile.name, run.target())];
    out.extend(format::origin(run));
    out.extend(assessment.notices.iter().cloned());
    junit::case(&run.profile.name, MEASUREMENT, status, &out.join("\n"))
}

fn case(run: &Run, assessment: &Assessment, check: &Check) -> TestCase {
    let description = check.describe(&run.profile);
    let status = match (assessment.judges(check), check.met) {
        (true, true) => TestCaseStatus::success(),
        (true, false) => junit::failed(&description),
        // Without a valid measurement it is neither met nor violated.
        (false, _) => {
            let word = match assessment.verdict {
                RunVerdict::Fail => RunVerdict::Invalid,
                other => other,
            };
            junit::skipped(&format!("{}: {description}", word.name()))
        }
    };
    let class = match check.stage {
        Some(stage) => format!("{}.{}", run.profile.name, format::stage(run, stage)),
        None => run.profile.name.clone(),
    };
    let samples = counted(check.samples, "sample");
    let worst = limits::worst(check).map(|worst| format!("worst seconds: {worst}"));
    let evidence: Vec<_> = [description, samples].into_iter().chain(worst).collect();
    junit::case(&class, &check.threshold.to_string(), status, &evidence.join("\n"))
}
