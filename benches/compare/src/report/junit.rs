use baselines::Verdict;
use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};

use super::{outcome, words};
use crate::model::{Comparison, ExactRow, InstructionRow, Part, Timing};

pub(super) fn render(comparison: &Comparison) -> anyhow::Result<String> {
    // What the exit code let pass, as with --noisy-ok, must not turn CI red by another door.
    let suites = Suites { accepted: comparison.exit_code == 0 };
    let mut report = Report::new("ws-compare");
    report.add_test_suite(suites.timing(&comparison.timing));
    report.add_test_suite(suites.exact(&comparison.exact));
    report.add_test_suite(suites.instructions(&comparison.instructions));
    Ok(report.to_string()? + "\n")
}

struct Suites {
    accepted: bool,
}

impl Suites {
    fn timing(&self, part: &Part<Timing>) -> TestSuite {
        suite("timing", part, |timing| {
            let judged = timing
                .rows
                .iter()
                .map(|row| self.case("timing", &row.id, row.verdict, words::timing(row)));
            let left_out = timing.left_out.iter().map(|(id, why)| skipped("timing", id, why));
            judged.chain(left_out).collect()
        })
    }

    fn exact(&self, part: &Part<Vec<ExactRow>>) -> TestSuite {
        suite("exact", part, |rows| {
            let case = |row: &ExactRow| self.case("exact", &row.id, row.verdict, explain(row));
            rows.iter().map(case).collect()
        })
    }

    fn instructions(&self, part: &Part<Vec<InstructionRow>>) -> TestSuite {
        suite("instructions", part, |rows| {
            let case = |row: &InstructionRow| {
                let (base, head) = (words::or_none(row.base), words::or_none(row.head));
                let words = format!("{base} → {head} instructions per {}", row.unit);
                self.case("instructions", &row.id, row.verdict, words)
            };
            rows.iter().map(case).collect()
        })
    }

    fn case(&self, suite: &str, id: &str, verdict: Verdict, words: String) -> TestCase {
        let status = match verdict {
            Verdict::Pass => TestCaseStatus::success(),
            _ if self.accepted => skip(verdict.as_str()),
            // What could not be measured is an error, not a failure of the code.
            Verdict::Failed | Verdict::Blind | Verdict::Nondeterministic | Verdict::TooNoisy => {
                fail(NonSuccessKind::Error, verdict)
            }
            Verdict::Regressed
            | Verdict::Improved
            | Verdict::Leaked
            | Verdict::Missing
            | Verdict::Stale
            | Verdict::NotComparable => fail(NonSuccessKind::Failure, verdict),
        };
        let mut case = TestCase::new(id, status);
        case.set_classname(suite);
        if !words.is_empty() {
            case.set_system_out(words);
        }
        case
    }
}

/// A part that is not there is one case of its own name.
fn suite<T>(name: &str, part: &Part<T>, cases: impl FnOnce(&T) -> Vec<TestCase>) -> TestSuite {
    let mut suite = TestSuite::new(name);
    suite.add_test_cases(match part {
        Part::Measured(data) => {
            let cases = cases(data);
            if cases.is_empty() {
                vec![broken(name, Verdict::NotComparable, words::NO_ROW)]
            } else {
                cases
            }
        }
        Part::NotMeasured(why) => vec![skipped(name, name, &format!("not measured: {why}"))],
        Part::Failed(why) => vec![broken(name, Verdict::Failed, why)],
    });
    suite
}

fn broken(suite: &str, verdict: Verdict, why: &str) -> TestCase {
    let mut case = TestCase::new(suite, fail(NonSuccessKind::Error, verdict));
    case.set_classname(suite).set_system_out(why);
    case
}

fn skipped(suite: &str, id: &str, why: &str) -> TestCase {
    let mut case = TestCase::new(id, skip(why));
    case.set_classname(suite);
    case
}

fn skip(why: &str) -> TestCaseStatus {
    let mut status = TestCaseStatus::skipped();
    status.set_message(why);
    status
}

fn fail(kind: NonSuccessKind, verdict: Verdict) -> TestCaseStatus {
    let mut status = TestCaseStatus::non_success(kind);
    status.set_message(verdict.as_str());
    status
}

fn explain(row: &ExactRow) -> String {
    let mut lines = words::exact(row);
    lines.extend(row.notes.iter().cloned());
    if !outcome::is_equal(row) && (row.base.is_none() || row.head.is_none()) {
        lines.push(words::only(row).to_owned());
    }
    for site in &row.sites {
        let moved = words::moved(row, site.base, site.head);
        lines.push(format!("{moved}  {}\n    {}", words::place(site), site.key));
    }
    lines.join("\n")
}
