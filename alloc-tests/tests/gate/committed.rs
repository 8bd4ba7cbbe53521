//! The committed baseline against this build, and the documents against the committed baseline.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use baselines::AllocBaseline;
use baselines::alloc::{Counts, Metric, Provenance};
use baselines::compare::provenance_differences;
use libtest_mimic::Failed;

/// The build that recorded the numbers is the one that is committed.
pub(crate) fn packages() -> Result<(), Failed> {
    let recorded = baseline()?.provenance;
    // A debug build runs this as well.
    let current = alloc_tests::suite().provenance().map_err(|error| format!("{error:#}"))?;
    let current = Provenance { profile: recorded.profile.clone(), ..current };
    let different = provenance_differences(&recorded, &current);
    if different.is_empty() {
        return Ok(());
    }
    Err(format!(
        "recorded with another build ({}); record all numbers again, without a filter: scripts/run-alloc-tests.sh \
         --update --reason \"…\"",
        different.join("; ")
    )
    .into())
}

/// Every figure in the samples of the documents is the recorded one.
pub(crate) fn documents() -> Result<(), Failed> {
    let scenarios = baseline()?.scenarios;
    let mut wrong = Vec::new();
    for file in ["README.md", "alloc-tests/README.md"] {
        let text = fs::read_to_string(root().join(file))?;
        let found = compare(&text, &scenarios);
        if found.rows == 0 {
            wrong.push(format!("{file} has no row of the suite's table; update the samples"));
        }
        wrong.extend(found.wrong.into_iter().map(|one| format!("{file}: {one}")));
    }
    if wrong.is_empty() { Ok(()) } else { Err(wrong.join("\n").into()) }
}

/// Words of a row: the id, the figures and the verdict. A table of `ws-compare` has others.
const ROW: usize = 9;

#[derive(Default)]
struct Comparison {
    rows: usize,
    wrong: Vec<String>,
}

/// Compares rows (`echo_text_64b_1000_msgs  0 0 1 1 58 131.0K pass`), held bytes, numbers of scenarios, and the
/// recorded side of changes (`  blocks 58 → 1058 at 1000, 58 → 2058 at 2000`).
fn compare(text: &str, scenarios: &BTreeMap<String, Counts>) -> Comparison {
    let mut comparison = Comparison::default();
    let (mut asked, mut changed) = (0, None);
    for line in text.lines() {
        let words: Vec<&str> = line.split_whitespace().collect();
        let Some(first) = words.first() else { continue };
        let id = first.trim_end_matches(':');
        let expected = if let ["$", "scripts/run-alloc-tests.sh", filters @ ..] = &words[..] {
            asked = scenarios.keys().filter(|id| filters.iter().any(|f| id.contains(f))).count();
            continue;
        } else if line.ends_with(" scenarios equal to the block and the byte") {
            line.replacen(first, &scenarios.len().to_string(), 1)
        } else if line.contains(" passed (") {
            line.replacen(first, &asked.to_string(), 1)
        } else if let Some((id, counts)) = scenarios.get_key_value(id) {
            if line.ends_with(" pass") && words.len() == ROW {
                comparison.rows += 1;
                let row = [id.clone()].into_iter().chain(plimsoll::figures(counts));
                row.chain(["pass".to_owned()]).collect::<Vec<_>>().join(" ")
            } else if line.contains(" bytes held per ") {
                let held = counts.per_op(Metric::HeldBytes).unwrap_or_default();
                line.replacen(words.get(1).unwrap_or(&""), &held.to_string(), 1)
            } else {
                changed = Some(counts);
                continue;
            }
        } else if let (Some(counts), Some(metric)) = (changed, metric(first))
            && let [_, _, "→", at_n, "at", n, _, "→", rest @ ..] = &words[..]
        {
            let [old, old_double] = counts.get(metric).unwrap_or_default();
            format!("{first} {old} → {at_n} at {n} {old_double} → {}", rest.join(" "))
        } else {
            continue;
        };
        let expected: Vec<&str> = expected.split_whitespace().collect();
        if words != expected {
            comparison.wrong.push(format!("`{line}` is recorded as `{}`", expected.join(" ")));
        }
    }
    comparison
}

fn metric(word: &str) -> Option<Metric> {
    Metric::ALL.iter().copied().find(|metric| metric.name() == word)
}

fn baseline() -> Result<AllocBaseline, Failed> {
    let file = baselines::alloc::path(&alloc_tests::baselines(), plimsoll::TARGET);
    AllocBaseline::load(&file).map_err(|error| error.to_string().into())
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the package is in a folder").to_owned()
}
