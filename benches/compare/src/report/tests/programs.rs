//! Two programs, and what a system of CI shows of a failed row.

use super::*;

/// A comparison of `--base-cmd` and `--head-cmd`.
fn of_programs() -> Comparison {
    let mut comparison = fixture::green();
    (comparison.base.commit, comparison.head.commit) = (None, None);
    (comparison.exact, comparison.instructions) = (Part::Inapplicable, Part::Inapplicable);
    comparison
}

#[test]
fn two_programs_are_told_nothing_of_scenarios() {
    let comparison = of_programs();
    let texts = [Format::Table, Format::Markdown, Format::Junit]
        .map(|format| rendered(&comparison, format))
        .into_iter();
    for text in texts.chain([html(&comparison)]) {
        let text = text.to_lowercase();
        for word in ["scenario", "exact counts", "instructions", "not measured"] {
            assert!(!text.contains(word), "{word} in {text}");
        }
    }
    let json: Value =
        serde_json::from_str(&rendered(&comparison, Format::Json)).expect("it is JSON");
    assert_eq!(json["exact"]["state"], "not measured");
    assert_eq!(exit_code(&comparison, Accepted::default()), 0);
}

#[test]
fn two_programs_without_any_measured_part_do_not_pass() {
    let mut comparison = of_programs();
    comparison.timing = Part::NotMeasured("left out with --skip".to_owned());
    assert_eq!(exit_code(&comparison, Accepted::default()), 5);
}

#[test]
fn the_message_of_a_failed_case_has_the_numbers_and_the_line() {
    let junit = rendered(&fixture::comparison(), Format::Junit);
    for words in [
        r#"<testcase name="echo_text_64b_1000_msgs" classname="exact" file="server/src/echo.rs" line="134">"#,
        r#"<failure message="regressed: per message: blocks 0 → 2, bytes 0 → 128; server/src/echo.rs:134"/>"#,
        r#"<failure message="leaked: still alive at the end: 1 descriptors"/>"#,
        r#"<failure message="missing: only head has numbers"/>"#,
        r#"<failure message="regressed: cpu 31.5 µs → 72.6 µs, +130 % (+119…+141), "#,
        "server::echo::Echo::poll_messages (server/src/echo.rs)\"/>",
    ] {
        assert!(junit.contains(words), "no {words} in {junit}");
    }
}
