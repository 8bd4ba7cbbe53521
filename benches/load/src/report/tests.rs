use std::fs;
use std::path::Path;
use std::time::{Duration, SystemTime};

use proptest::prelude::*;
use serde_json::Value;

use super::*;
use crate::merge::merge;
use crate::validator::{Assessment, RunVerdict, validate};
use load_plan::metrics::Timing;
use load_plan::model::{Phase, Run};

const WIDTH: usize = 80;

/// For facts that hold whatever came of a run.
fn each(check: impl Fn(&Run, &Assessment)) {
    let runs = [
        fixture::passing(),
        fixture::failing(),
        fixture::starved(),
        fixture::incomplete(),
        fixture::interrupted(),
    ];
    let verdicts = [
        RunVerdict::Pass,
        RunVerdict::Fail,
        RunVerdict::Invalid,
        RunVerdict::Incomplete,
        RunVerdict::Interrupted,
    ];
    for (run, verdict) in runs.into_iter().zip(verdicts) {
        let assessment = validate(&run);
        assert_eq!(assessment.verdict, verdict, "{:?}", assessment.reasons);
        check(&run, &assessment);
    }
}

fn failing() -> (Run, Assessment) {
    let run = fixture::failing();
    let assessment = validate(&run);
    (run, assessment)
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
    each(|run, assessment| {
        for line in table::render(run, assessment, WIDTH, None).lines() {
            assert!(line.chars().count() <= WIDTH, "{line}");
            assert_eq!(line, line.trim_end());
        }
    });
}

#[test]
fn a_table_begins_with_the_verdict_and_ends_with_what_to_type() {
    each(|run, assessment| {
        let text = table::render(run, assessment, WIDTH, None);
        let verdict = assessment.verdict.name().to_uppercase();
        assert!(text.starts_with(&format!("{verdict}: checkout against ws://")), "{text}");
        assert_eq!(text.contains("\nnext: "), assessment.verdict != RunVerdict::Pass, "{text}");
    });
}

#[test]
fn a_table_says_what_was_violated_when_and_by_how_much() {
    let (run, assessment) = failing();
    let text = table::render(&run, &assessment, WIDTH, None);
    let parts = [
        "latency_p99 is ",
        "thresholds",
        "latency_p99",
        "< 10ms",
        "violated at 41 s",
        "worst seconds of latency_p99: 41 (",
        "judged: rtt_intended",
        "4 reset",
        "messages at fault: 3 lost, 31 late, 1 corrupted",
        "back-pressure: 214 times",
        "12 blocks",
        "fifty",
        "31 late, first at 43 s: message 881 of connection 17",
        "next: ws-load search checkout.toml",
    ];
    check(&text, &parts);
}

#[test]
fn who_knows_the_profile_by_a_path_is_told_that_path() {
    let (run, assessment) = failing();
    let text = table::render(&run, &assessment, WIDTH, Some("load/mine.toml"));
    check(&text, &["next: ws-load search load/mine.toml"]);
}

#[test]
fn a_percentile_that_few_values_support_is_a_dash_and_null() {
    let (run, assessment) = (fixture::interrupted(), validate(&fixture::interrupted()));
    let json = json::render(&run, &assessment).unwrap();
    let connect = &json["overall"]["timings"]["connect"];
    assert!(connect["count"].as_u64().is_some_and(|count| (1..20).contains(&count)), "{connect}");
    assert_eq!((&connect["p50_ns"], &connect["p99_ns"]), (&Value::Null, &Value::Null));
    check(&table::render(&run, &assessment, WIDTH, None), &["connect ", "–", "–"]);
}

#[test]
fn json_names_everything() {
    let (run, assessment) = failing();
    let json = json::render(&run, &assessment).unwrap();
    let at = |pointer: &str| json.pointer(pointer).unwrap_or_else(|| panic!("no {pointer}"));
    assert_eq!(
        (at("/schema"), at("/tool"), at("/verdict")),
        (&1.into(), &"ws-load".into(), &"fail".into())
    );
    assert_eq!(at("/run/shard/of"), 1);
    assert_eq!(at("/profile/traffic/timeout"), "2s");
    assert_eq!(at("/thresholds/0/metric"), "latency_mean");
    assert_eq!(at("/thresholds/0/unit"), "ns");
    assert_eq!(at("/thresholds/0/stage"), &Value::Null);
    assert_eq!(at("/overall/counts/endings/refused"), 2);
    assert_eq!(at("/overall/counts/endings/dns"), 0);
    assert_eq!(at("/overall/counts/faults/lost"), 3);
    assert_eq!(at("/overall/errors/count"), 41);
    assert_eq!(at("/overall/judged"), "rtt_intended");
    assert_eq!(at("/overall/latency/count"), at("/overall/timings/rtt_intended/count"));
    assert_eq!(at("/stages/2/name"), "sustained");
    assert_eq!(at("/intervals/0/phase"), "ramp");
    assert_eq!(at("/details/0/kind"), "late");
    assert_eq!(at("/allocations/remaining_blocks"), 12);
    assert_eq!(json.pointer("/intervals/0/counts/endings/dns"), None);
}

#[test]
fn json_as_text_is_the_same_with_an_interval_a_line() {
    each(|run, assessment| {
        let text = json::text(run, assessment).unwrap();
        let value: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(value, json::render(run, assessment).unwrap());
        let intervals = text.lines().filter(|line| line.starts_with("    {\"second\": "));
        assert_eq!(intervals.count(), run.intervals.len());
        check(
            &text,
            &["{\n  \"schema\": 1,\n  \"tool\": \"ws-load\",", "\n  \"intervals\": [\n", "\n}\n"],
        );
    });
}

/// Every key of a report is in its schema, and what the schema requires is there.
#[test]
fn a_report_is_as_its_schema_has_it() {
    let schema = json::schema();
    each(|run, assessment| {
        conforms(&schema, &schema, &json::render(run, assessment).unwrap(), "report")
    });
}

fn conforms(root: &Value, schema: &Value, value: &Value, path: &str) {
    if let Some(reference) = schema["$ref"].as_str() {
        let pointer = reference.trim_start_matches('#');
        return conforms(root, root.pointer(pointer).expect("a definition"), value, path);
    }
    if let Some(choices) = schema["anyOf"].as_array() {
        let is_null = |choice: &&Value| choice["type"] == "null";
        let choice = choices.iter().find(|choice| is_null(choice) == value.is_null());
        return conforms(root, choice.expect("a choice"), value, path);
    }
    if let Some(known) = schema["enum"].as_array() {
        assert!(known.contains(value), "{path}: {value}");
    }
    let kind = match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_f64() => "number",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    };
    let allows = |allowed: &Value| allowed == kind || allowed == "number" && kind == "integer";
    match &schema["type"] {
        Value::Array(kinds) => assert!(kinds.iter().any(allows), "{path} is {kind}, not {kinds:?}"),
        one => assert!(allows(one), "{path} is {kind}, not {one}"),
    }
    for key in schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str) {
        assert!(value.get(key).is_some(), "{path} has no {key}");
    }
    for (index, item) in value.as_array().into_iter().flatten().enumerate() {
        conforms(root, &schema["items"], item, &format!("{path}.{index}"));
    }
    for (key, item) in value.as_object().into_iter().flatten() {
        match schema["properties"].get(key) {
            Some(property) => conforms(root, property, item, &format!("{path}.{key}")),
            None => {
                assert_eq!(schema["additionalProperties"], true, "{path}.{key} is in no schema")
            }
        }
    }
}

#[test]
fn csv_has_a_line_an_interval_under_a_header_with_units() {
    let (run, _) = failing();
    let text = String::from_utf8(csv::render(&run).unwrap()).unwrap();
    let lines: Vec<Vec<&str>> = text.lines().map(|line| line.split(',').collect()).collect();
    assert_eq!(lines.len(), run.intervals.len() + 1);
    assert!(lines.iter().all(|cells| cells.len() == lines[0].len()));
    let column = |name: &str| {
        lines[0].iter().position(|cell| *cell == name).unwrap_or_else(|| panic!("no {name}"))
    };
    let sum = |name| {
        lines[1..].iter().map(|cells| cells[column(name)].parse::<u64>().unwrap()).sum::<u64>()
    };
    let counts = run.sum(|_| true).counts;
    assert_eq!(
        (sum("messages_sent"), sum("messages_late"), sum("ended_reset")),
        (counts.sent, 31, 4)
    );
    for name in ["length_ns", "rtt_intended_p99_ns", "received_mbps", "generator_cpu_processors"] {
        column(name);
    }
}

#[test]
fn junit_tells_a_violation_from_a_measurement_that_says_nothing() {
    let of = |run: Run| junit::render(&run, &validate(&run)).unwrap();
    check(&of(fixture::passing()), &["failures=\"0\" errors=\"0\"", "latency_p99 &lt; 10ms"]);
    check(&of(fixture::failing()), &["errors=\"0\"", "<failure message=\"latency_p99 is "]);
    for run in [fixture::starved(), fixture::incomplete(), fixture::interrupted()] {
        let verdict = validate(&run).verdict.name();
        let error = format!("<error message=\"{verdict}\"");
        check(
            &of(run),
            &["failures=\"0\" errors=\"1\"", "the measurement can be trusted", &error, "<skipped "],
        );
    }
}

#[test]
fn the_page_needs_no_other_file() {
    each(|run, assessment| {
        let page = html::render(run, assessment);
        for reference in ["src=", "href=", "url(", "@import", "<script", "<link", "NaN", "inf%"] {
            assert!(!page.contains(reference), "{reference}");
        }
        check(&page, &["default-src 'none'; style-src 'unsafe-inline'"]);
    });
}

#[test]
fn the_page_shows_the_limit_the_errors_and_how_to_repeat_it() {
    let (run, assessment) = failing();
    let parts = [
        "Fail",
        "Next: ",
        "latency_p99",
        "violated",
        "Latency over time",
        "p99, mean &lt; 10ms",
        "By percentile",
        "31 late",
        "sustained",
        "&lt;script&gt;alert(1)",
        "checkout.toml",
        "ws-load run checkout.toml",
        "X-Tenant",
    ];
    check(&html::render(&run, &assessment), &parts);
}

#[test]
fn a_long_run_is_drawn_in_few_slots_that_lose_nothing() {
    let mut run = fixture::passing();
    let hold = run.intervals.iter().find(|interval| interval.phase == Phase::Hold).unwrap().clone();
    run.intervals =
        (0..4000).map(|second| load_plan::model::Interval { second, ..hold.clone() }).collect();
    let slots = timeline::slots(&run);
    assert!(slots.len() <= 240, "{}", slots.len());
    let received: u64 = slots.iter().map(|slot| slot.sample.counts.received).sum();
    assert_eq!(received, 4000 * hold.sample.counts.received);
    assert!(slots.iter().all(|slot| (slot.generator_cpu - hold.generator_cpu).abs() < 1e-9));
    assert_eq!(slots.last().map(|slot| slot.to.round()), Some(4000.0));
}

/// A new folder, and a place in it that is not there yet.
fn folder() -> (tempfile::TempDir, std::path::PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("reports/one");
    (folder, path)
}

fn names(dir: &Path) -> Vec<String> {
    let mut names: Vec<_> = fs::read_dir(dir)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[test]
fn a_report_is_read_back_as_it_was() {
    each(|run, assessment| {
        let (_folder, dir) = folder();
        directory::write(&dir, run, assessment, false).unwrap();
        assert_eq!(
            names(&dir),
            ["intervals.csv", "intervals.hlog", "junit.xml", "report.html", "report.json"]
        );
        assert_eq!(&directory::read(&dir).unwrap(), run);
    });
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn any_run_is_read_back_as_it_was(
        run_id in "\\PC{0,12}",
        started in 0..4_000_000_000_000_000_000_u64,
        cpu in 0.0..64.0_f64,
        text in "\\PC{0,40}",
        heap in any::<(u64, i64)>(),
        keep in proptest::sample::subsequence((0..70).collect::<Vec<_>>(), 0..8),
    ) {
        let mut run = fixture::failing();
        (run.run_id, run.started_unix_ns) = (run_id, u128::from(started));
        run.intervals = keep.iter().filter_map(|index| run.intervals.get(*index)).cloned().collect();
        run.intervals.iter_mut().for_each(|interval| interval.generator_cpu = cpu);
        run.error_samples[0].text = text;
        if let Some(allocations) = &mut run.allocations {
            (allocations.total_bytes, allocations.remaining_bytes) = heap;
        }
        let (_folder, dir) = folder();
        directory::write(&dir, &run, &validate(&run), false).unwrap();
        prop_assert_eq!(directory::read(&dir).unwrap(), run);
    }
}

#[test]
fn merged_reports_are_a_report() {
    let shards = [0, 1].map(|index| {
        let mut run = fixture::passing();
        (run.shard, run.shards) = (load_plan::model::Shard { index, of: 2 }, vec![index]);
        run.allocations = None;
        let (folder, dir) = folder();
        directory::write(&dir, &run, &validate(&run), false).unwrap();
        let read = directory::read(&dir).unwrap();
        drop(folder);
        read
    });
    let messages = shards[0].sum(|_| true).counts.received;
    let merged = merge(shards.to_vec()).unwrap();
    let (_folder, dir) = folder();
    directory::write(&dir, &merged, &validate(&merged), false).unwrap();
    let read = directory::read(&dir).unwrap();
    assert_eq!(read, merged);
    assert_eq!(read.sum(|_| true).counts.received, 2 * messages);
}

#[test]
fn a_folder_of_others_is_left_alone() {
    let (folder, _) = folder();
    fs::write(folder.path().join("thesis.tex"), "").unwrap();
    let (run, assessment) = failing();
    for overwrite in [false, true] {
        let error = directory::write(folder.path(), &run, &assessment, overwrite).unwrap_err();
        check(&error.to_string(), &["holds other files", "--out"]);
    }
    assert_eq!(names(folder.path()), ["thesis.tex"]);
}

#[test]
fn a_report_is_replaced_only_on_request() {
    let (folder, dir) = folder();
    let (run, assessment) = failing();
    directory::write(&dir, &run, &assessment, false).unwrap();
    let error = directory::write(&dir, &run, &assessment, false).unwrap_err();
    check(&error.to_string(), &["holds a report already", "--overwrite"]);
    let passing = fixture::passing();
    directory::write(&dir, &passing, &validate(&passing), true).unwrap();
    assert_eq!(directory::read(&dir).unwrap(), passing);
    drop(folder);
}

#[test]
fn what_a_killed_run_left_is_cleared_away_and_what_a_living_one_writes_is_not() {
    let (_folder, dir) = folder();
    fs::create_dir_all(&dir).unwrap();
    for (name, age) in [(".ws-load-dead", 3600), (".ws-load-live", 0)] {
        let file = fs::File::create(dir.join(name)).unwrap();
        file.set_modified(SystemTime::now() - Duration::from_secs(age)).unwrap();
    }
    directory::prepare(&dir, false).unwrap();
    assert_eq!(names(&dir), [".ws-load-live"]);
}

#[test]
fn a_part_of_a_report_is_replaced_on_request() {
    let (_folder, dir) = folder();
    let (run, assessment) = failing();
    directory::write(&dir, &run, &assessment, false).unwrap();
    fs::remove_file(dir.join("report.json")).unwrap();
    let error = directory::prepare(&dir, false).unwrap_err();
    check(&error.to_string(), &["holds a part of a report", "--overwrite"]);
    directory::prepare(&dir, true).unwrap();
    // A file of that name alone may be anybody's.
    fs::remove_file(dir.join("intervals.hlog")).unwrap();
    check(&directory::prepare(&dir, true).unwrap_err().to_string(), &["holds other files"]);
}

#[test]
fn a_folder_that_cannot_be_leaves_nothing_behind() {
    let (folder, _) = folder();
    fs::write(folder.path().join("file"), "").unwrap();
    let (run, assessment) = failing();
    let error =
        directory::write(&folder.path().join("file/out"), &run, &assessment, false).unwrap_err();
    check(&error.to_string(), &["cannot write", "file/out", "--out"]);
    assert_eq!(names(folder.path()), ["file"]);
}

#[test]
fn what_stands_in_the_way_of_one_file_stops_all() {
    let (_folder, dir) = folder();
    let (run, assessment) = failing();
    directory::write(&dir, &run, &assessment, false).unwrap();
    fs::remove_file(dir.join("junit.xml")).unwrap();
    fs::create_dir(dir.join("junit.xml")).unwrap();
    let passing = fixture::passing();
    let error = directory::write(&dir, &passing, &validate(&passing), true).unwrap_err();
    check(&error.to_string(), &["junit.xml is a folder"]);
    assert_eq!(directory::read(&dir).unwrap(), run);
    assert_eq!(names(&dir).len(), 5);
}

#[track_caller]
fn damaged(damage: impl Fn(&str, &str) -> (String, String), expected: &[&str]) {
    let (_folder, dir) = folder();
    let (run, assessment) = failing();
    directory::write(&dir, &run, &assessment, false).unwrap();
    let [json, log] = ["report.json", "intervals.hlog"].map(|name| dir.join(name));
    let before = [&json, &log].map(|path| fs::read_to_string(path).unwrap());
    let (new_json, new_log) = damage(&before[0], &before[1]);
    assert!(before[0] != new_json || before[1] != new_log, "nothing is damaged");
    fs::write(json, new_json).unwrap();
    fs::write(log, new_log).unwrap();
    check(&format!("{:#}", directory::read(&dir).unwrap_err()), expected);
}

#[test]
fn a_damaged_file_is_named() {
    let cut = |text: &str, lines: usize| {
        text.lines().take(lines).map(|line| format!("{line}\n")).collect::<String>()
    };
    damaged(
        |json, log| (json.replacen("\"sent\": ", "\"sent\": 1", 1), log.to_owned()),
        &["report.json is damaged", "do not add up"],
    );
    damaged(
        |json, log| (json[..json.len() / 2].to_owned(), log.to_owned()),
        &["report.json is damaged", "not JSON"],
    );
    damaged(
        |json, log| (json.replace("\"schema\": 1", "\"schema\": 2"), log.to_owned()),
        &["report.json", "its schema is 2, and this ws-load reads 1"],
    );
    damaged(
        |json, log| (json.replace("ws-load", "other"), log.to_owned()),
        &["report.json", "no report of ws-load"],
    );
    damaged(
        |json, log| (json.to_owned(), cut(log, 30)),
        &["intervals.hlog is damaged", "has 0 values here"],
    );
    damaged(
        |json, log| (json.to_owned(), log.replace("HIST", "hist")),
        &["intervals.hlog is damaged"],
    );
    damaged(
        |json, log| (json.to_owned(), log.replace(".0.hold", ".7.hold")),
        &["intervals.hlog is damaged"],
    );
    damaged(
        |json, log| (json.to_owned(), log.replace("BaseTime: 1795", "BaseTime: 1695")),
        &["of two runs"],
    );
}

#[test]
fn a_folder_without_a_report_says_what_is_missing() {
    let (folder, _) = folder();
    let error = directory::read(folder.path()).unwrap_err();
    check(&error.to_string(), &["cannot read", "report.json", "--out"]);
}

#[test]
fn the_log_has_an_entry_for_every_timing_of_every_interval() {
    let (run, _) = failing();
    let log = String::from_utf8(interval_log::render(&run).unwrap()).unwrap();
    let entries = log.lines().filter(|line| line.starts_with("Tag="));
    let timed = run.intervals.iter().flat_map(|interval| &interval.sample.timings);
    assert_eq!(entries.count(), timed.filter(|distribution| distribution.count > 0).count());
    check(
        &log,
        &[
            "#[StartTime: 1795324443.218 (",
            "#[BaseTime: 1795324443.218 (",
            "Tag=rtt_intended.0.ramp,0.000,1.000,",
        ],
    );
    let tag = |timing: Timing| format!("Tag={}.2.hold,", timing.name());
    check(&log, &[&tag(Timing::RttIntended), &tag(Timing::RttService)]);
}
