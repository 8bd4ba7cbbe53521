use baselines::Verdict;
use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};

use super::Run;

pub(super) fn render(run: &Run) -> anyhow::Result<String> {
    let mut report = Report::new("alloc-tests");
    let mut suite = TestSuite::new("alloc-tests");
    for one in &run.judged {
        let verdict = one.judgement.verdict;
        let status = match verdict {
            Verdict::Pass => TestCaseStatus::success(),
            // What could not be measured is an error, not a failure of the code.
            Verdict::Failed | Verdict::Blind | Verdict::Nondeterministic => {
                failed(NonSuccessKind::Error, verdict)
            }
            _ => failed(NonSuccessKind::Failure, verdict),
        };
        let mut case = TestCase::new(one.id.clone(), status);
        case.set_classname("alloc-tests");
        if verdict != Verdict::Pass {
            case.set_system_out(one.explanation());
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
