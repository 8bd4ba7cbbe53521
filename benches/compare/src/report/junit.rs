use baselines::Verdict;
use bench_show::junit::{
    self, TestCase, TestCaseStatus, TestSuite, at, case, errored, failed, skipped,
};

use super::{format, times};
use crate::model::{Comparison, ExactRow, InstructionRow, Part};
use crate::outcome::verdicts;

pub(super) fn render(comparison: &Comparison) -> anyhow::Result<String> {
    // A verdict that the exit code accepts, as with --noisy-ok, must not fail the CI job through this file.
    let accepted = comparison.exit_code == 0;
    let nothing = verdicts(comparison).is_empty();
    let timing = suite("timing", nothing, &comparison.timing, |timing| {
        let rows = timing.rows.iter().map(|row| {
            let hint = timing.hints.get(&row.id);
            let hint = hint.map_or_else(String::new, |hint| format!("; {hint}"));
            let numbers = times::sentence(row) + &hint;
            let status = status(row.verdict, accepted, &numbers);
            case("timing", &row.id, status, &numbers)
        });
        let left_out = &timing.left_out;
        rows.chain(left_out.iter().map(|(id, why)| case("timing", id, skipped(why), ""))).collect()
    });
    let exact = suite("exact", nothing, &comparison.exact, |rows| {
        let case = |row: &ExactRow| {
            let (numbers, site) = (format::reason(row), format::culprit(row));
            let status = status(row.verdict, accepted, &numbers);
            let case = case("exact", &row.id, status, &explain(row));
            match site {
                Some(site) => at(case, format::place(site)),
                None => case,
            }
        };
        rows.iter().map(case).collect()
    });
    let instructions = suite("instructions", nothing, &comparison.instructions, |rows| {
        let case = |row: &InstructionRow| {
            let mut numbers = format::instructions(row);
            if let Some(function) = row.functions.iter().find(|one| one.head > one.base) {
                let file =
                    function.file.as_ref().map_or(String::new(), |file| format!(" ({file})"));
                numbers += &format!("; {}{file}", function.name);
            }
            let status = status(row.verdict, accepted, &numbers);
            case("instructions", &row.id, status, &numbers)
        };
        rows.iter().map(case).collect()
    });
    let suites = [timing, exact, instructions];
    junit::render("ws-compare", suites.into_iter().flatten())
}

/// Verdicts about the measurement are errors; the others but a pass are failures of the code. Systems of CI show the
/// message alone and fold the output, so `numbers` are in it.
fn status(verdict: Verdict, accepted: bool, numbers: &str) -> TestCaseStatus {
    let message = format!("{}: {numbers}", verdict.as_str());
    match verdict {
        Verdict::Pass => TestCaseStatus::success(),
        _ if accepted => skipped(&message),
        Verdict::Failed | Verdict::Blind | Verdict::Nondeterministic | Verdict::TooNoisy => {
            errored(&message)
        }
        Verdict::Regressed
        | Verdict::Improved
        | Verdict::Leaked
        | Verdict::Missing
        | Verdict::Stale
        | Verdict::NotComparable => failed(&message),
    }
}

/// A part without rows is one case with the part's name. If `nothing` was measured, no part may be skipped.
fn suite<T>(
    name: &str,
    nothing: bool,
    part: &Part<T>,
    cases: impl FnOnce(&T) -> Vec<TestCase>,
) -> Option<TestSuite> {
    let broken = |verdict: Verdict, why: &str| {
        case(name, name, errored(&format!("{}: {why}", verdict.as_str())), "")
    };
    let mut suite = TestSuite::new(name);
    suite.add_test_cases(match part {
        Part::Measured(data) => {
            let cases = cases(data);
            let empty = cases.is_empty();
            if empty { vec![broken(Verdict::NotComparable, format::NO_ROW)] } else { cases }
        }
        Part::NotMeasured(why) => {
            let why = format!("not measured: {why}");
            vec![case(name, name, if nothing { errored(&why) } else { skipped(&why) }, "")]
        }
        Part::Failed(why) => vec![broken(Verdict::Failed, why)],
        Part::Inapplicable => return None,
    });
    Some(suite)
}

fn explain(row: &ExactRow) -> String {
    let mut lines = format::findings(row);
    for site in &row.sites {
        let moved = format::moved(row, site.base, site.head);
        lines.push(format!("{moved}  {}\n    {}", format::place(site), site.key));
    }
    lines.join("\n")
}
