use baselines::suite_report::ScenarioReport;
use baselines::{Verdict, words};
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
                failed(NonSuccessKind::Error, one)
            }
            _ => failed(NonSuccessKind::Failure, one),
        };
        let mut case = TestCase::new(id.clone(), status);
        case.set_classname(&*run.setup.name);
        if verdict != Verdict::Pass {
            case.set_system_out(explain(&run.setup.root, id, one));
        }
        suite.add_test_case(case);
    }
    report.add_test_suite(suite);
    Ok(report.to_string()? + "\n")
}

/// With the verdict, the first number that changed and the first place, because a CI system may show no more.
fn failed(kind: NonSuccessKind, one: &ScenarioReport) -> TestCaseStatus {
    let ops = one.recorded.as_ref().or(one.measured.as_ref()).map_or([1, 2], |counts| counts.ops);
    let change = one.changes().first().map(|change| words::change(change, ops, &one.unit));
    let place = one.sites_changed.iter().find_map(|site| site.place.clone());
    let place = place.or_else(|| one.leaks.first().map(|leak| leak.place.clone()));
    let said = change.or_else(|| one.notes.first().cloned());
    let parts = [Some(one.verdict.as_str().to_owned()), said, place];
    let parts = parts.iter().flatten().map(|part| part.trim()).filter(|part| !part.is_empty());
    let mut status = TestCaseStatus::non_success(kind);
    status.set_message(parts.collect::<Vec<_>>().join("; "));
    status
}
