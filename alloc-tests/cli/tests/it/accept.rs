//! Numbers of this tree, and of artifacts, that are accepted or rejected without a question.

use std::fs::{self, File};
use std::io::Write;
use std::path::Path;

use baselines::Pending;
use tempfile::TempDir;
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use crate::chat::{blocks, chat, check, result, save, text, waiting};

/// An artifact as it is downloaded: reports, and numbers some folders deep.
fn artifact(all: &[Pending]) -> TempDir {
    let folder = tempfile::tempdir().expect("there is room");
    fs::write(folder.path().join("suite-chat.json"), "{\"schema\": 4}").expect("there is room");
    for one in all {
        let numbers = folder.path().join("plimsoll/pending/chat/alloc");
        one.save(&numbers).expect("there is room");
    }
    folder
}

fn zip(folder: &Path, files: &[(&str, &[u8])]) -> std::path::PathBuf {
    let path = folder.join("artifact.zip");
    let mut zip = ZipWriter::new(File::create(&path).expect("there is room"));
    for (name, bytes) in files {
        zip.start_file(*name, SimpleFileOptions::default()).expect("it is a name");
        zip.write_all(bytes).expect("there is room");
    }
    zip.finish().expect("there is room");
    path
}

fn file(one: &Pending) -> Vec<u8> {
    let folder = tempfile::tempdir().expect("there is room");
    one.save(folder.path()).expect("there is room");
    let found = baselines::pending::find(folder.path()).expect("it was written");
    fs::read(&found[0].0).expect("it was written")
}

const REASON: [&str; 3] = ["accept", "--reason", "why"];

fn from(artifact: &Path) -> Vec<&str> {
    [&REASON[..], &["--from", text(artifact)]].concat()
}

#[test]
fn what_waits_is_accepted_by_filter() {
    let chat = chat();
    save(&chat, &result("echo", 3));
    save(&chat, &result("join", 3));
    check(&chat.plimsoll(&["accept"]), 2, &[]);
    check(&chat.plimsoll(&["accept", "--reason", ""]), 2, &[]);
    check(&chat.plimsoll(&[&REASON[..], &["jion"]].concat()), 2, &["the nearest is join"]);
    check(&chat.plimsoll(&[&REASON[..], &["join"]].concat()), 0, &["1 changed", "-m why"]);
    assert_eq!((blocks(&chat, "echo"), blocks(&chat, "join")), (Some(1), Some(3)));
    assert_eq!(waiting(&chat), ["echo"]);
    check(&chat.plimsoll(&["reject"]), 0, &["rejected: echo"]);
    check(&chat.plimsoll(&REASON), 0, &["nothing is pending"]);
    check(&chat.plimsoll(&["reject"]), 0, &["nothing is pending"]);
}

#[test]
fn an_artifact_is_accepted_from_its_folder() {
    let chat = chat();
    save(&chat, &result("echo", 7));
    let artifact = artifact(&[result("echo", 3), result("hold", 5)]);
    check(&chat.plimsoll(&from(artifact.path())), 0, &["1 added, 1 changed"]);
    assert_eq!((blocks(&chat, "echo"), blocks(&chat, "hold")), (Some(3), Some(5)));
    assert_eq!(waiting(&chat).len(), 0, "what was measured here is stale now");
    let before = chat.files();
    let again = chat.plimsoll(&from(artifact.path()));
    check(&again, 0, &["echo: these numbers are recorded already"]);
    assert_eq!(chat.files(), before);
    let older = self::artifact(&[result("echo", 4)]);
    let words = ["other numbers of echo are recorded", "let CI measure this one"];
    check(&chat.plimsoll(&from(older.path())), 5, &words);
}

#[test]
fn an_artifact_is_accepted_from_its_zip() {
    let (chat, folder) = (chat(), tempfile::tempdir().expect("there is room"));
    let [one, report] = [&file(&result("echo", 3))[..], b"{}"];
    let zip =
        zip(folder.path(), &[("deep/pending/chat/alloc/t/echo.json", one), ("a.json", report)]);
    check(&chat.plimsoll(&from(&zip)), 0, &["1 changed"]);
    assert_eq!(blocks(&chat, "echo"), Some(3));
}

#[test]
fn what_is_no_artifact_or_has_no_numbers_is_told_apart() {
    let (chat, empty) = (chat(), artifact(&[]));
    check(&chat.plimsoll(&from(empty.path())), 5, &["has no pending numbers"]);
    check(&chat.plimsoll(&from(Path::new("nowhere"))), 2, &["--from nowhere: No such file"]);
    let report = empty.path().join("suite-chat.json");
    check(&chat.plimsoll(&from(&report)), 2, &["neither a folder nor a zip"]);
    let zip = zip(empty.path(), &[("a.json", b"{}")]);
    check(&chat.plimsoll(&from(&zip)), 5, &["has no pending numbers"]);
}

#[test]
fn a_hostile_artifact_changes_nothing() {
    let chat = chat();
    let before = chat.files();
    let text = String::from_utf8(file(&result("echo", 3))).expect("it is a text");
    let folder = tempfile::tempdir().expect("there is room");
    let hostile = |name: &str, bytes: &[u8], words: &str| {
        let zip = zip(folder.path(), &[(name, bytes)]);
        check(&chat.plimsoll(&from(&zip)), 5, &["is refused", words]);
    };
    hostile("../../echo.json", text.as_bytes(), "lies outside of it");
    hostile("/etc/echo.json", text.as_bytes(), "");
    hostile(
        "echo.json",
        text.replace("\"echo\"", "\"../echo\"").as_bytes(),
        "no name of a scenario",
    );
    hostile("echo.json", text.replace("\"chat\"", "\"/etc\"").as_bytes(), "no name of a package");
    hostile("echo.json", text.replace("message", "\\u001b[2J").as_bytes(), "no plain text");
    hostile("echo.json", text.replace("regressed", "improved").as_bytes(), "it says \"improved\"");
    hostile("echo.json", &vec![b' '; (16 << 20) + 1], "is larger than 16777216 bytes");
    hostile("echo.json", &[b'[', 0xff], "echo.json");
    fs::write(folder.path().join("echo.json"), text.replace("\"echo\"", "\"../echo\""))
        .expect("room");
    check(&chat.plimsoll(&from(folder.path())), 5, &["no name of a scenario"]);
    assert_eq!(chat.files(), before);
}

#[test]
fn an_artifact_of_another_tree_is_refused() {
    let chat = chat();
    let of = |change: fn(&mut Pending)| {
        let mut one = result("echo", 3);
        change(&mut one);
        artifact(&[one])
    };
    let package = of(|one| one.package = "other".to_owned());
    check(&chat.plimsoll(&from(package.path())), 5, &["no package other"]);
    let test = of(|one| one.test = "other".to_owned());
    check(&chat.plimsoll(&from(test.path())), 5, &["chat has no test other; it has alloc"]);
    let twice = artifact(&[result("echo", 3)]);
    result("echo", 4).save(&twice.path().join("second")).expect("there is room");
    check(&chat.plimsoll(&from(twice.path())), 5, &["two results of echo"]);
}

#[test]
fn numbers_of_another_target_are_recorded_only_if_it_is_named() {
    let chat = chat();
    let mut one = result("hold", 5);
    one.target = "mips-other".to_owned();
    let artifact = artifact(&[one.clone()]);
    check(
        &chat.plimsoll(&from(artifact.path())),
        2,
        &["are of mips-other", "type --target mips-other"],
    );
    let known = [&REASON[..], &["--target", "mips-other"]].concat();
    check(&chat.plimsoll(&known), 0, &["nothing is pending"]);
    let named = [&from(artifact.path())[..], &["--target", "mips-other"]].concat();
    check(&chat.plimsoll(&named), 0, &["alloc/mips-other.json: 1 added"]);
    save(&chat, &one);
    save(&chat, &result("echo", 3));
    let said = chat.plimsoll_with("s\n", &["review"]);
    check(&said, 0, &["for other targets: mips-other; type --target mips-other", "[1/1] echo"]);
}

#[test]
fn two_accepts_at_once_lose_nothing() {
    let chat = chat();
    let ids: Vec<String> = (0..6).map(|at| format!("new_{at}")).collect();
    ids.iter().for_each(|id| save(&chat, &result(id, 5)));
    let running: Vec<_> =
        ids.iter().map(|id| chat.start("", &[&REASON[..], &[id]].concat())).collect();
    for accept in running {
        check(&chat.said(accept), 0, &["1 added"]);
    }
    assert!(ids.iter().all(|id| blocks(&chat, id) == Some(5)));
    assert_eq!(waiting(&chat).len(), 0);
}
