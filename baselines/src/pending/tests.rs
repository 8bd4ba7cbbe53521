use std::collections::BTreeMap;
use std::fs;

use crate::alloc::Metric;
use crate::sites::SiteCost;

use super::*;

const TARGET: &str = "x86_64-unknown-linux-gnu";

fn regressed() -> Pending {
    let counts = |blocks| Counts { ops: [10, 20], blocks, ..Counts::default() };
    let cost = SiteCost { blocks: [11, 21], bytes: [640, 1280] };
    let change = SiteChange {
        key: "chat::say <- chat::main".to_owned(),
        place: Some("src/chat.rs:7".to_owned()),
        recorded: None,
        measured: Some(cost),
    };
    Pending {
        id: "echo_10_msgs".to_owned(),
        package: "chat-server".to_owned(),
        test: "alloc".to_owned(),
        target: TARGET.to_owned(),
        provenance: Provenance {
            rustc: "1.95.0 (abc 2026-01-01)".to_owned(),
            profile: "release".to_owned(),
            packages: BTreeMap::from([("tokio".to_owned(), "1.54.1".to_owned())]),
        },
        verdict: Verdict::Regressed,
        unit: "message".to_owned(),
        recorded: Some(counts([1, 1])),
        measured: counts([11, 21]),
        slack: vec![Slack { metric: Metric::Bytes, amount: 8, reason: "a date".to_owned() }],
        sites: Sites::from([(change.key.clone(), cost)]),
        sites_changed: vec![change],
    }
}

fn passed() -> Pending {
    let counts = regressed().recorded.unwrap();
    Pending {
        verdict: Verdict::Pass,
        measured: counts.clone(),
        recorded: Some(counts),
        sites: Sites::new(),
        sites_changed: Vec::new(),
        ..regressed()
    }
}

#[track_caller]
fn check(change: impl FnOnce(&mut Pending), reason: &str) {
    let mut one = regressed();
    change(&mut one);
    let found = Pending::parse(&format::render(&one)).unwrap_err();
    assert!(found.contains(reason), "{found}");
    let folder = tempfile::tempdir().unwrap();
    assert!(one.save(folder.path()).is_err(), "it is not written either");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn pending_numbers_read_back_as_they_were_written() {
    let missing = Pending {
        recorded: None,
        verdict: Verdict::Missing,
        sites_changed: Vec::new(),
        ..regressed()
    };
    for one in [regressed(), passed(), missing] {
        assert_eq!(Pending::parse(&format::render(&one)), Ok(Some(one)));
    }
}

#[test]
fn a_changed_metric_is_listed() {
    let changes = regressed().changes();
    assert_eq!(changes.iter().map(|change| change.metric).collect::<Vec<_>>(), [Metric::Blocks]);
}

#[test]
fn other_json_is_no_pending_file_and_broken_json_is_an_error() {
    for other in ["{}", "[1]", "7", r#"{"schema": 9, "scenarios": {}}"#] {
        assert_eq!(Pending::parse(other), Ok(None), "{other}");
    }
    let text = format::render(&regressed());
    assert!(Pending::parse(&text[..text.len() / 2]).is_err());
}

#[test]
fn another_schema_or_another_key_is_refused() {
    let text = format::render(&regressed());
    let with = |old: &str, new: &str| Pending::parse(&text.replacen(old, new, 1)).unwrap_err();
    let other = with("\"schema\": 1", "\"schema\": 2");
    assert!(other.starts_with("schema 2, this reads 1; install the cargo-plimsoll"), "{other}");
    assert!(with("\"unit\"", "\"date\": 1, \"unit\"").contains("unknown field `date`"));
    assert!(with("  \"unit\": \"message\",\n", "").contains("missing field `unit`"));
}

#[test]
fn a_name_that_could_be_a_path_is_refused() {
    for bad in ["", "../x", "a/b", "/etc/passwd", "a.b", "a\\b", "a\0", "ä", &"x".repeat(201)] {
        check(|one| one.id = bad.to_owned(), "is no name of a scenario");
        check(|one| one.package = bad.to_owned(), "is no name of a package");
        check(|one| one.test = bad.to_owned(), "is no name of a test");
    }
    for bad in ["", "..", ".hidden", "x..y", "a/b", "a b"] {
        check(|one| one.target = bad.to_owned(), "is no name of a target");
    }
    check(|one| one.id = "a-b".to_owned(), "is no name of a scenario");
}

#[test]
fn a_command_for_the_terminal_is_refused() {
    for bad in ["\u{1b}[2J", "a\nb", "\u{202e}txt"] {
        check(|one| one.unit = bad.to_owned(), "is no plain text");
        check(|one| one.provenance.rustc = bad.to_owned(), "is no plain text");
        check(|one| one.sites_changed[0].place = Some(bad.to_owned()), "is no plain text");
        check(|one| one.slack[0].reason = bad.to_owned(), "is no plain text");
        check(|one| _ = one.sites.insert(bad.to_owned(), SiteCost::default()), "is no plain text");
    }
}

#[test]
fn a_reason_that_quotes_the_file_commands_no_terminal() {
    let text = format::render(&regressed()).replacen("\"unit\"", "\"\\u001b[2J\": 1, \"unit\"", 1);
    let reason = Pending::parse(&text).unwrap_err();
    assert!(reason.contains("unknown field `\u{fffd}[2J`"), "{reason}");
}

#[test]
fn a_verdict_that_its_counts_contradict_is_refused() {
    check(
        |one| one.verdict = Verdict::Improved,
        "it says \"improved\", but its counts are \"regressed\"",
    );
    check(|one| one.verdict = Verdict::Leaked, "it says \"leaked\"");
    check(|one| one.recorded = None, "its counts are \"missing\"");
    check(
        |one| one.sites.clear(),
        "its call sites add up to [0, 0] blocks, its totals to [11, 21]",
    );
    check(|one| one.sites_changed[0].measured = None, "two costs of the call site");
    check(|one| one.measured.ops = [0, 0], "do not grow");
}

#[test]
fn a_scenario_has_one_file_which_can_be_removed() {
    let folder = tempfile::tempdir().unwrap();
    let files =
        || find(folder.path()).unwrap().into_iter().map(|(path, _)| path).collect::<Vec<_>>();
    regressed().save(folder.path()).unwrap();
    let target = folder.path().join(TARGET);
    assert_eq!(files(), [target.join("echo_10_msgs.json")]);
    passed().save(folder.path()).unwrap();
    assert_eq!(files(), [target.join("unchanged/echo_10_msgs.json")]);
    remove(folder.path(), TARGET, "echo_10_msgs").unwrap();
    remove(folder.path(), TARGET, "echo_10_msgs").unwrap();
    assert!(files().is_empty());
    assert!(find(&folder.path().join("none")).unwrap().is_empty());
}

#[test]
fn pending_files_are_found_at_any_depth_and_links_are_not_followed() {
    let folder = tempfile::tempdir().unwrap();
    let outside = tempfile::tempdir().unwrap();
    regressed().save(outside.path()).unwrap();
    regressed().save(&folder.path().join("artifact/chat-server/alloc")).unwrap();
    fs::write(folder.path().join("report.json"), "{}").unwrap();
    std::os::unix::fs::symlink(outside.path(), folder.path().join("link")).unwrap();
    let found = find(folder.path()).unwrap();
    assert_eq!(found.iter().map(|(_, one)| one.id.as_str()).collect::<Vec<_>>(), ["echo_10_msgs"]);
    fs::write(folder.path().join("broken.json"), "{").unwrap();
    assert!(find(folder.path()).unwrap_err().to_string().contains("broken.json is not comparable"));
}

#[test]
fn a_huge_file_and_a_deep_folder_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    fs::File::create(folder.path().join("a.json")).unwrap().set_len(MOST_BYTES + 1).unwrap();
    assert!(find(folder.path()).unwrap_err().to_string().contains("larger than 16777216 bytes"));
    let deep = tempfile::tempdir().unwrap();
    fs::create_dir_all(deep.path().join("a/".repeat(20))).unwrap();
    assert!(find(deep.path()).unwrap_err().to_string().contains("deeper than 16 folders"));
}

#[test]
fn the_folder_in_the_tree_is_ignored_by_git() {
    let root = tempfile::tempdir().unwrap();
    ignore(&folder(root.path())).unwrap();
    assert_eq!(fs::read_to_string(root.path().join("pending/.gitignore")).unwrap(), "*\n");
}
