use super::{Verdict::*, *};

const TEXT: &str = r#"{
  "schema": 2,
  "machine": "a processor",
  "ratios": {
    "connect/handshake/plain": {"ratio": 3.0, "tolerance": 0.5, "why": "five runs, widest 2.7"},
    "echo_latency/binary/64B": {"ratio": 1.5, "tolerance": null, "why": "it varies"},
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

fn recorded() -> Recorded {
    let ratio = Ratio { ratio: 2.0, tolerance: Some(0.25), why: "test".to_owned() };
    let ratios = Ratios::from([("echo".to_owned(), ratio)]);
    Recorded { machine: "a processor".to_owned(), ratios }
}

fn exactly(ratio: f64) -> Estimate {
    Estimate { ratio, low: ratio, high: ratio }
}

#[track_caller]
fn check_verdict(id: &str, measured: Estimate, expected: &[(&str, Verdict)]) {
    let judgements = judge(&recorded().ratios, &BTreeMap::from([(id.to_owned(), measured)]));
    let found: Vec<_> = judgements
        .iter()
        .map(|judgement| (judgement.id.as_str(), judgement.verdict.expect("it is judged")))
        .collect();
    assert_eq!(found, expected, "{measured:?}");
}

#[test]
fn parsed_ratios_render_to_the_same_bytes() {
    let recorded = parse(TEXT).unwrap();
    assert_eq!(recorded.machine, "a processor");
    assert_eq!(recorded.ratios["echo_latency/text/64B"].tolerance, Some(0.25));
    assert_eq!(recorded.ratios["echo_latency/binary/64B"].tolerance, None);
    assert_eq!(render(&recorded).unwrap(), TEXT);
    let none = Recorded { ratios: Ratios::new(), ..recorded };
    assert_eq!(parse(&render(&none).unwrap()).unwrap(), none);
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
    check("\"schema\": 2", "\"schema\": 3", "schema 3, this reads 2");
    check("\"why\": \"five", "\"median_ns\": 7, \"why\": \"five", "unknown field `median_ns`");
    check("\"ratios\"", "\"kernel\": \"\", \"ratios\"", "unknown field `kernel`");
    check("\"a processor\"", "\" \"", "machine is empty");
    check("\"tolerance\": null, ", "", "missing field `tolerance`");
    check("echo_latency/text/64B", "connect/handshake/plain", "duplicate key");
    check("echo_latency/text/64B", "a/b/c", "unsorted key");
    check("\"ratio\": 3.0, ", "", "missing field `ratio` at line 5");
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
        ratios.ratios.values_mut().for_each(|recorded| recorded.ratio = ratio);
        assert!(render(&ratios).unwrap_err().contains("is not a number above 0"), "{ratio}");
    }
}

#[test]
fn a_ratio_without_a_reason_is_not_comparable() {
    check("five runs, widest 2.7", " ", "\"connect/handshake/plain\": why is empty");
}

#[test]
fn the_tolerance_is_a_factor_both_ways() {
    check_verdict("echo", exactly(2.5), &[("echo", Pass)]);
    check_verdict("echo", exactly(2.501), &[("echo", Regressed)]);
    check_verdict("echo", exactly(1.6), &[("echo", Pass)]);
    check_verdict("echo", exactly(1.599), &[("echo", Improved)]);
}

#[test]
fn a_ratio_whose_interval_holds_the_recorded_one_has_not_changed() {
    let between = |low, ratio, high| Estimate { ratio, low, high };
    check_verdict("echo", between(1.99, 2.6, 2.7), &[("echo", Pass)]);
    check_verdict("echo", between(2.01, 2.6, 2.7), &[("echo", Regressed)]);
    check_verdict("echo", between(1.2, 1.5, 2.01), &[("echo", Pass)]);
    check_verdict("echo", between(1.2, 1.5, 1.99), &[("echo", Improved)]);
}

#[test]
fn a_ratio_that_could_have_missed_three_tolerances_is_too_noisy() {
    let around = |factor: f64| Estimate { ratio: 2.0, low: 2.0 / factor, high: 2.0 * factor };
    check_verdict("echo", around(1.74), &[("echo", Pass)]);
    check_verdict("echo", around(1.76), &[("echo", TooNoisy)]);
}

#[test]
fn a_ratio_without_a_tolerance_is_not_judged() {
    let mut recorded = recorded();
    recorded.ratios.values_mut().for_each(|ratio| ratio.tolerance = None);
    let judge = |measured: &[Estimate]| {
        let measured = measured.iter().map(|one| ("echo".to_owned(), *one)).collect();
        judge(&recorded.ratios, &measured)[0].verdict
    };
    assert_eq!(judge(&[exactly(9.0)]), None);
    assert_eq!(judge(&[exactly(f64::NAN)]), Some(Failed));
    assert_eq!(judge(&[]), Some(Stale));
}

#[test]
fn an_id_on_one_side_is_missing_or_stale() {
    check_verdict("connect", exactly(1.0), &[("connect", Missing), ("echo", Stale)]);
}

#[test]
fn a_measured_ratio_that_is_not_a_positive_number_fails() {
    for measured in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 0.0, -1.0] {
        check_verdict("echo", exactly(measured), &[("echo", Failed)]);
        check_verdict("new", exactly(measured), &[("echo", Stale), ("new", Failed)]);
        let low = Estimate { low: measured, ..exactly(2.0) };
        check_verdict("echo", low, &[("echo", Failed)]);
    }
}
