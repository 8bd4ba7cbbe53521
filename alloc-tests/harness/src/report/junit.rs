use baselines::Verdict;
use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};

use super::{Run, explain};

pub(super) fn render(run: &Run<'_>) -> anyhow::Result<String> {
    let mut report = Report::new(&*run.setup.name);
    let mut suite = TestSuite::new(&*run.setup.name);
    for (id, one) in &run.report.scenarios {
        let verdict = one.verdict;
        let status = match verdict {
            Verdict::Pass => TestCaseStatus::success(),
            // A scenario that could not be measured is an error, not a failure of the code.
            Verdict::Failed | Verdict::Blind | Verdict::Nondeterministic => {
                failed(NonSuccessKind::Error, verdict)
            }
            _ => failed(NonSuccessKind::Failure, verdict),
        };
        let mut case = TestCase::new(id.clone(), status);
        case.set_classname(&*run.setup.name);
        if verdict != Verdict::Pass {
            case.set_system_out(explain(id, one));
        }
        suite.add_test_case(case);
    }
    report.add_test_suite(suite);
    Ok(report.to_string()? + "\n")
}

fn failed(kind: NonSuccessKind, verdict: Verdict) -> TestCaseStatus {
    let mut status = TestCaseStatus::non_success(kind);
    status.set_message(verdict.as_str());
    status
}
