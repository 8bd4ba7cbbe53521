use proptest::prelude::*;

use super::*;

const RULE: Rule = Rule { threshold: 0.03, confidence: 0.99 };

/// Sixteen evenly spaced rounds around `head` and around `null`.
fn series(head: f64, null: f64, spread: f64) -> Series {
    let around = |centre: f64| {
        (0..16).map(|i| centre + spread * (f64::from(i) - 7.5) / 7.5).collect::<Vec<f64>>()
    };
    Series { head: around(head), null: around(null) }
}

fn found(series: &Series, rows: usize) -> Finding {
    find(series, RULE, Family { rows, rounds: 16 }).expect("there are rounds")
}

#[track_caller]
fn check(rows: &[Series], verdicts: &[Verdict]) {
    let findings: Vec<Finding> = rows.iter().map(|row| found(row, rows.len())).collect();
    let judged: Vec<Verdict> =
        judge(&findings, RULE).into_iter().map(|(verdict, _)| verdict).collect();
    assert_eq!(judged, verdicts, "{findings:?}");
}

#[test]
fn a_change_beyond_the_threshold_has_a_direction() {
    check(
        &[series(0.05, 0.0, 0.01), series(-0.05, 0.0, 0.01), series(0.0, 0.0, 0.01)],
        &[Verdict::Regressed, Verdict::Improved, Verdict::Pass],
    );
}

#[test]
fn a_change_of_the_threshold_is_called_and_a_smaller_one_passes() {
    check(&[series(0.03, 0.0, 0.001)], &[Verdict::Regressed]);
    check(&[series(0.025, 0.0, 0.001)], &[Verdict::Pass]);
}

#[test]
fn a_large_change_that_chance_explains_is_too_noisy() {
    check(&[series(0.05, 0.0, 0.3)], &[Verdict::TooNoisy]);
}

#[test]
fn what_a_row_could_have_seen_includes_the_spread_from_one_comparison_to_another() {
    let seen = found(&series(0.0, 0.0, 0.0), 1).detectable - RULE.called_from();
    assert!((seen - POWER_QUANTILE * BETWEEN).abs() < 1e-9, "{seen}");
}

#[test]
fn a_row_that_could_not_have_seen_three_thresholds_is_too_noisy_whatever_its_estimate() {
    check(&[series(-0.002, 0.0, 0.4)], &[Verdict::TooNoisy]);
    let seen = |spread| found(&series(0.0, 0.0, spread), 1).detectable;
    let limit = 0.09_f64.ln_1p();
    assert!(seen(0.08) < limit && limit < seen(0.12), "{} {}", seen(0.08), seen(0.12));
    check(&[series(0.0, 0.0, 0.08)], &[Verdict::Pass]);
    check(&[series(0.0, 0.0, 0.12)], &[Verdict::TooNoisy]);
    check(&[series(0.5, 0.0, 0.12)], &[Verdict::Regressed]);
}

#[test]
fn a_row_that_could_have_missed_a_server_twice_as_slow_is_too_noisy_at_every_threshold() {
    for (threshold, spread, verdict) in
        [(1.0, 0.1, Verdict::Pass), (1.0, 0.8, Verdict::TooNoisy), (0.5, 1.2, Verdict::TooNoisy)]
    {
        let rule = Rule { threshold, ..RULE };
        let family = Family { rows: 1, rounds: 16 };
        let finding = find(&series(0.0, 0.0, spread), rule, family).expect("there are rounds");
        assert_eq!(judge(&[finding], rule)[0].0, verdict, "{finding:?}");
    }
}

#[test]
fn a_change_within_reach_of_a_control_that_moved_is_too_noisy() {
    let rows = [0.0, 0.035, -0.035].map(|head| series(head, 0.016, 0.001));
    check(&rows, &[Verdict::TooNoisy; 3]);
    // Base alone was disturbed, so control and head moved together.
    check(&[series(0.1, 0.1, 0.001)], &[Verdict::TooNoisy]);
}

#[test]
fn a_change_that_is_clear_of_a_control_that_moved_has_a_direction() {
    let rows = [series(0.2, -0.016, 0.001), series(-0.2, -0.016, 0.001)];
    check(&rows, &[Verdict::Regressed, Verdict::Improved]);
    check(&[series(0.2, 0.016, 0.06)], &[Verdict::Regressed]);
}

#[test]
fn a_row_among_many_sees_less_than_a_row_alone() {
    let noise = series(0.0, 0.0, 0.05);
    assert!(found(&noise, 1).detectable < found(&noise, 11).detectable);
}

#[test]
fn five_rounds_are_too_few_for_a_regression_or_a_pass() {
    let row = |head| Series { head: vec![head; 5], null: vec![0.0; 5] };
    let find = |head| find(&row(head), RULE, Family { rows: 1, rounds: 5 });
    let findings = [0.05, 0.0].map(|head| find(head).expect("there are rounds"));
    let verdicts = judge(&findings, RULE).into_iter().map(|(verdict, _)| verdict);
    assert_eq!(verdicts.collect::<Vec<_>>(), [Verdict::TooNoisy; 2]);
}

proptest! {
    #[test]
    fn swapping_the_sides_swaps_the_verdict(
        head in proptest::collection::vec(-0.1..0.1_f64, 16),
        null in proptest::collection::vec(-0.02..0.02_f64, 16),
    ) {
        let negative = |values: &[f64]| values.iter().map(|value| -value).collect();
        let swapped = Series { head: negative(&head), null: negative(&null) };
        let verdict = |series: &Series| {
            judge(&[found(series, 1)], RULE)[0].0
        };
        let expected = match verdict(&Series { head, null }) {
            Verdict::Regressed => Verdict::Improved,
            Verdict::Improved => Verdict::Regressed,
            other => other,
        };
        prop_assert_eq!(verdict(&swapped), expected);
    }

    #[test]
    fn more_rows_never_turn_a_pass_into_a_change(rows in proptest::collection::vec(proptest::collection::vec(-0.1..0.1_f64, 12), 1..8)) {
        let findings: Vec<Finding> = rows
            .into_iter()
            .map(|head| found(&Series { head, null: vec![0.0; 12] }, 8))
            .collect();
        let together = judge(&findings, RULE);
        for (finding, (verdict, _)) in findings.iter().zip(together) {
            let alone = judge(std::slice::from_ref(finding), RULE)[0].0;
            prop_assert!(verdict == alone || matches!(verdict, Verdict::Pass | Verdict::TooNoisy));
        }
    }
}
