use std::fs;
use std::path::Path;

use super::*;
use crate::subject::Subject;

#[path = "../../tests/it/repository.rs"]
mod repository;

use repository::Repository;

fn try_open(repository: &Repository, base: &str, head: Option<&str>) -> Result<Arms> {
    let (root, target) = (repository.path().to_owned(), repository.target());
    Arms::open(&Subject { root, target, services: Vec::new() }, base, head)
}

fn open(repository: &Repository, base: &str, head: Option<&str>) -> Arms {
    try_open(repository, base, head).expect("the revisions are known")
}

fn files(tree: &Path) -> Vec<String> {
    let git = Git::at(tree);
    let all = git.run(&["ls-files", "--cached", "--others"]).expect("git lists files");
    all.lines().map(str::to_owned).collect()
}

#[test]
fn a_revision_shows_its_name_and_its_commit() {
    let repository = Repository::new();
    repository.git(&["tag", "--annotate", "--message", "one", "v1"]);
    let commit = repository.git(&["rev-parse", "HEAD"]);
    let arms = open(&repository, "v1", Some(&commit));
    let short = repository.git(&["rev-parse", "--short", "HEAD"]);
    let Arms { base, head, .. } = &arms;
    assert_eq!((base.to_string(), head.to_string()), (format!("v1, {short}"), short.clone()));
    assert_eq!((&base.commit, &base.tree), (&commit, &head.tree));
    assert_eq!(arms.sides().map(|side| side.commit), [Some(short.clone()), Some(short)]);
}

#[test]
fn the_working_tree_has_uncommitted_files_and_is_not_changed() {
    let repository = Repository::new();
    repository.write("staged", "");
    repository.git(&["add", "staged"]);
    repository.write("new/file", "");
    repository.write("new/file.ignored", "");
    repository.write("server/main.rs", "changed");
    fs::remove_file(repository.path().join("Cargo.lock")).expect("it is there");
    let before = repository.git(&["status", "--porcelain"]);
    let index = || fs::read(repository.path().join(".git/index")).expect("it is there");
    let index_before = index();
    let mut arms = open(&repository, "main", None);
    assert!(index() == index_before);
    let head = arms.head.clone();
    assert_eq!((head.to_string().as_str(), head.side().commit), ("working tree", None));
    let tree = arms.checkout.check_out(&head).expect("there is room");
    let expected =
        [".gitignore", "Cargo.toml", "new/file", "server/Cargo.toml", "server/main.rs", "staged"];
    assert_eq!(files(&tree), expected);
    assert_eq!(fs::read_to_string(tree.join("server/main.rs")).expect("it is there"), "changed");
    assert_eq!(repository.git(&["status", "--porcelain"]), before);
    drop(arms);
    let again = open(&repository, "main", None);
    assert_eq!(again.head, head);
    drop(again);
    repository.is_clean();
}

#[track_caller]
fn refuses(repository: &Repository, words: &[&str]) {
    let opened = try_open(repository, "main", None);
    let message = format!("{:#}", opened.expect_err("it is refused"));
    for words in words {
        assert!(message.contains(words), "no {words:?} in: {message}");
    }
    repository.is_clean();
}

/// Makes a repository with one commit in the folder `server/vendored`.
fn nest(repository: &Repository) -> impl Fn(&[&str]) + '_ {
    let git = |args: &[&str]| drop(repository.git(&[&["-C", "server/vendored"], args].concat()));
    repository.write("server/vendored/lib.rs", "");
    git(&["init", "--quiet"]);
    git(&["add", "--all"]);
    git(&["commit", "--quiet", "--message", "vendored"]);
    git
}

#[test]
fn a_nested_repository_is_refused_unless_it_is_ignored() {
    let repository = Repository::new();
    drop(nest(&repository));
    let words = ["server/vendored is a git repository of its own", "echo /server/vendored >> .git"];
    refuses(&repository, &words);
    repository.write("server/.gitignore", "/vendored\n");
    open(&repository, "main", None);
}

#[test]
fn a_changed_submodule_is_refused_and_an_unchanged_one_is_not() {
    let repository = Repository::new();
    let nested = nest(&repository);
    repository.commit("a submodule");
    open(&repository, "main", None);
    let words =
        ["the submodule server/vendored is not as in HEAD", "git -C server/vendored status"];
    repository.write("server/vendored/lib.rs", "changed");
    refuses(&repository, &words);
    nested(&["checkout", "--quiet", "lib.rs"]);
    repository.write("server/vendored/new.rs", "");
    refuses(&repository, &words);
    nested(&["add", "--all"]);
    nested(&["commit", "--quiet", "--message", "more"]);
    refuses(&repository, &words);
    repository.commit("the submodule moved");
    open(&repository, "main", None);
    let opened = try_open(&repository, "main~1", Some("main"));
    let message = opened.expect_err("it is refused").to_string();
    assert!(message.contains("submodule server/vendored differs"), "{message}");
}

#[test]
fn a_target_folder_that_git_does_not_ignore_is_refused() {
    let repository = Repository::new();
    repository.write(".gitignore", "*.ignored\n");
    let opened = try_open(&repository, "main", None).expect_err("it is refused");
    let words = "cargo's folder is not ignored; ignore it: echo /target >> ";
    assert!(format!("{opened:#}").contains(words), "{opened:#}");
    open(&repository, "main", Some("main"));
}

#[test]
fn a_repository_without_a_commit_is_told_to_make_one() {
    let repository = Repository::empty();
    repository.git(&["init", "--quiet", "--initial-branch=main"]);
    let message = try_open(&repository, "main", None).expect_err("it is refused").to_string();
    assert!(
        message.ends_with("has no commit yet; make one: git add --all && git commit"),
        "{message}"
    );
}

#[test]
fn a_changed_file_that_git_was_told_not_to_look_at_is_in_the_snapshot() {
    let repository = Repository::new();
    repository.write("left out", "");
    repository.commit("more");
    repository.git(&["update-index", "--assume-unchanged", "server/main.rs"]);
    repository.git(&["update-index", "--skip-worktree", "Cargo.toml", "left out"]);
    repository.write("server/main.rs", "changed");
    repository.write("Cargo.toml", "changed");
    fs::remove_file(repository.path().join("left out")).expect("it is there");
    let mut arms = open(&repository, "main", None);
    let head = arms.head.clone();
    let tree = arms.checkout.check_out(&head).expect("there is room");
    let read = |file: &str| fs::read_to_string(tree.join(file)).expect("it is there");
    assert_eq!(["server/main.rs", "Cargo.toml", "left out"].map(read), ["changed", "changed", ""]);
    let marked = repository.git(&["ls-files", "-v"]);
    assert!(marked.contains("h server/main.rs") && marked.contains("S Cargo.toml"), "{marked}");
}

#[test]
fn checking_out_a_second_revision_replaces_the_first_and_what_builds_wrote() {
    let repository = Repository::new();
    repository.git(&["tag", "first"]);
    repository.write("added", "");
    fs::remove_file(repository.path().join("server/main.rs")).expect("it is there");
    repository.commit("more");
    let mut arms = open(&repository, "first", Some("main"));
    let (first, second) = (arms.base.clone(), arms.head.clone());
    let tree = arms.checkout.check_out(&first).expect("there is room");
    let of_first = files(&tree);
    fs::write(tree.join("left by a build.ignored"), "").expect("there is room");
    fs::write(tree.join("Cargo.toml"), "written over").expect("there is room");
    assert_eq!(arms.checkout.check_out(&second).expect("there is room"), tree);
    assert_eq!(
        files(&tree),
        [".gitignore", "Cargo.lock", "Cargo.toml", "added", "server/Cargo.toml"]
    );
    arms.checkout.check_out(&first).expect("there is room");
    assert_eq!(files(&tree), of_first);
    drop(arms);
    repository.is_clean();
}

#[test]
fn the_leftovers_of_a_killed_run_are_removed() {
    let repository = Repository::new();
    let tree = repository.target().join("compare/tree");
    let path = tree.to_str().expect("it is text");
    for left in ["a locked tree", "a record without a tree", "a tree without a record"] {
        repository.git(&["worktree", "add", "--quiet", "--detach", path]);
        match left {
            "a locked tree" => drop(repository.git(&["worktree", "lock", path])),
            "a record without a tree" => fs::remove_dir_all(&tree).expect("it is there"),
            _ => fs::remove_dir_all(repository.path().join(".git/worktrees")).expect("it is there"),
        }
        repository.write("target/compare/index.lock", "");
        let mut arms = open(&repository, "main", None);
        assert!(!tree.exists(), "{left}");
        let main = arms.base.clone();
        arms.checkout.check_out(&main).expect(left);
        drop(arms);
        repository.is_clean();
    }
}
