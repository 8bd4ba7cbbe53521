//! What a comparison shows that a signal ended.

use super::*;

fn stopped(comparison: &Comparison, running: Option<&Timing>, step: &str) -> String {
    plain(&crate::report::stopped(comparison, running, step))
}

#[test]
fn a_stopped_comparison_shows_what_it_had_and_no_verdict_of_timings() {
    let mut comparison = fixture::comparison();
    let Part::Measured(timing) = comparison.timing else { panic!("it is measured") };
    comparison.timing = Part::NotMeasured("the comparison was stopped before".to_owned());
    snapshot("stopped", &stopped(&comparison, Some(&timing), "4 of 5, timing"));
}

#[test]
fn a_stopped_comparison_keeps_the_verdicts_of_timings_that_were_finished() {
    let text = stopped(&fixture::comparison(), None, "5 of 5, instructions");
    assert!(text.contains("  in step 5 of 5, instructions: this is no verdict\n"), "{text}");
    assert!(text.contains("+0.2   3.9  regressed\n"), "{text}");
    assert!(!text.contains("next: ") && !text.contains("REGRESSED"), "{text}");
}

#[test]
fn a_stopped_comparison_shows_the_parts_that_had_failed() {
    let mut comparison = fixture::comparison();
    comparison.exact = Part::Failed("head: the suite ended with 101".to_owned());
    let text = stopped(&comparison, None, "5 of 5, instructions");
    assert!(text.contains("\nexact counts: failed: head: the suite ended with 101\n"), "{text}");
    let Part::Measured(running) = comparison.timing else { panic!("it is measured") };
    comparison.timing = Part::Failed("head exited before it served".to_owned());
    let text = stopped(&comparison, Some(&running), "5 of 5, instructions");
    assert!(text.contains("\ntiming: failed: head exited before it served\n"), "{text}");
    assert!(!text.contains("not finished") && !text.contains("not measured"), "{text}");
}

#[test]
fn an_interval_of_too_few_rounds_is_dashes() {
    let mut comparison = fixture::comparison();
    let Part::Measured(mut timing) = comparison.timing else { panic!("it is measured") };
    timing.rows.truncate(1);
    (timing.rows[0].interval, timing.rows[0].rounds) = ([-1.0, f64::INFINITY], vec![0.05]);
    comparison.timing = Part::NotMeasured("the comparison was stopped before".to_owned());
    let text = stopped(&comparison, Some(&timing), "4 of 5, timing");
    assert!(text.contains("+5.1       –…–  +0.2   3.9  1 round\n"), "{text}");
}
