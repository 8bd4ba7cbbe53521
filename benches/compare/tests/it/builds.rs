//! Revisions of a small workspace, opened and built by cargo.

use std::cell::RefCell;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Result;
use compare::revision::{Arms, Built};
use compare::subject::{Service, Subject};
use object::{Object, ObjectSection};

use crate::repository::Repository;

/// The server, and the suite that only some revisions have.
fn service() -> Service {
    Service {
        name: "ws-server".to_owned(),
        package: "server".to_owned(),
        bin: "ws-server".to_owned(),
        command: None,
        path: "/ws/echo".to_owned(),
        conversation: None,
        test_package: "alloc-tests".to_owned(),
        test: "alloc".to_owned(),
        baselines: PathBuf::new(),
    }
}

fn open(repository: &Repository, base: &str, head: Option<&str>) -> Result<Arms> {
    let (root, target) = (repository.path().to_owned(), repository.target());
    Arms::open(&Subject { root, target, services: Vec::new() }, base, head)
}

#[track_caller]
fn refuses(repository: &Repository, base: &str) -> String {
    format!("{:#}", open(repository, base, None).expect_err("it is refused"))
}

fn build(arms: &mut Arms) -> Result<[Built; 2]> {
    build_saying(arms, &|_| {})
}

fn build_saying(arms: &mut Arms, say: &dyn Fn(&str)) -> Result<[Built; 2]> {
    let built = arms.build(&[service()], say)?;
    Ok(built.into_iter().next().expect("one service is built"))
}

fn short_head(repository: &Repository) -> String {
    repository.git(&["rev-parse", "--short", "HEAD"])
}

fn add_scenarios(repository: &Repository) {
    let members = "[workspace]\nmembers = [\"alloc-tests\", \"server\"]\nresolver = \"3\"\n";
    repository.write("Cargo.toml", members);
    let packages = ["alloc-tests", "server"]
        .map(|name| format!("\n[[package]]\nname = \"{name}\"\nversion = \"0.0.0\"\n"));
    repository.write("Cargo.lock", &format!("version = 4\n{}", packages.concat()));
    let manifest = "[package]\nname = \"alloc-tests\"\nedition = \"2024\"\n\
                    [[test]]\nname = \"alloc\"\nharness = false\n";
    repository.write("alloc-tests/Cargo.toml", manifest);
    repository.write("alloc-tests/src/lib.rs", "");
    repository.write("alloc-tests/tests/alloc.rs", "fn main() {}\n");
    repository.commit("scenarios");
}

#[test]
fn an_unknown_revision_gets_the_nearest_name_and_the_next_command() {
    let repository = Repository::new();
    let check = |name: &str, expected: &str| {
        let message = refuses(&repository, name);
        assert!(message.starts_with(expected), "{message}");
    };
    let next = "list revisions with git branch --all and git log --oneline";
    check("mian", &format!("no revision is called mian; the nearest is main; {next}"));
    check("--all", &format!("no revision is called --all; {next}"));
    repository.git(&["update-ref", "refs/remotes/origin/topic", "HEAD"]);
    check("topic", "no revision is called topic; the nearest is origin/topic; ");
    check("HEAD:server/main.rs", "no revision is called HEAD:server/main.rs; ");
    repository.is_clean();
}

#[test]
fn an_unknown_revision_in_a_shallow_clone_gets_the_command_that_fetches_the_rest() {
    let origin = Repository::new();
    let first = origin.git(&["rev-parse", "HEAD"]);
    origin.write("more", "");
    origin.commit("more");
    let clone = Repository::empty();
    let url = format!("file://{}", origin.path().display());
    clone.git(&["clone", "--quiet", "--depth", "1", &url, "."]);
    let message = refuses(&clone, &first);
    assert!(message.ends_with("shallow, try: git fetch --unshallow --tags"), "{message}");
}

#[test]
fn a_folder_without_git_gets_the_alternatives() {
    let message = refuses(&Repository::empty(), "main");
    assert!(message.contains("git clone") && message.contains("--base-bin"), "{message}");
    assert!(message.contains("not a git repository"), "{message}");
}

#[test]
fn a_second_comparison_is_refused_until_the_first_has_ended() {
    let repository = Repository::new();
    let first = open(&repository, "main", None).expect("main is known");
    let message = refuses(&repository, "main");
    assert!(message.starts_with("another comparison is running in this checkout; "), "{message}");
    assert!(message.ends_with(&format!("kill {}", std::process::id())), "{message}");
    drop(first);
    open(&repository, "main", None).expect("the first has ended");
}

#[test]
fn a_tree_that_does_not_build_is_an_error_with_its_arm_and_the_compilers_message() {
    let repository = Repository::new();
    let fails = |base: &str| {
        let mut arms = open(&repository, base, None).expect("it is known");
        build(&mut arms).expect_err("it does not build").to_string()
    };
    repository.write("server/main.rs", "fn main() { let number: u8 = \"planted\"; }");
    let message = fails("main");
    assert!(message.starts_with("head (working tree) does not build:\n"), "{message}");
    assert!(message.contains("mismatched types"), "{message}");
    assert!(message.contains("server/main.rs:1:"), "{message}");
    let command = "try: cargo build --release --locked --package server --bin ws-server";
    assert!(message.ends_with(command), "{message}");
    repository.commit("broken");
    let message = fails("main");
    let short = short_head(&repository);
    assert!(message.starts_with(&format!("base (main, {short}) does not build:\n")), "{message}");
    repository.write("Cargo.toml", "[workspace");
    let message = fails("main~1");
    assert!(message.starts_with("head (working tree) does not build:\n"), "{message}");
    repository.is_clean();
}

#[test]
fn a_tree_without_a_lockfile_is_told_to_commit_it() {
    let repository = Repository::new();
    fs::remove_file(repository.path().join("Cargo.lock")).expect("it is there");
    let mut arms = open(&repository, "main", None).expect("main is known");
    let message = build(&mut arms).expect_err("it has no lockfile").to_string();
    assert!(message.starts_with("head (working tree) has no Cargo.lock"), "{message}");
    assert!(message.contains("commit it (git add --force Cargo.lock)"), "{message}");
}

#[test]
fn a_workspace_below_the_root_of_the_repository_is_built_for_each_service() {
    let repository = Repository::empty();
    repository.git(&["init", "--quiet", "--initial-branch=main"]);
    repository.write(".gitignore", "target\n");
    let manifest = |name| format!("[package]\nname = \"{name}\"\nedition = \"2024\"\n");
    repository.write(
        "back end/Cargo.toml",
        "[workspace]\nmembers = [\"one\", \"two\"]\nresolver = \"3\"\n",
    );
    let locked = ["one", "two"]
        .map(|name| format!("\n[[package]]\nname = \"{name}\"\nversion = \"0.0.0\"\n"));
    repository.write("back end/Cargo.lock", &format!("version = 4\n{}", locked.concat()));
    for name in ["one", "two"] {
        repository.write(&format!("back end/{name}/Cargo.toml"), &manifest(name));
        repository.write(&format!("back end/{name}/src/main.rs"), "fn main() {}\n");
    }
    repository.commit("two servers");
    let services = ["one", "two"].map(|name| {
        let (package, bin, name) = (name.to_owned(), name.to_owned(), name.to_owned());
        Service { test_package: name.clone(), name, package, bin, ..service() }
    });
    let root = repository.path().join("back end");
    let subject = Subject { target: root.join("target"), root, services: services.to_vec() };
    let mut arms = Arms::open(&subject, "main", None).expect("main is known");
    let said = RefCell::new(Vec::new());
    let built = arms.build(&services, &|line: &str| said.borrow_mut().push(line.to_owned()));
    let built = built.expect("it builds");
    assert!(built.len() == 2 && built.iter().flatten().all(|one| one.server.is_file()));
    let short = short_head(&repository);
    let expected = ["one", "two"].map(|name| format!("building base (main, {short}) of {name}"));
    // The working tree is that of base.
    assert_eq!(said.take(), expected);
    drop(arms);
    repository.is_clean();
}

#[test]
fn a_base_without_scenarios_still_has_a_server() {
    let repository = Repository::new();
    let mut arms = open(&repository, "main", None).expect("main is known");
    let [base, head] = build(&mut arms).expect("it builds");
    assert!(base.server.is_file());
    let why = format!(
        "base (main, {}) has no allocation scenarios, the test alloc of alloc-tests; compare with a later revision",
        short_head(&repository)
    );
    assert_eq!(base.runner, Err(why));
    assert!(head.runner.is_err());
}

#[test]
fn equal_sources_give_equal_programs_and_equal_trees_are_built_once() {
    let repository = Repository::new();
    add_scenarios(&repository);
    let first = short_head(&repository);
    repository.write("notes", "no source");
    repository.commit("notes");
    let said = RefCell::new(Vec::new());
    let say = |line: &str| said.borrow_mut().push(line.to_owned());
    let mut arms = open(&repository, &first, Some("HEAD")).expect("both are known");
    let [base, head] = &build_saying(&mut arms, &say).expect("it builds");
    let short = short_head(&repository);
    let expected = [format!("building base ({first})"), format!("building head (HEAD, {short})")];
    assert_eq!(said.take(), expected);
    assert_ne!(base, head);

    let read = |path: &Path| fs::read(path).expect("it was built");
    let runner = |path: &Result<PathBuf, String>| path.clone().expect("it was built");
    let server = read(&base.server);
    assert!(server == read(&head.server));
    assert!(read(&runner(&base.runner)) == read(&runner(&head.runner)));
    let server = object::File::parse(&*server).expect("it is a program");
    let code = server.section_by_name(".text").expect("it has code");
    assert_eq!(code.align(), 64, "a function begins a cache line");

    let prints = |program: &Path| {
        let output = Command::new(program).output().expect("it runs");
        String::from_utf8(output.stdout).expect("it prints text").trim_end().to_owned()
    };
    // The files that a program reads where it was built exist as long as the arms.
    let built_in = PathBuf::from(prints(&head.server));
    assert!(built_in.join("main.rs").is_file());
    drop(arms);
    assert!(!built_in.exists());

    let mut arms = open(&repository, "HEAD", None).expect("it is known");
    let both = [head.clone(), head.clone()];
    assert_eq!(build_saying(&mut arms, &say).expect("it is built"), both);
    assert_eq!(said.take(), [""; 0]);
    fs::remove_file(&head.server).expect("it is there");
    assert_eq!(build_saying(&mut arms, &say).expect("it builds"), both);
    assert_eq!(said.take().len(), 1);
    drop(arms);
    repository.is_clean();
}
