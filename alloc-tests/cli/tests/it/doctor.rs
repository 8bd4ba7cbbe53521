//! `doctor`: each need that a repository lacks is said with its cure, and decides the exit code.

use std::process::Command;

use crate::adopter::{Adopter, Said};

const MANIFEST: &str =
    "[package]\nname = \"chat\"\nedition = \"2024\"\n[dependencies]\naxum = \"0.8\"\n";
const LOCKFILE: &str = "version = 4\n[[package]]\nname = \"chat\"\nversion = \"0.0.0\"\n[[package]]\nname = \"plimsoll\"\nversion = \"0.1.0\"\n";

/// The numbers of a pilot.
const NUMBERS: &str =
    include_str!("../../../pilots/axum/tests/baselines/alloc/x86_64-unknown-linux-gnu.json");

fn numbers() -> String {
    let output = Command::new("rustc").arg("-vV").output().expect("there is a compiler");
    let text = String::from_utf8(output.stdout).expect("it prints text");
    let host = text.lines().find_map(|line| line.strip_prefix("host: ")).expect("it has a host");
    format!("tests/baselines/alloc/{host}.json")
}

/// A repository that has all that is required.
fn adopter() -> Adopter {
    let adopter = Adopter::new(&[
        ("Cargo.toml", MANIFEST),
        ("Cargo.lock", LOCKFILE),
        ("src/lib.rs", "pub fn app() -> axum::Router {}"),
        ("src/main.rs", "#[global_allocator] static A: System = System; fn main() {}"),
        (&numbers(), NUMBERS),
    ]);
    assert_eq!(adopter.plimsoll(&["init", "--yes"]).code, Some(0));
    let workflow = ".github/workflows/plimsoll.yml";
    let text = adopter.read(workflow).replace("OWNER/plimsoll", "someone/plimsoll");
    adopter.write(workflow, &text);
    adopter.git(&["add", "."]);
    adopter.git(&["commit", "--quiet", "--message", "measure"]);
    adopter
}

fn edit(adopter: &Adopter, file: &str, old: &str, new: &str) {
    let text = adopter.read(file);
    assert!(text.contains(old), "{file} has no {old}");
    adopter.write(file, &text.replace(old, new));
}

#[test]
fn a_repository_with_all_that_is_required_ends_with_0() {
    let said = adopter().plimsoll(&["doctor"]);
    assert_eq!(said.code, Some(0), "{said:?}");
    assert!(said.stdout.ends_with("all that is required is there\n"), "{said:?}");
    for line in [
        "Cargo.lock            committed",
        "chat: numbers         5 scenarios for ",
        "workflow              plimsoll.yml",
    ] {
        assert!(said.stdout.contains(&format!("ok       {line}")), "{line}: {said:?}");
    }
}

/// The only finding of this kind is `line`, and `cure` is below it.
#[track_caller]
fn check(Said { stdout, code, .. }: &Said, kind: &str, line: &str, cure: &str) {
    let found: Vec<&str> = stdout.lines().filter(|line| line.starts_with(kind)).collect();
    let at = stdout.lines().position(|other| other.contains(line));
    let at = at.unwrap_or_else(|| panic!("no {line}:\n{stdout}"));
    let below = stdout.lines().nth(at + 1).unwrap_or_default();
    assert!(below.trim_start().starts_with("→ ") && below.contains(cure), "{cure}:\n{stdout}");
    if kind == "missing" {
        assert_eq!(found.len(), 1, "{stdout}");
    }
    assert_eq!(*code, Some(i32::from(kind == "missing")), "{stdout}");
}

#[test]
fn each_fault_of_a_repository_is_missing_with_its_cure() {
    type Fault = fn(&Adopter);
    let faults: [(Fault, &str, &str); 10] = [
        (
            |it| edit(it, "Cargo.toml", "debug = \"limited\"", "debug = false"),
            "debug info            debug = false: call sites have no files and lines",
            "debug = \"limited\"",
        ),
        (
            |it| edit(it, "Cargo.toml", "debug = \"limited\"", "debug = 2\nstrip = true"),
            "strip = true removes it",
            "and no strip",
        ),
        (
            |it| edit(it, "Cargo.toml", "harness = false", "harness = true"),
            "chat: suite           [[test]] alloc of chat has no harness = false",
            "harness = false",
        ),
        (
            |it| {
                edit(it, "tests/alloc.rs", "plimsoll::allocator!();", "// plimsoll::allocator!();")
            },
            "chat: allocator       the suite has none, and is blind",
            "write plimsoll::allocator!();",
        ),
        (
            |it| {
                edit(
                    it,
                    "src/lib.rs",
                    "pub fn app",
                    "#[global_allocator] static A: B = B; pub fn app",
                )
            },
            "src/lib.rs has a #[global_allocator]",
            "src/main.rs",
        ),
        (
            |it| {
                it.write(
                    "Cargo.lock",
                    &format!("{LOCKFILE}[[package]]\nname = \"plimsoll\"\nversion = \"0.2.0\"\n"),
                )
            },
            "Cargo.lock has 0.1.0 and 0.2.0",
            "cargo tree --invert plimsoll",
        ),
        (
            |it| it.git(&["rm", "--quiet", "--cached", "Cargo.lock"]),
            "Cargo.lock            not committed",
            "git add Cargo.lock && git commit",
        ),
        (
            |it| {
                it.git(&[
                    "mv",
                    &numbers(),
                    "tests/baselines/alloc/riscv64gc-unknown-linux-gnu.json",
                ])
            },
            "chat: numbers         recorded for riscv64gc-unknown-linux-gnu, and not for ",
            "cargo test --release -p chat --test alloc; then cargo plimsoll review",
        ),
        (|it| edit(it, &numbers(), "\"schema\": 4", "\"schema\": 3"), "is not comparable", "git"),
        (
            |it| edit(it, "plimsoll.toml", "path =", "pahts ="),
            "services              plimsoll.toml",
            "cargo plimsoll init",
        ),
    ];
    for (fault, line, cure) in faults {
        let adopter = adopter();
        fault(&adopter);
        check(&adopter.plimsoll(&["doctor"]), "missing", line, cure);
    }
}

#[test]
fn another_version_of_the_command_is_no_error_and_says_which_to_update() {
    for (version, cure) in
        [("0.0.9", "cargo update plimsoll"), ("0.9.0", "cargo install cargo-plimsoll")]
    {
        let adopter = adopter();
        adopter.write("Cargo.lock", &LOCKFILE.replace("\"0.1.0\"", &format!("\"{version}\"")));
        let line =
            format!("plimsoll              {version} in Cargo.lock, and this command is 0.1.0");
        check(&adopter.plimsoll(&["doctor"]), "optional", &line, cure);
    }
}

#[test]
fn changed_files_are_counted_and_no_fault() {
    let adopter = adopter();
    adopter.write("notes", "");
    let said = adopter.plimsoll(&["doctor"]);
    assert!(said.stdout.contains(", 1 changed file, which compare measures as head"), "{said:?}");
    assert_eq!(said.code, Some(0));
}
