use serde_json::Value;

use super::fixture;
use super::*;
use crate::model::{ExactRow, Part};

fn rendered(comparison: &Comparison, format: Format) -> String {
    render(comparison, format).expect("the writers take every comparison")
}

/// All three, for facts that hold whatever was found.
fn each(check: impl Fn(&Comparison)) {
    [fixture::comparison(), fixture::green(), fixture::empty()].iter().for_each(check);
}

#[track_caller]
fn check(text: &str, parts: &[&str]) {
    let mut rest = text;
    for part in parts {
        let at = rest.find(part).unwrap_or_else(|| panic!("no {part:?}, or too early, in\n{text}"));
        rest = &rest[at + part.len()..];
    }
}

#[test]
fn a_table_fits_80_columns() {
    each(|comparison| {
        for line in rendered(comparison, Format::Table).lines() {
            assert!(line.chars().count() <= 80, "{line}");
            assert_eq!(line, line.trim_end());
        }
    });
}

#[test]
fn a_table_says_what_grew_where_and_what_to_look_at() {
    let parts = [
        "45.6 µs  47.9 µs    +5.1    +4.2…+6.0  +0.2   3.9  regressed",
        "84.5k/s  96.4k/s   -12.3",
        "echo_text_64b_1000_msgs: regressed\n  per message: blocks 0 → 2, bytes 0 → 128\n",
        "+1 blocks, +64 bytes per message  server/src/echo.rs:134\n      alloc_copy::to_vec <- ",
        "4 scenarios equal to the block and the byte",
        "only head has numbers: dashboard_1000_ticks_8_subs (missing)",
        "8 pass, 4 regressed, 2 improved, 1 leaked, 2 missing, 1 stale, 1 too noisy",
        "next: look at server/src/echo.rs:134 (echo_text_64b_1000_msgs)",
    ];
    check(&rendered(&fixture::comparison(), Format::Table), &parts);
}

#[test]
fn a_green_table_says_how_small_a_change_it_could_have_seen() {
    let text = rendered(&fixture::green(), Format::Table).replace("\n  ", " ");
    check(
        &text,
        &[
            "instructions per operation: not measured: no valgrind here",
            "7 pass; not measured: instructions",
            "any block, byte, read or write; in time 3.6 % (cpu/echo_text/64B) to 4.4 % (connect/",
        ],
    );
}

#[test]
fn a_part_that_broke_is_counted_and_said_in_every_format() {
    let mut broken = fixture::green();
    broken.timing = Part::Failed("head exited before it served".to_owned());
    broken.exit_code = 1;
    for format in [Format::Table, Format::Json, Format::Markdown, Format::Junit] {
        check(&rendered(&broken, format), &["failed", "head exited before it served"]);
    }
    check(&rendered(&broken, Format::Table), &["4 pass, 1 failed; not measured: instructions"]);
    check(&html(&broken), &["Failed", "head exited before it served"]);
}

#[test]
fn a_site_of_many_scenarios_is_said_once() {
    let mut comparison = fixture::comparison();
    if let Part::Measured(rows) = &mut comparison.exact {
        let regressed = rows[0].clone();
        rows.extend((2..5).map(|n| ExactRow { id: format!("another_{n}"), ..regressed.clone() }));
    }
    for format in [Format::Table, Format::Markdown] {
        let text = rendered(&comparison, format);
        assert_eq!(text.matches("alloc_copy::to_vec").count(), 1, "{text}");
        assert_eq!(text.to_lowercase().matches("in 4 scenarios").count(), 3, "{text}");
    }
}

#[test]
fn json_has_every_number_and_null_where_there_is_none() {
    let text = rendered(&fixture::comparison(), Format::Json);
    let json: Value = serde_json::from_str(&text).expect("it is JSON");
    let at = |pointer: &str| json.pointer(pointer).unwrap_or_else(|| panic!("no {pointer}"));
    assert_eq!(at("/schema"), 1);
    assert_eq!(at("/exit_code"), 3);
    assert_eq!(at("/verdicts/too noisy"), 1);
    assert_eq!(at("/timing/rows/0/base_ns"), 45_600.0);
    assert_eq!(at("/timing/rows/0/rounds").as_array().map(Vec::len), Some(10));
    assert_eq!(at("/timing/rows/2/unit"), "rate");
    assert_eq!(at("/timing/rows/2/p99_ns"), &Value::Null);
    assert_eq!(at("/exact/rows/0/changes/blocks/head/1"), 4062);
    assert_eq!(at("/exact/rows/0/sites/0/base"), &Value::Null);
    assert_eq!(at("/exact/rows/0/sites/0/head/bytes/1"), 128_000);
    assert_eq!(at("/exact/rows/3/base"), &Value::Null);
    assert_eq!(at("/instructions/rows/0/functions/0/head"), 1012.5);
    let green = rendered(&fixture::green(), Format::Json);
    check(&green, &["\"instructions\": {", "\"state\": \"not measured\""]);
}

#[test]
fn junit_tells_what_is_worse_from_what_is_unknown() {
    let text = rendered(&fixture::comparison(), Format::Junit);
    let parts = [
        r#"<testsuites name="ws-compare" tests="20" skipped="1" failures="10" errors="1">"#,
        r#"<failure message="regressed"/>"#,
        r#"<error message="too noisy"/>"#,
        r#"<skipped message="base serves no /ws/dashboard"/>"#,
    ];
    check(&text, &parts);
    let green = rendered(&fixture::green(), Format::Junit);
    check(&green, &[r#"tests="9" skipped="2" failures="0" errors="0">"#]);
}

#[test]
fn a_part_without_rows_is_never_green() {
    let empty = fixture::empty();
    check(&rendered(&empty, Format::Table), &["no row", "3 not comparable\nnext: "]);
    check(&rendered(&empty, Format::Junit), &[r#"tests="3" skipped="0" failures="0" errors="3">"#]);
    check(&rendered(&empty, Format::Markdown), &["**3 not comparable**"]);
    check(&html(&empty), &["Not comparable", "no row", "no row", "no row"]);
}

#[test]
fn what_the_exit_code_accepts_fails_no_test_case() {
    let mut accepted = fixture::comparison();
    accepted.exit_code = 0;
    check(&rendered(&accepted, Format::Junit), &[r#"failures="0" errors="0">"#]);
}

#[test]
fn markdown_folds_only_what_is_unremarkable() {
    let text = rendered(&fixture::comparison(), Format::Markdown);
    let parts = [
        "#### 4 regressed",
        "server/src/echo.rs:134",
        "&lt;tokio_tungstenite::WebSocketStream as",
        "#### 1 too noisy",
        "#### 2 improved",
        "<details>",
        "connect/handshake/plain",
        "</details>",
    ];
    check(&text, &parts);
}

#[test]
fn markup_in_a_name_stays_text() {
    let mut comparison = fixture::comparison();
    comparison.base.name = "<b>|__x__".to_owned();
    if let Part::Measured(rows) = &mut comparison.exact {
        rows[0].id = "<script>|</script>".to_owned();
    }
    let markdown = rendered(&comparison, Format::Markdown);
    check(&markdown, &["### &lt;b&gt;&#124;&#95;&#95;x_&#95; ", "<code>&lt;script&gt;&#124;&lt;"]);
    let page = html(&comparison);
    check(&page, &["&lt;b&gt;", "&lt;script&gt;"]);
    assert!(!page.contains("<script") && !page.contains("<b>"));
}

#[test]
fn the_page_needs_no_other_file() {
    each(|comparison| {
        let page = html(comparison);
        for reference in ["://", "src=", "href=", "url(", "@import", "<script", "<link"] {
            assert!(!page.contains(reference), "{reference}");
        }
        check(&page, &["default-src 'none'; style-src 'unsafe-inline'"]);
    });
}

#[test]
fn the_page_adds_up_what_callers_share() {
    check(
        &html(&fixture::comparison()),
        &["The same by caller", "server::echo::Echo::poll_messages", "+2 blocks, +128.32 bytes"],
    );
}

#[test]
fn a_row_without_numbers_has_dashes_in_every_format() {
    let mut comparison = fixture::comparison();
    if let Part::Measured(timing) = &mut comparison.timing {
        let row = &mut timing.rows[0];
        (row.base_ns, row.effect, row.interval) = (f64::NAN, f64::NAN, [f64::NAN; 2]);
        (row.detectable, row.p, row.rounds) = (f64::INFINITY, f64::NAN, vec![f64::NAN]);
    }
    check(&rendered(&comparison, Format::Table), &[" text/64B", "–", "–", "–…–"]);
    check(&rendered(&comparison, Format::Json), &["\"effect\": null"]);
    assert!(!html(&comparison).contains("NaN"));
}
