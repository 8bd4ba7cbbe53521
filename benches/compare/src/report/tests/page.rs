//! What the page says of the comparison, and its axis.

use super::*;

/// The fixture, with the timing of its first row changed by `effect` in an interval.
fn with(effect: f64, interval: [f64; 2]) -> Comparison {
    let mut comparison = fixture::comparison();
    let Part::Measured(timing) = &mut comparison.timing else { panic!("it is measured") };
    timing.rows.truncate(3);
    (timing.rows[0].effect, timing.rows[0].interval) = (effect, interval);
    timing.rows[0].rounds = vec![effect; 3];
    comparison
}

#[test]
fn a_page_has_the_date_the_machine_the_compiler_and_the_titles_of_commits() {
    let page = html(&fixture::comparison());
    for words in [
        "main (3b53277): echo: read &lt;frames&gt; in place<",
        "working tree (49d2e13): echo: copy each message<",
        ">2026-11-27 21:53 UTC · Some CPU @ 2 GHz, 2 processors, Linux 6.1.0 · rustc 1.95.0<",
    ] {
        assert!(page.contains(words), "no {words} in {page}");
    }
}

#[test]
fn an_axis_holds_every_row_and_keeps_small_changes_apart() {
    let page = html(&with(5.19, [4.9, 5.4]));
    for words in [">600 % slower<", ">86 % faster<", ">10 %<", ">9.1 %<"] {
        assert!(page.contains(words), "no {words} in {page}");
    }
    assert!(!page.contains('›') && !page.contains("round off"), "{page}");
    // The band of the threshold is not a hair.
    let band = page.split("rect class=\"band\" x=\"").nth(2).expect("it has a band");
    let x: f64 = band.split('%').next().and_then(|x| x.parse().ok()).expect("it is a number");
    assert!((30.0..42.0).contains(&x), "{x}");
}

#[test]
fn a_server_that_is_twice_as_fast_is_as_far_from_zero_as_one_that_takes_twice_as_long() {
    let at = |effect: f64| {
        let page = html(&with(effect, [effect, effect]));
        let line = page.split("line class=\"estimate\" x1=\"").nth(2).expect("it has a line");
        line.split('%').next().and_then(|x| x.parse::<f64>().ok()).expect("it is a number")
    };
    assert!((at(1.0) - 50.0 + at(-0.5) - 50.0).abs() < 0.02, "{} {}", at(1.0), at(-0.5));
}

#[test]
fn the_part_that_decides_comes_first_on_the_page() {
    let order = |comparison: &Comparison| {
        let page = html(comparison);
        let mut parts = ["Timing", "Exact counts", "Instructions"];
        parts.sort_by_key(|part| page.find(&format!("<h2>{part}</h2>")));
        parts
    };
    assert_eq!(order(&fixture::green())[0], "Timing");
    let mut comparison = fixture::comparison();
    let Part::Measured(timing) = &mut comparison.timing else { panic!("it is measured") };
    timing.rows.retain(|row| row.verdict == Verdict::Pass);
    comparison.instructions = Part::NotMeasured("left out".to_owned());
    assert_eq!(order(&comparison), ["Exact counts", "Timing", "Instructions"]);
}
