//! The script of the action that comments, with a `gh` that writes down what it is asked.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

/// Answers what GitHub would, and copies the body of a comment.
const GH: &str = r#"#!/usr/bin/env bash
folder=$(dirname "$0")
echo "$*" >> "$folder/asked"
case "$*" in
    *pulls/7*) cat "$folder/head" ;;
    *--paginate*) cat "$folder/known" ;;
esac
for word; do
    [[ $word != body=@* ]] || cp "${word#body=@}" "$folder/body"
done
"#;

const HEAD: &str = "49d2e13";

struct Comment {
    folder: TempDir,
}

/// The exit code, stderr, what GitHub was asked, and the body.
struct Ran {
    code: Option<i32>,
    stderr: String,
    asked: String,
    body: String,
}

impl Comment {
    /// Of a result with this number of a pull request and this text; GitHub knows comments of these ids.
    fn of(number: &str, text: &str, known: &str) -> Self {
        let folder = tempfile::tempdir().expect("there is room");
        let result = folder.path().join("result");
        fs::create_dir(&result).expect("there is room");
        for (path, text) in [
            (result.join("pull-request"), number),
            (result.join("comment.md"), text),
            (folder.path().join("known"), known),
            (folder.path().join("head"), HEAD),
            (folder.path().join("gh"), GH),
        ] {
            fs::write(path, text).expect("there is room");
        }
        let gh = folder.path().join("gh");
        fs::set_permissions(gh, fs::Permissions::from_mode(0o755)).expect("it is ours");
        Self { folder }
    }

    fn run(&self, head: &str) -> Ran {
        let path = |name: &str| self.folder.path().join(name);
        let programs = std::env::var("PATH").expect("there is a shell");
        let mut script = Command::new(script());
        script.env("PATH", format!("{}:{programs}", self.folder.path().display()));
        script.env("RESULT", path("result")).env("HEAD_SHA", head).env("REPOSITORY", "me/chat");
        let output = script.output().expect("bash runs");
        let read = |name| fs::read_to_string(path(name)).unwrap_or_default();
        Ran {
            code: output.status.code(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
            asked: read("asked"),
            body: read("body"),
        }
    }
}

fn script() -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2);
    root.expect("it lies in alloc-tests/cli").join(".github/actions/comment/comment.sh")
}

#[test]
fn the_first_comment_is_posted_and_the_next_replaces_it() {
    let first = Comment::of("7\n", "## Plimsoll: pass\n", "").run(HEAD);
    assert_eq!(first.code, Some(0), "{}", first.stderr);
    assert!(
        first.asked.contains("--method POST repos/me/chat/issues/7/comments"),
        "{}",
        first.asked
    );
    assert_eq!(first.body, "<!-- plimsoll -->\n## Plimsoll: pass\n");
    let next = Comment::of("7", "## Plimsoll: pass\n", "41\n42\n").run(HEAD);
    assert!(
        next.asked.contains("--method PATCH repos/me/chat/issues/comments/41 "),
        "{}",
        next.asked
    );
    assert!(!next.asked.contains("POST"), "{}", next.asked);
}

#[test]
fn a_number_that_is_none_or_of_another_commit_writes_nothing() {
    for number in ["", "7/../../8", "$(id)", "0", "-1", "77777777777", "7 8"] {
        let ran = Comment::of(number, "text", "").run(HEAD);
        assert_eq!(ran.code, Some(1), "{number}");
        assert!(ran.stderr.contains("names no pull request"), "{number}: {}", ran.stderr);
        assert_eq!(ran.asked, "", "{number}");
    }
    let other = Comment::of("7", "text", "").run("1234567");
    assert_eq!(other.code, Some(1));
    assert!(other.stderr.contains("is at 49d2e13, and the run was of 1234567"), "{}", other.stderr);
    assert_eq!(other.body, "");
}

#[test]
fn a_text_of_a_stranger_calls_no_person_and_fits() {
    let text = format!("@maintainer {}", "é".repeat(100_000));
    let body = Comment::of("7", &text, "").run(HEAD).body;
    assert!(body.contains("@&#8203;maintainer"));
    assert!(body.chars().count() < 65_536, "{}", body.chars().count());
    assert!(body.ends_with('é'), "a character is whole");
}
