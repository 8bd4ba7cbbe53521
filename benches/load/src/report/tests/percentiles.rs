use crate::report::table;
use crate::summary::fixture::{MS, SECOND, interval, run};
use crate::validator::validate;
use bench_show::colour::plain;
use load_plan::metrics::{Recorder, Timing};
use load_plan::model::{Interval, Phase};

const PROFILE: &str = "name = 'test'\n[[stage]]\nname = 'few'\nconnections = 10\nhold = '1s'\n\
    [[stage]]\nname = 'many'\nconnections = 10\nhold = '1s'\nthresholds = { latency_p99 = '< 1s' }\n\
    [thresholds]\nlatency_p50 = '< 1s'\nlatency_p99 = '< 1s'\nlatency_p999 = '< 1s'\n";

/// A second of `stage` in which answers took 1, 2, … `ended` ms, and `lost` messages had none.
fn second(stage: usize, ended: u64, lost: u64) -> Interval {
    let mut recorder = Recorder::default();
    (1..=ended).for_each(|ms| recorder.record(Timing::RttIntended, ms * MS));
    (0..lost).for_each(|_| recorder.record_lost(Timing::RttIntended, SECOND));
    recorder.counts.sent = ended + lost;
    recorder.counts.due = ended + lost;
    recorder.counts.received = ended;
    Interval { sample: recorder.cut(), ..interval(stage as u64, stage, Phase::Hold) }
}

fn cells<'a>(text: &'a str, row: &str) -> Vec<&'a str> {
    let line = text.lines().find(|line| line.split("  ").next() == Some(row));
    let line = line.unwrap_or_else(|| panic!("no {row} in {text}"));
    line.split("  ").map(str::trim).filter(|cell| !cell.is_empty()).collect()
}

/// The table of a run of two stages, each with answers and lost messages.
fn table_of(few: (u64, u64), many: (u64, u64)) -> String {
    let run = run(PROFILE, [second(0, few.0, few.1), second(1, many.0, many.1)]);
    plain(&table::render(&run, &validate(&run), 120, None))
}

#[test]
fn a_percentile_is_the_same_beside_its_limit_and_in_the_tables() {
    for (few, many) in [(1, 1), (20, 79), (20, 80), (90, 310), (99, 100), (500, 999)] {
        let text = table_of((few, 0), (many, 0));
        let (all, stage) = (cells(&text, "rtt_intended"), cells(&text, "many"));
        let max = format!("~{}", all[6]);
        for (limit, shown) in [("p50", all[2]), ("p99", all[4]), ("p999", all[5])] {
            let measured = cells(&text, &format!("latency_{limit}"))[2].to_owned();
            match shown {
                "= max" => assert_eq!(measured, max, "{text}"),
                _ => assert_eq!(measured, shown, "{text}"),
            }
        }
        let measured = cells(&text, "latency_p99 of many")[2];
        let expected = if stage[5] == "= max" { format!("~{}", stage[6]) } else { stage[5].into() };
        assert_eq!(measured, expected, "{text}");
        assert!(text.contains("\n~: fewer than ten"), "{text}");
    }
}

#[test]
fn only_a_percentile_that_ten_samples_are_above_has_no_tilde() {
    let text = table_of((1, 0), (999, 0));
    assert_eq!(cells(&text, "rtt_intended")[2..6], ["499 ms", "899 ms", "989 ms", "~998 ms"]);
    assert_eq!(cells(&text, "few")[4..7], ["= max", "= max", "1.00 ms"]);
    let text = table_of((1, 0), (99, 0));
    assert_eq!(cells(&text, "rtt_intended")[2..6], ["49.0 ms", "89.1 ms", "~98.0 ms", "= max"]);
    let text = table_of((10_000, 0), (10_000, 0));
    let cells = cells(&text, "rtt_intended");
    assert!(!cells.iter().any(|cell| cell.contains('~') || cell.contains("max")), "{cells:?}");
}

#[test]
fn a_percentile_among_lost_messages_is_lost_in_both_tables() {
    let text = table_of((50, 0), (340, 10));
    assert_eq!(cells(&text, "rtt_intended")[4..7], ["lost", "lost", "lost"]);
    assert!(text.contains("✗ lost") || text.contains("? lost"), "{text}");
}
