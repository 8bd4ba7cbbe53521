//! The comparison of one service with the base of a pull request.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};
use baselines::{Verdict, verdict};
use compare::subject::Service;
use serde::Deserialize;

use super::annotations::{Annotation, Level};

/// What a comparison of one service says.
pub(super) struct Compared {
    pub(super) code: u8,
    pub(super) markdown: String,
    pub(super) annotations: Vec<Annotation>,
}

/// The merge base of `base` and HEAD.
///
/// # Errors
///
/// If git does not know `base`, as in a clone without history.
pub(super) fn merge_base(root: &Path, base: &str) -> Result<String> {
    let commit = format!("{base}^{{commit}}");
    let known = git(root, &["rev-parse", "--verify", "--quiet", "--end-of-options", &commit])?;
    let common = known.map(|commit| git(root, &["merge-base", &commit, "HEAD"])).transpose()?;
    match common.flatten() {
        Some(commit) => Ok(commit),
        None => bail!(
            "git knows no merge base of {base} and HEAD; fetch the history: fetch-depth: 0 of actions/checkout, or \
             git fetch --unshallow"
        ),
    }
}

/// The folder of the workspace from the root of the repository: empty, or with a `/` at the end. Empty outside of one.
pub(super) fn prefix(root: &Path) -> String {
    git(root, &["rev-parse", "--show-prefix"]).ok().flatten().unwrap_or_default()
}

/// The line that git prints; `None` if it fails.
fn git(root: &Path, arguments: &[&str]) -> Result<Option<String>> {
    let output = Command::new("git").args(arguments).current_dir(root).output();
    let output = output.context("git does not start; install it")?;
    let line = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    Ok(output.status.success().then_some(line))
}

/// Compares `base` with HEAD. Reports go to the folder `out`. Counts that are recorded are not counted again: the suite has
/// judged them. With `report_only`, timings and instructions decide nothing.
///
/// # Errors
///
/// If there is no report.
pub(super) fn run(
    root: &Path,
    service: &Service,
    base: &str,
    is_recorded: bool,
    report_only: bool,
    out: &Path,
) -> Result<Compared> {
    let file = |ending: &str| out.join(format!("compare-{}.{ending}", service.name));
    let [json, markdown, page] = ["json", "md", "html"].map(file);
    let mut compare = Command::new(std::env::current_exe()?);
    compare.current_dir(root).args(["compare", base, "HEAD", "--service", &service.name]);
    // Runners are shared: a timing that is too noisy to judge is said, and stops nothing.
    compare.args(["--noisy-ok", "--improved-ok", "--new-ok"]);
    if is_recorded {
        compare.args(["--skip", "exact"]);
    }
    for (format, file) in [("json", &json), ("markdown", &markdown)] {
        compare.arg("--also").arg(also(format, file));
    }
    let status = compare.arg("--html").arg(page).status()?;
    let report = std::fs::read_to_string(&json);
    let report =
        report.with_context(|| format!("the comparison ended without a report ({status})"))?;
    let report: Report = serde_json::from_str(&report)?;
    ensure!(
        status.code() == Some(report.exit_code.into()),
        "the comparison ended with {status}, and its report says {}",
        report.exit_code
    );
    let code = if report_only { report.code_of_counts() } else { report.exit_code };
    Ok(Compared {
        code,
        markdown: std::fs::read_to_string(&markdown)?,
        annotations: if report_only { Vec::new() } else { report.annotations() },
    })
}

fn also(format: &str, file: &Path) -> String {
    format!("{format}={}", file.display())
}

/// The part of the JSON report that is read here.
#[derive(Deserialize)]
struct Report {
    exit_code: u8,
    timing: PartOf<TimingRow>,
    exact: PartOf<Row>,
    instructions: PartOf<InstructionRow>,
}

#[derive(Deserialize)]
struct PartOf<T> {
    state: String,
    rows: Vec<T>,
}

#[derive(Deserialize)]
struct Row {
    verdict: Verdict,
}

#[derive(Deserialize)]
struct TimingRow {
    id: String,
    verdict: Verdict,
    effect: f64,
    interval: [f64; 2],
}

#[derive(Deserialize)]
struct InstructionRow {
    id: String,
    verdict: Verdict,
    unit: String,
    base: Option<f64>,
    head: Option<f64>,
    functions: Vec<Function>,
}

#[derive(Deserialize)]
struct Function {
    name: String,
    base: f64,
    head: f64,
}

impl Report {
    /// The exit code of the counts alone; 1 if a part failed, whatever it measures.
    fn code_of_counts(&self) -> u8 {
        let states = [&self.timing.state, &self.exact.state, &self.instructions.state];
        if states.iter().any(|state| *state == "failed") {
            return 1;
        }
        if self.exact.state != "measured" {
            return 0;
        }
        let accepted = |row: &Row| match row.verdict {
            Verdict::Improved | Verdict::Missing => Verdict::Pass,
            other => other,
        };
        verdict::exit_code(self.exact.rows.iter().map(accepted))
    }

    /// Those of timings and instructions, which have no line.
    fn annotations(&self) -> Vec<Annotation> {
        let annotation = |id: &str, message| Annotation {
            level: Level::Error,
            place: None,
            title: format!("{id}: regressed"),
            message,
        };
        let timings = self.timing.rows.iter().filter(|row| row.verdict == Verdict::Regressed);
        let timings = timings.map(|row| {
            let [effect, low, high] =
                [row.effect, row.interval[0], row.interval[1]].map(|share| 100.0 * share);
            annotation(&row.id, format!("{effect:+.1} % of base's time ({low:+.1} … {high:+.1})"))
        });
        let counted = self.instructions.rows.iter().filter(|row| row.verdict == Verdict::Regressed);
        let counted = counted.map(|row| {
            let [base, head] = [row.base, row.head].map(|count| {
                count.map_or_else(|| "none".to_owned(), |count| format!("{count:.0}"))
            });
            let functions = row.functions.iter().take(3);
            let functions =
                functions.map(|one| format!("\n{:+.1} in {}", one.head - one.base, one.name));
            let functions: String = functions.collect();
            annotation(&row.id, format!("{base} → {head} instructions per {}{functions}", row.unit))
        });
        timings.chain(counted).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(exact: &str, state: &str) -> Report {
        let rows =
            if exact.is_empty() { "".to_owned() } else { format!(r#"{{"verdict": "{exact}"}}"#) };
        let text = format!(
            r#"{{"exit_code": 3, "exact": {{"state": "{state}", "rows": [{rows}]}},
            "timing": {{"state": "measured", "rows": [
                {{"id": "echo_latency/text/64B", "verdict": "regressed", "effect": 0.0512, "interval": [0.04, 0.06]}},
                {{"id": "echo_cpu/text/64B", "verdict": "pass", "effect": 0.0, "interval": [0.0, 0.0]}}]}},
            "instructions": {{"state": "measured", "rows": [
                {{"id": "echo", "verdict": "regressed", "unit": "message", "base": 100.0, "head": null,
                  "functions": [{{"name": "chat::echo", "base": 1.0, "head": 11.5}}]}}]}}}}"#
        );
        serde_json::from_str(&text).expect("it is a report")
    }

    #[test]
    fn counts_alone_decide_where_the_rest_is_only_reported() {
        for (exact, state, code) in [
            ("pass", "measured", 0),
            ("regressed", "measured", 3),
            ("missing", "measured", 0),
            ("nondeterministic", "measured", 6),
            ("", "not measured", 0),
            ("", "measured", 5),
            ("", "failed", 1),
        ] {
            assert_eq!(report(exact, state).code_of_counts(), code, "{exact} {state}");
        }
    }

    #[test]
    fn what_regressed_without_a_line_is_named_with_its_figures() {
        let said: Vec<_> =
            report("pass", "measured").annotations().iter().map(ToString::to_string).collect();
        assert_eq!(
            said,
            [
                "::error title=echo_latency/text/64B%3A regressed::+5.1 %25 of base's time (+4.0 … +6.0)",
                "::error title=echo%3A regressed::100 → none instructions per message%0A+10.5 in chat::echo",
            ]
        );
    }
}
