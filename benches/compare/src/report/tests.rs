use baselines::Verdict;
use baselines::sites::SiteCost;
use bench_show::colour::plain;
use serde_json::Value;

use super::fixture;
use super::*;
use crate::model::{ExactRow, Part, TimingRow};
use crate::outcome::{Accepted, exit_code};

mod page;
mod programs;
mod rows;
mod stopped;
mod verdict;

const FORMATS: [Format; 4] = [Format::Table, Format::Json, Format::Markdown, Format::Junit];

fn rendered(comparison: &Comparison, format: Format) -> String {
    plain(&render(comparison, format).expect("every comparison can be rendered"))
}

/// Calls `check` with each fixture, for facts that hold for every comparison.
fn each(check: impl Fn(&Comparison)) {
    [fixture::comparison(), fixture::green(), fixture::empty()].iter().for_each(check);
}

/// Compares `text` with the file `snapshots/<name>.snap`; `INSTA_UPDATE=always` rewrites the file.
#[track_caller]
fn snapshot(name: &str, text: &str) {
    let mut settings = insta::Settings::clone_current();
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!(name, text));
}

/// The page without its style, a line for each element.
fn elements(comparison: &Comparison) -> String {
    let page = html(comparison);
    let (head, rest) = page.split_once("<style>").expect("it has a style");
    let (_, body) = rest.split_once("</style>").expect("the style ends");
    [head, body].concat().replace("><", ">\n<")
}

#[test]
fn a_table_names_the_rows_that_changed_and_the_next_step() {
    snapshot("table", &rendered(&fixture::comparison(), Format::Table));
}

#[test]
fn a_green_table_names_the_smallest_change_that_could_have_been_seen() {
    snapshot("table_green", &rendered(&fixture::green(), Format::Table));
}

#[test]
fn a_table_without_rows_is_not_comparable() {
    snapshot("table_empty", &rendered(&fixture::empty(), Format::Table));
}

#[test]
fn markdown_folds_the_rows_that_passed() {
    snapshot("markdown", &rendered(&fixture::comparison(), Format::Markdown));
}

#[test]
fn junit_keeps_failures_apart_from_errors_and_skipped_cases() {
    snapshot("junit", &rendered(&fixture::comparison(), Format::Junit));
    let green = rendered(&fixture::green(), Format::Junit);
    assert!(green.contains(r#"tests="9" skipped="2" failures="0" errors="0">"#), "{green}");
}

#[test]
fn json_has_every_number_and_null_for_a_missing_one() {
    snapshot("json", &rendered(&fixture::small(), Format::Json));
}

#[test]
fn a_page_has_every_row() {
    snapshot("page", &elements(&fixture::comparison()));
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
fn a_part_that_failed_is_counted_and_explained_in_every_format() {
    let mut broken = fixture::green();
    broken.timing = Part::Failed("head exited before it served".to_owned());
    broken.exit_code = 1;
    snapshot("table_failed", &rendered(&broken, Format::Table));
    for text in FORMATS.map(|format| rendered(&broken, format)).into_iter().chain([html(&broken)]) {
        assert!(text.to_lowercase().contains("failed"), "{text}");
        assert!(text.contains("head exited before it served"), "{text}");
    }
}

#[test]
fn the_site_that_grew_most_is_looked_at_first_whatever_the_order_of_scenarios() {
    let mut comparison = fixture::comparison();
    let Part::Measured(rows) = &mut comparison.exact else { panic!("it is measured") };
    let mut first = rows[0].clone();
    "connect_close_100_conns".clone_into(&mut first.id);
    first.sites.truncate(1);
    first.sites[0].place = Some("server/src/http.rs:9".to_owned());
    first.sites[0].head = Some(SiteCost { blocks: [1, 1], bytes: [128, 256] });
    rows.insert(0, first);
    let text = rendered(&comparison, Format::Table);
    assert!(text.contains("look at server/src/echo.rs:134 (echo_text_64b_1000_msgs)"), "{text}");
}

#[test]
fn a_site_that_shrank_most_is_not_the_one_to_look_at_in_any_format() {
    let mut comparison = fixture::comparison();
    let Part::Measured(rows) = &mut comparison.exact else { panic!("it is measured") };
    let mut shrunk = rows[0].sites[0].clone();
    shrunk.place = Some("server/src/http.rs:9".to_owned());
    shrunk.base = Some(SiteCost { blocks: [9000, 18_000], bytes: [9000, 18_000] });
    rows[0].sites.insert(0, shrunk);
    let reason = "per message: blocks 0 → 2, bytes 0 → 128; server/src/echo.rs:134";
    for format in [Format::Table, Format::Junit] {
        let text = rendered(&comparison, format).replace("\n    ", " ");
        assert!(text.contains(reason), "{text}");
    }
}

#[test]
fn a_row_that_wavers_is_named_and_a_regression_beside_it_said_first() {
    let mut comparison = fixture::comparison();
    if let Part::Measured(rows) = &mut comparison.instructions {
        rows[1].verdict = Verdict::Nondeterministic;
    }
    let last = |comparison: &Comparison| {
        let table = rendered(comparison, Format::Table);
        table.split_once("next: ").expect("it has a next step").1.replace("\n  ", " ")
    };
    comparison.exit_code = exit_code(&comparison, Accepted::default());
    assert_eq!(last(&comparison), "look at server/src/echo.rs:134 (echo_text_64b_1000_msgs)\n");
    comparison.timing = Part::Failed("head exited".to_owned());
    comparison.exit_code = exit_code(&comparison, Accepted::default());
    let failed = "fix the failed part, then compare again; and look at server/src/echo.rs:134";
    assert!(last(&comparison).starts_with(failed), "{}", last(&comparison));
    comparison.timing = Part::NotMeasured("left out".to_owned());
    if let Part::Measured(rows) = &mut comparison.exact {
        rows.clear();
    }
    if let Part::Measured(rows) = &mut comparison.instructions {
        rows.retain(|row| row.verdict == Verdict::Nondeterministic);
    }
    comparison.exit_code = exit_code(&comparison, Accepted::default());
    let id = "echo_in_memory_binary_16kib_fragmented";
    assert_eq!(last(&comparison), format!("run again; what did not repeat is not judged: {id}\n"));
}

#[test]
fn a_part_that_was_not_measured_has_its_state_in_json() {
    let json: Value =
        serde_json::from_str(&rendered(&fixture::green(), Format::Json)).expect("it is JSON");
    let expected = serde_json::json!({
        "state": "not measured",
        "why": "no valgrind here; apt-get install valgrind",
        "rows": [],
    });
    assert_eq!(json["instructions"], expected);
}

#[test]
fn a_part_without_rows_is_an_error_in_every_format() {
    let empty = fixture::empty();
    let junit = rendered(&empty, Format::Junit);
    assert!(junit.contains(r#"tests="3" skipped="0" failures="0" errors="3">"#), "{junit}");
    let markdown = rendered(&empty, Format::Markdown);
    assert!(markdown.contains("**3 not comparable**"), "{markdown}");
    let page = html(&empty);
    assert!(page.contains("NOT COMPARABLE") && page.matches("no row").count() == 3, "{page}");
}

#[test]
fn a_site_of_many_scenarios_is_shown_once() {
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
    let table = rendered(&comparison, Format::Table);
    assert_eq!(table.matches("\n  as above  server/src/echo.rs:134\n").count(), 4, "{table}");
}

#[test]
fn an_accepted_verdict_fails_no_test_case() {
    let mut accepted = fixture::comparison();
    accepted.exit_code = 0;
    let junit = rendered(&accepted, Format::Junit);
    assert!(junit.contains(r#"failures="0" errors="0">"#), "{junit}");
}

#[test]
fn every_accepted_verdict_is_noticed() {
    let mut accepted = fixture::comparison();
    accepted.exit_code = 0;
    let table = rendered(&accepted, Format::Table).replace("\n  ", " ");
    for notice in ["1 too noisy to judge, accepted by --noisy-ok", "2 improved, acc", "2 without a"]
    {
        assert!(table.contains(&format!("notice: {notice}")), "{table}");
    }
}

#[test]
fn a_comparison_that_measured_nothing_is_an_error_in_junit() {
    let why = || "left out with --skip".to_owned();
    let mut nothing = fixture::green();
    nothing.timing = Part::NotMeasured(why());
    nothing.exact = Part::NotMeasured(why());
    nothing.exit_code = exit_code(&nothing, Accepted::default());
    assert_eq!(nothing.exit_code, 5);
    let junit = rendered(&nothing, Format::Junit);
    assert!(junit.contains(r#"tests="3" skipped="0" failures="0" errors="3">"#), "{junit}");
}

#[test]
fn markup_in_a_name_is_escaped() {
    let mut comparison = fixture::comparison();
    comparison.base.name = "<b>|__x__".to_owned();
    if let Part::Measured(rows) = &mut comparison.exact {
        rows[0].id = "<script>|</script>".to_owned();
    }
    let markdown = rendered(&comparison, Format::Markdown);
    assert!(markdown.contains("### REGRESSED: &lt;b&gt;&#124;&#95;&#95;x_&#95; "), "{markdown}");
    assert!(markdown.contains("<code>&lt;script&gt;&#124;&lt;"), "{markdown}");
    let page = html(&comparison);
    assert!(page.contains("&lt;b&gt;") && page.contains("&lt;script&gt;"), "{page}");
    assert!(!page.contains("<script") && !page.contains("<b>"), "{page}");
}

#[test]
fn the_page_needs_no_other_file() {
    each(|comparison| {
        let page = html(comparison);
        for reference in ["://", "src=", "href=", "url(", "@import", "<script", "<link"] {
            assert!(!page.contains(reference), "{reference}");
        }
        assert!(page.contains("default-src 'none'; style-src 'unsafe-inline'"), "{page}");
    });
}

#[test]
fn a_row_without_numbers_has_dashes_or_null() {
    let mut comparison = fixture::comparison();
    if let Part::Measured(timing) = &mut comparison.timing {
        let row = &mut timing.rows[0];
        (row.base_ns, row.effect, row.interval) = (f64::NAN, f64::NAN, [f64::NAN; 2]);
        (row.detectable, row.p, row.rounds) = (f64::INFINITY, f64::NAN, vec![f64::NAN]);
    }
    let table = rendered(&comparison, Format::Table);
    let row = table.lines().find(|line| line.contains("–…–")).expect("it has a row of dashes");
    assert!(row.starts_with(" text/64B") && row.matches('–').count() == 5, "{row}");
    assert!(rendered(&comparison, Format::Json).contains("\"effect\": null"));
    assert!(!html(&comparison).contains("NaN"));
}
