use baselines::Verdict;
use bench_show::junit::{
    self, TestCase, TestCaseStatus, TestSuite, case, errored, failed, skipped,
};

use super::{format, summary};
use crate::model::{Comparison, ExactRow, InstructionRow, Part};
use crate::outcome::verdicts;

pub(super) fn render(comparison: &Comparison) -> anyhow::Result<String> {
    // A verdict that the exit code accepts, as with --noisy-ok, must not fail the CI job through this file.
    let accepted = comparison.exit_code == 0;
    let nothing = verdicts(comparison).is_empty();
    let timing = suite("timing", nothing, &comparison.timing, |timing| {
        let rows = timing.rows.iter().map(|row| {
            case("timing", &row.id, status(row.verdict, accepted), &format::timing(row))
        });
        let left_out = &timing.left_out;
        rows.chain(left_out.iter().map(|(id, why)| case("timing", id, skipped(why), ""))).collect()
    });
    let exact = suite("exact", nothing, &comparison.exact, |rows| {
        let rows = rows.iter();
        rows.map(|row| case("exact", &row.id, status(row.verdict, accepted), &explain(row)))
            .collect()
    });
    let instructions = suite("instructions", nothing, &comparison.instructions, |rows| {
        let case = |row: &InstructionRow| {
            let [base, head, _] = format::instruction_cells(row);
            let output = format!("{base} → {head} instructions per {}", row.unit);
            case("instructions", &row.id, status(row.verdict, accepted), &output)
        };
        rows.iter().map(case).collect()
    });
    junit::render("ws-compare", [timing, exact, instructions])
}

/// Verdicts about the measurement are errors; the others but a pass are failures of the code.
fn status(verdict: Verdict, accepted: bool) -> TestCaseStatus {
    match verdict {
        Verdict::Pass => TestCaseStatus::success(),
        _ if accepted => skipped(verdict.as_str()),
        Verdict::Failed | Verdict::Blind | Verdict::Nondeterministic | Verdict::TooNoisy => {
            errored(verdict.as_str())
        }
        Verdict::Regressed
        | Verdict::Improved
        | Verdict::Leaked
        | Verdict::Missing
        | Verdict::Stale
        | Verdict::NotComparable => failed(verdict.as_str()),
    }
}

/// A part without rows is one case with the part's name. If `nothing` was measured, no part may be skipped.
fn suite<T>(
    name: &str,
    nothing: bool,
    part: &Part<T>,
    cases: impl FnOnce(&T) -> Vec<TestCase>,
) -> TestSuite {
    let broken = |verdict: Verdict, why: &str| case(name, name, errored(verdict.as_str()), why);
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
    });
    suite
}

fn explain(row: &ExactRow) -> String {
    let mut lines = format::exact(row);
    lines.extend(row.notes.iter().cloned());
    if !summary::is_equal(row) && (row.base.is_none() || row.head.is_none()) {
        lines.push(format::only(row).to_owned());
    }
    for site in &row.sites {
        let moved = format::moved(row, site.base, site.head);
        lines.push(format!("{moved}  {}\n    {}", format::place(site), site.key));
    }
    lines.join("\n")
}
