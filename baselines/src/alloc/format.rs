//! The text of an allocation baseline, one scenario a line.

use serde::{Deserialize, de::IgnoredAny};

use super::{AllocBaseline, Counts, Provenance, SCHEMA};
use crate::strict::{self, Sorted, quote};

/// Parses a baseline; the error is the reason why it is refused.
pub(super) fn parse(text: &str) -> Result<AllocBaseline, String> {
    let BaselineFile { _schema, rustc, profile, packages: Sorted(packages), scenarios } =
        strict::parse(text, SCHEMA)?;
    let provenance = Provenance { rustc, profile, packages };
    let baseline = AllocBaseline { provenance, scenarios: scenarios.0 };
    check_ops(&baseline)?;
    Ok(baseline)
}

/// Renders a baseline; the error is the reason why it could not be read back.
pub(super) fn render(baseline: &AllocBaseline) -> Result<String, String> {
    check_ops(baseline)?;
    let Provenance { rustc, profile, packages } = &baseline.provenance;
    let packages = strict::entries(packages.iter().map(|(name, version)| (name, quote(version))));
    let rows = baseline.scenarios.iter().map(|(id, counts)| (id, row(counts)));
    let values = [
        ("rustc", quote(rustc)),
        ("profile", quote(profile)),
        ("packages", packages),
        ("scenarios", strict::entries(rows)),
    ];
    Ok(strict::render(SCHEMA, &values))
}

fn row(counts: &Counts) -> String {
    let compact = serde_json::to_string(counts).expect("invariant: every key is a string");
    // The text contains only names and numbers, so no comma or colon is inside a string.
    compact.replace(',', ", ").replace(':', ": ")
}

/// Checks that the operations grow from a number above 0, without which there is no cost per operation.
fn check_ops(baseline: &AllocBaseline) -> Result<(), String> {
    for (id, Counts { ops, .. }) in &baseline.scenarios {
        if ops[0] == 0 || ops[1] <= ops[0] {
            return Err(format!("scenario {id:?}: ops {ops:?} do not grow from a number above 0"));
        }
    }
    Ok(())
}

/// The file's shape; [`AllocBaseline`] may change without a new schema.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct BaselineFile {
    #[serde(rename = "schema")]
    _schema: IgnoredAny,
    rustc: String,
    profile: String,
    packages: Sorted<String>,
    scenarios: Sorted<Counts>,
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = r#"{
  "schema": 4,
  "rustc": "1.95.0",
  "profile": "release",
  "packages": {
    "bytes": "1.12.1",
    "tokio": "1.54.1"
  },
  "scenarios": {
    "connect_hold_100_conns": {"ops": [100, 200], "blocks": [800, 1600], "bytes": [9, 18], "reads": [1, 2], "writes": [3, 4], "peak_bytes": [5, 6], "once_blocks": [1, 1], "once_bytes": [9, 9], "calls": [30, 30], "held_fds": [2, 4], "held_bytes": [7, 8]},
    "echo_text_64b_1000_msgs": {"ops": [1000, 2000], "blocks": [4012, 8012], "bytes": [9, 18], "reads": [1, 2], "writes": [3, 4], "peak_bytes": [5, 6], "once_blocks": [1, 1], "once_bytes": [9, 9]}
  }
}
"#;

    /// `TEXT` with one part replaced is refused for a reason that contains `reason`.
    #[track_caller]
    fn check(part: &str, replacement: &str, reason: &str) {
        assert!(TEXT.contains(part), "{part} is not in the text");
        let found = parse(&TEXT.replacen(part, replacement, 1)).unwrap_err();
        assert!(found.contains(reason), "{found}");
    }

    #[test]
    fn a_parsed_baseline_renders_to_the_same_bytes() {
        let baseline = parse(TEXT).unwrap();
        assert_eq!(baseline.scenarios["connect_hold_100_conns"].held_bytes, Some([7, 8]));
        assert_eq!(baseline.scenarios["echo_text_64b_1000_msgs"].held_bytes, None);
        assert_eq!(render(&baseline).unwrap(), TEXT);
    }

    #[test]
    fn a_baseline_without_scenarios_is_written_and_read() {
        let empty = AllocBaseline { scenarios: Default::default(), ..parse(TEXT).unwrap() };
        assert_eq!(parse(&render(&empty).unwrap()).unwrap(), empty);
    }

    #[test]
    fn a_truncated_file_is_not_comparable() {
        // Only the final line break may be missing.
        for length in 0..TEXT.len() - 1 {
            let reason = parse(&TEXT[..length]).unwrap_err();
            assert!(reason.contains("EOF") && reason.contains("line"), "{length}: {reason}");
        }
    }

    #[test]
    fn another_schema_is_not_comparable() {
        check("\"schema\": 4", "\"schema\": 3", "schema 3, this reads 4");
        check("  \"schema\": 4,\n", "", "missing field `schema`");
    }

    #[test]
    fn an_unknown_or_repeated_key_is_not_comparable() {
        check(
            "\"profile\"",
            "\"date\": \"\", \"profile\"",
            "unknown field `date`, expected one of",
        );
        check("\"reads\"", "\"live_blocks\": [0, 0], \"reads\"", "unknown field `live_blocks`");
        check("\"reads\"", "\"blocks\": [0, 0], \"reads\"", "duplicate field `blocks` at line 10");
        check("echo_text_64b_1000_msgs", "connect_hold_100_conns", "duplicate key");
        check("tokio", "bytes", "duplicate key \"bytes\"");
        check(
            "echo_text_64b_1000_msgs",
            "a",
            "unsorted key \"a\" after \"connect_hold_100_conns\" at line 11",
        );
    }

    #[test]
    fn a_missing_or_null_metric_is_not_comparable() {
        check("\"blocks\": [800, 1600], ", "", "missing field `blocks` at line 10");
        check("[7, 8]", "null", "invalid type: null");
        check("[7, 8]", "[7]", "invalid length 1");
        check("[7, 8]", "[7, 8, 9]", "trailing characters");
    }

    #[test]
    fn only_whole_numbers_are_comparable() {
        check("8012", "8012.0", "invalid type: floating point `8012.0`");
        check("8012", "8e3", "invalid type: floating point");
        check("8012", "-1", "invalid value: integer `-1`");
        check("8012", "18446744073709551616", "invalid type: floating point");
    }

    #[test]
    fn operations_that_do_not_grow_are_neither_read_nor_written() {
        for ops in ["[0, 200]", "[100, 100]", "[200, 100]"] {
            check(
                "[100, 200]",
                ops,
                &format!("scenario \"connect_hold_100_conns\": ops {ops} do not grow"),
            );
        }
        let mut baseline = parse(TEXT).unwrap();
        baseline.scenarios.values_mut().for_each(|counts| counts.ops = [0, 0]);
        assert!(render(&baseline).unwrap_err().contains("do not grow"));
    }
}
