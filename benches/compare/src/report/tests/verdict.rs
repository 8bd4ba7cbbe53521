//! The word that every report begins with, and the row that it names.

use super::*;

/// A comparison whose only rows are timings of two programs: id, change and smallest change that could have been seen.
fn timings(rows: &[(&str, f64, f64, Verdict)]) -> Comparison {
    let mut comparison = fixture::comparison();
    (comparison.base.commit, comparison.head.commit) = (None, None);
    comparison.exact = Part::NotMeasured("left out".to_owned());
    comparison.instructions = Part::NotMeasured("left out".to_owned());
    let Part::Measured(timing) = &mut comparison.timing else { panic!("it is measured") };
    let any = timing.rows[0].clone();
    let row = |&(id, effect, detectable, verdict): &(&str, f64, f64, Verdict)| TimingRow {
        id: id.to_owned(),
        effect,
        detectable,
        verdict,
        ..any.clone()
    };
    timing.rows = rows.iter().map(row).collect();
    comparison.exit_code = exit_code(&comparison, Accepted::default());
    comparison
}

#[track_caller]
fn begins(comparison: &Comparison, word: &str, tone: &str) {
    let table = rendered(comparison, Format::Table);
    let (mark, colour) = match tone {
        "good" | "better" => ('✓', 32),
        "bad" => ('✗', 31),
        _ => ('?', 33),
    };
    assert!(table.starts_with(&format!("{mark} {word}: main")), "{table}");
    let end = format!("\n{mark} {word}: ");
    assert_eq!(table.matches(&end).count(), 1, "the end repeats it: {table}");
    let coloured = render(comparison, Format::Table).expect("it can be rendered");
    let start = format!("\x1b[1m\x1b[{colour}m{mark} {word}\x1b[0m: main");
    assert!(coloured.starts_with(&start), "{coloured}");
    let markdown = rendered(comparison, Format::Markdown);
    assert!(markdown.starts_with(&format!("### {word}: main")), "{markdown}");
    let page = html(comparison);
    let banner = format!("<div class=\"banner {tone}\"><strong>{word}</strong>");
    assert!(page.contains(&banner), "{page}");
}

#[test]
fn every_report_begins_with_the_verdict() {
    begins(&fixture::comparison(), "REGRESSED", "bad");
    begins(&fixture::green(), "PASS", "good");
    begins(&fixture::empty(), "NOT COMPARABLE", "unsure");
    let one = |verdict| timings(&[("echo/text/64B", -0.1, 0.03, verdict)]);
    begins(&one(Verdict::Improved), "IMPROVED", "better");
    begins(&one(Verdict::TooNoisy), "TOO NOISY", "unsure");
    let mut broken = fixture::green();
    broken.timing = Part::Failed("head exited".to_owned());
    broken.exit_code = exit_code(&broken, Accepted::default());
    begins(&broken, "FAILED", "bad");
}

#[test]
fn the_reasons_of_a_regression_have_the_numbers_of_each_part() {
    let table = rendered(&fixture::comparison(), Format::Table).replace("\n    ", " ");
    let first: Vec<&str> = table.lines().take(4).collect();
    assert_eq!(
        first,
        [
            "✗ REGRESSED: main (3b53277) → working tree (49d2e13)",
            "  echo_text_64b_1000_msgs: per message: blocks 0 → 2, bytes 0 → 128; server/src/echo.rs:134",
            "  echo_in_memory_text_64b: 4812 → 5058.50 instructions per message, +5.1 %",
            "  dashboard_1000_ticks_8_subs: cpu 31.5 µs → 72.6 µs, +130 %",
        ]
    );
}

#[test]
fn the_next_step_names_the_largest_regression_for_what_its_row_could_see() {
    let red = Verdict::Regressed;
    let rows = [
        ("echo_latency/text/64B", 0.052, 0.035, red),
        ("echo_burst/text/1KiB", 0.9, 1.0, red),
        ("echo_cpu/text/16KiB", 5.19, 0.06, red),
        ("connect_rate/handshake/plain", 0.04, 0.035, red),
    ];
    let table = rendered(&timings(&rows), Format::Table);
    assert!(table.ends_with("next: look for changes that affect echo_cpu/text/16KiB\n"), "{table}");
}

#[test]
fn verdicts_in_a_table_have_colours() {
    let table = render(&fixture::comparison(), Format::Table).expect("it can be rendered");
    for words in [
        "3.9  \x1b[31mregressed\x1b[0m\n",
        "4.1  \x1b[32mpass\x1b[0m\n",
        "8.4  \x1b[33mtoo noisy\x1b[0m\n",
        "echo_text_64b_1000_msgs: \x1b[31mregressed\x1b[0m\n",
        "0.0 %  \x1b[32mpass\x1b[0m\n",
    ] {
        assert!(table.contains(words), "no {words:?} in {table:?}");
    }
}

#[test]
fn a_leak_is_worse_than_a_scenario_that_allocates_more() {
    let mut comparison = fixture::comparison();
    if let Part::Measured(rows) = &mut comparison.exact {
        rows[0].sites.clear();
    }
    comparison.instructions = Part::NotMeasured("left out".to_owned());
    let table = rendered(&comparison, Format::Table).replace("\n  ", " ");
    assert!(table.contains("changes that affect slow_header_100_conns"), "{table}");
    assert!(table.contains(" slow_header_100_conns: still alive at the end"), "{table}");
}

#[test]
fn a_pass_with_noise_that_a_flag_accepted_is_not_green() {
    let rows = [
        ("echo_latency/text/64B", 0.0, 0.035, Verdict::Pass),
        ("echo_burst/text/1KiB", 0.0, 1.49, Verdict::TooNoisy),
    ];
    let mut comparison = timings(&rows);
    assert_eq!(comparison.exit_code, 6);
    begins(&comparison, "TOO NOISY", "unsure");
    comparison.exit_code = exit_code(&comparison, Accepted { noisy: true, ..Accepted::default() });
    assert_eq!(comparison.exit_code, 0);
    begins(&comparison, "PASS", "unsure");
    let end = rendered(&comparison, Format::Table).replace("\n  ", " ");
    let seen = "smallest change that could have been seen: in time 3.5 % (echo_latency/text/64B)\n";
    assert!(end.ends_with(seen), "{end}");
}

#[test]
fn a_hint_at_a_known_cause_is_in_every_report() {
    let id = "echo_latency/text/64B";
    let mut comparison = timings(&[(id, 99.0, 0.03, Verdict::Regressed)]);
    let Part::Measured(timing) = &mut comparison.timing else { panic!("it is measured") };
    timing.hints.insert(id.to_owned(), "whole steps of 40 ms: TCP_NODELAY?".to_owned());
    let texts = FORMATS.map(|format| rendered(&comparison, format));
    for text in texts.iter().chain([&html(&comparison)]) {
        assert!(text.contains("steps of 40 ms: TCP_NODELAY?"), "{text}");
    }
    assert!(texts[0].lines().take(4).any(|line| line.contains("TCP_NODELAY?")), "{}", texts[0]);
}
