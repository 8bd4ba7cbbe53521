use super::{Verdict::*, *};

const TEXT: &str = r#"{
  "schema": 1,
  "ratios": {
    "connect/handshake/plain": {"ratio": 3.0, "tolerance": 0.5, "why": "five runs, widest 2.7"},
    "echo_latency/text/64B": {"ratio": 1.04, "tolerance": 0.25, "why": "the \"quiet\" week"}
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

fn recorded() -> Ratios {
    Ratios::from([(
        "echo".to_owned(),
        Ratio { ratio: 2.0, tolerance: 0.25, why: "test".to_owned() },
    )])
}

#[track_caller]
fn check_verdict(id: &str, measured: f64, expected: &[(&str, Verdict)]) {
    let judgements = judge(&recorded(), &BTreeMap::from([(id.to_owned(), measured)]));
    let found: Vec<_> =
        judgements.iter().map(|judgement| (judgement.id.as_str(), judgement.verdict)).collect();
    assert_eq!(found, expected, "{measured}");
}

#[test]
fn parsed_ratios_render_to_the_same_bytes() {
    let ratios = parse(TEXT).unwrap();
    assert_eq!(ratios["echo_latency/text/64B"].tolerance, 0.25);
    assert_eq!(render(&ratios).unwrap(), TEXT);
    assert_eq!(parse(&render(&Ratios::new()).unwrap()).unwrap(), Ratios::new());
}

#[test]
fn a_file_is_saved_and_loaded() {
    let root = tempfile::tempdir().unwrap();
    let path = path(root.path());
    assert!(matches!(load(&path), Err(Error::Missing { .. })));
    let mut recording = Recording::begin(root.path()).unwrap();
    save(&path, &recorded(), &mut recording).unwrap();
    recording.commit().unwrap();
    assert_eq!(load(&path).unwrap(), recorded());
}

#[test]
fn a_file_that_save_would_not_write_is_not_comparable() {
    check("\"schema\": 1", "\"schema\": 3", "schema 3, this reads 1");
    check("\"why\": \"five", "\"median_ns\": 7, \"why\": \"five", "unknown field `median_ns`");
    check("\"ratios\"", "\"machine\": \"\", \"ratios\"", "unknown field `machine`");
    check("echo_latency/text/64B", "connect/handshake/plain", "duplicate key");
    check("echo_latency/text/64B", "a/b/c", "unsorted key");
    check("\"ratio\": 3.0, ", "", "missing field `ratio` at line 4");
    check("}\n}", "}", "EOF");
}

#[test]
fn a_number_that_is_not_above_0_is_neither_read_nor_written() {
    check("3.0", "0.0", "\"connect/handshake/plain\": ratio 0.0 is not a number above 0");
    check("3.0", "-1.0", "ratio -1.0");
    check("3.0", "1e999", "number out of range");
    check("0.25", "0", "\"echo_latency/text/64B\": tolerance 0.0 is not");
    check("0.25", "-0.25", "tolerance -0.25");
    for ratio in [f64::NAN, f64::INFINITY, 0.0] {
        let mut ratios = recorded();
        ratios.values_mut().for_each(|recorded| recorded.ratio = ratio);
        assert!(render(&ratios).unwrap_err().contains("is not a number above 0"), "{ratio}");
    }
}

#[test]
fn a_ratio_without_a_reason_is_not_comparable() {
    check("five runs, widest 2.7", " ", "\"connect/handshake/plain\": why is empty");
}

#[test]
fn the_tolerance_is_a_factor_both_ways() {
    check_verdict("echo", 2.5, &[("echo", Pass)]);
    check_verdict("echo", 2.501, &[("echo", Regressed)]);
    check_verdict("echo", 1.6, &[("echo", Pass)]);
    check_verdict("echo", 1.599, &[("echo", Improved)]);
}

#[test]
fn an_id_on_one_side_is_missing_or_stale() {
    check_verdict("connect", 1.0, &[("connect", Missing), ("echo", Stale)]);
}

#[test]
fn a_measured_ratio_that_is_not_a_positive_number_fails() {
    for measured in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 0.0, -1.0] {
        check_verdict("echo", measured, &[("echo", Failed)]);
        check_verdict("new", measured, &[("echo", Stale), ("new", Failed)]);
    }
}
