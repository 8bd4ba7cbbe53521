use insta::assert_snapshot;

use super::{each, failing, says};
use crate::report::{Asked, csv, fixture, junit, table};
use crate::validator::{RunVerdict, validate};
use bench_show::colour::plain;

const WIDTH: usize = 80;

#[test]
fn a_table_begins_with_the_verdict_and_ends_with_the_next_command() {
    each(|run, assessment| {
        let text = plain(&table::render(run, assessment, WIDTH, None));
        assert_snapshot!(format!("table_{}", assessment.verdict.name()), text);
        assert_eq!(text.contains("\nnext: "), assessment.verdict != RunVerdict::Pass);
    });
}

#[test]
fn a_table_fits_80_columns() {
    each(|run, assessment| {
        for line in plain(&table::render(run, assessment, WIDTH, None)).lines() {
            assert!(line.chars().count() <= WIDTH, "{line}");
            assert_eq!(line, line.trim_end());
        }
    });
}

#[test]
fn the_sample_in_the_documentation_is_what_a_table_shows() {
    let page = include_str!("../../../../LOAD.md");
    let sample = page.lines().skip_while(|line| !line.contains("$ ws-load run checkout.toml"));
    let sample = sample.skip(1).take_while(|line| line.is_empty() || line.starts_with("    "));
    let wanted = sample.filter_map(|line| line.get(4..)).filter(|line| *line != "…");
    let run = fixture::passing();
    let text = plain(&table::render(&run, &validate(&run), WIDTH, None));
    let mut lines = text.lines();
    let mut count = 0;
    for wanted in wanted {
        assert!(lines.any(|line| line == wanted), "no {wanted:?}, or not there, in:\n{text}");
        count += 1;
    }
    assert!(count > 20, "only {count} lines of a sample");
}

#[test]
fn a_verdict_and_each_limit_have_the_colour_of_their_outcome() {
    let (green, red, yellow) = ("\x1b[32m", "\x1b[31m", "\x1b[33m");
    each(|run, assessment| {
        let text = table::render(run, assessment, WIDTH, None);
        let (verdict, colours) = match assessment.verdict {
            RunVerdict::Pass => (green, &[green][..]),
            RunVerdict::Fail => (red, &[green, red][..]),
            // Nothing is judged.
            _ => (yellow, &[yellow][..]),
        };
        assert!(text.starts_with(&format!("\x1b[1m{verdict}")), "{text}");
        let limits = text.lines().skip_while(|line| !line.starts_with("thresholds"));
        for limit in limits.skip(1).take(assessment.checks.len()) {
            assert!(colours.iter().any(|colour| limit.contains(colour)), "{limit}");
        }
    });
}

#[test]
fn the_next_command_names_the_profile_as_the_last_command_did() {
    let (run, assessment) = failing();
    let flag = ["--conversation", "my rpc.toml"].map(str::to_owned).to_vec();
    let profile = Some("load/mine.toml".to_owned());
    let asked = Asked { profile, flags: vec![flag], saved: None };
    let text = table::render(&run, &assessment, WIDTH, Some(&asked));
    let url = "'ws://127.0.0.1:9001/ws/echo?room=1&user=2'";
    // In one line, so that it can be pasted.
    let line =
        format!("\nnext: ws-load search load/mine.toml {url} --conversation 'my rpc.toml'\n");
    assert!(plain(&text).contains(&line), "{text}");
}

#[test]
fn junit_has_failures_for_violations_and_an_error_for_an_invalid_measurement() {
    each(|run, assessment| {
        let text = junit::render(run, assessment).unwrap();
        assert_snapshot!(format!("junit_{}", assessment.verdict.name()), text);
    });
}

#[test]
fn junit_has_a_failure_for_a_leak_and_skips_times_of_a_late_generator() {
    let mut run = fixture::starved();
    run.allocations = fixture::failing().allocations;
    let assessment = validate(&run);
    assert_eq!(assessment.verdict, RunVerdict::Fail);
    let text = junit::render(&run, &assessment).unwrap();
    says(
        &text,
        &[
            "failures=\"1\" errors=\"1\"",
            "<failure message=\"remaining_allocations is 12, and must be == 0\"/>",
            "<error message=\"invalid\">the generator was late",
            "<skipped message=\"invalid: latency_p99 is",
        ],
    );
}

#[test]
fn csv_has_one_line_per_interval_under_a_header_with_units() {
    let (run, _) = failing();
    let text = String::from_utf8(csv::render(&run).unwrap()).unwrap();
    let lines: Vec<Vec<&str>> = text.lines().map(|line| line.split(',').collect()).collect();
    assert_eq!(lines.len(), run.intervals.len() + 1);
    assert!(lines.iter().all(|cells| cells.len() == lines[0].len()));
    // One column per line: the header, and the cells of a ramp and of a hold in which the target stopped.
    let columns = lines[0].iter().enumerate();
    let columns =
        columns.map(|(at, name)| format!("{name}: {}, {}\n", lines[1][at], lines[48][at]));
    assert_snapshot!(columns.collect::<String>());
}
