use std::fs;

use super::directory::folder;
use super::{failing, says};
use crate::report::directory;

#[track_caller]
fn damage(change: impl Fn(&str, &str) -> (String, String), expected: &[&str]) {
    let (_folder, dir) = folder();
    let (run, assessment) = failing();
    directory::write(&dir, &run, &assessment, false).unwrap();
    let [json, log] = ["report.json", "intervals.hlog"].map(|name| dir.join(name));
    let before = [&json, &log].map(|path| fs::read_to_string(path).unwrap());
    let (new_json, new_log) = change(&before[0], &before[1]);
    assert!(before[0] != new_json || before[1] != new_log, "nothing is damaged");
    fs::write(json, new_json).unwrap();
    fs::write(log, new_log).unwrap();
    says(&format!("{:#}", directory::read(&dir).unwrap_err()), expected);
}

#[test]
fn a_damaged_file_is_named() {
    let cut = |text: &str, lines: usize| {
        text.lines().take(lines).map(|line| format!("{line}\n")).collect::<String>()
    };
    damage(
        |json, log| (json.replacen("\"sent\": ", "\"sent\": 1", 1), log.to_owned()),
        &["report.json is damaged", "do not add up"],
    );
    damage(
        |json, log| (json[..json.len() / 2].to_owned(), log.to_owned()),
        &["report.json is damaged", "not JSON"],
    );
    damage(
        |json, log| (json.replace("\"schema\": 1", "\"schema\": 2"), log.to_owned()),
        &["report.json", "its schema is 2, and this ws-load reads 1"],
    );
    damage(
        |json, log| (json.replace("ws-load", "other"), log.to_owned()),
        &["report.json", "not a report of ws-load"],
    );
    damage(
        |json, log| (json.to_owned(), cut(log, 30)),
        &["intervals.hlog is damaged", "has 0 values here"],
    );
    damage(
        |json, log| (json.to_owned(), log.replace("HIST", "hist")),
        &["intervals.hlog is damaged"],
    );
    damage(
        |json, log| (json.to_owned(), log.replace(".0.hold", ".7.hold")),
        &["intervals.hlog is damaged"],
    );
    damage(
        |json, log| (json.to_owned(), log.replace("BaseTime: 1795", "BaseTime: 1695")),
        &["of two runs"],
    );
}
