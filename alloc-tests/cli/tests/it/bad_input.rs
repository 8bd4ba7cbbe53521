//! Bad input: one line that says what is wrong and the cure, the exit code of everywhere, and nothing is written.

use crate::adopter::Adopter;

const MANIFEST: &str =
    "[package]\nname = \"chat\"\nedition = \"2024\"\n[dependencies]\naxum = \"0.8\"\n";
const APP: &str = "pub fn app() -> axum::Router {}";
const TWO: &str = "pub fn one() -> axum::Router {}\npub fn two() -> axum::Router {}";
const MAIN: (&str, &str) = ("src/main.rs", "fn main() {}");

/// A git repository with a service that `init` finds.
fn service(library: &str) -> Adopter {
    Adopter::new(&[("Cargo.toml", MANIFEST), ("src/lib.rs", library), MAIN])
}

#[track_caller]
fn refused(adopter: &Adopter, arguments: &[&str], code: i32, line: &str) {
    let before = adopter.files();
    let said = adopter.plimsoll(arguments);
    assert_eq!(said.code, Some(code), "{said:?}");
    assert_eq!(said.stderr, format!("error: {line}\n"));
    assert_eq!(adopter.files(), before, "{arguments:?} writes");
}

#[test]
fn a_command_line_is_refused_in_one_line_with_the_cure() {
    for (typed, line) in [
        (&["inti"][..], "unrecognized subcommand 'inti'; a similar subcommand exists: 'init'"),
        (
            &["init", "--dry-ru"],
            "unexpected argument '--dry-ru' found; a similar argument exists: '--dry-run'",
        ),
        (
            &["init", "--colour"],
            "unexpected argument '--colour' found; cargo plimsoll init --help says what to write",
        ),
        (
            &["accept"],
            "the following required arguments were not provided: --reason <TEXT>; give it as well",
        ),
        (
            &["count"],
            "the following required arguments were not provided: <PROGRAM>...; write cargo plimsoll count [OPTIONS] -- PROGRAM [ARGUMENT]...",
        ),
        (
            &["count", "--", "chat"],
            "the command has no {port}: write {port} where chat takes its port, or say --port N if it has a fixed one",
        ),
    ] {
        refused(&Adopter::new(&[]), typed, 2, line);
    }
}

#[test]
fn init_outside_of_a_workspace_or_a_repository_says_where_to_go() {
    let cure = "ROOT is in no cargo workspace; go to your service's folder and type this again";
    refused(&Adopter::new(&[]), &["init"], 2, cure);
    let adopter = Adopter::without_git(&[("Cargo.toml", MANIFEST), ("src/lib.rs", APP)]);
    let cure = "ROOT is in no git repository, where numbers would be recorded; type: git init";
    refused(&adopter, &["init"], 2, cure);
}

#[test]
fn init_without_an_answer_writes_nothing() {
    let cure = "nothing written: there is no terminal to ask at; add --yes to write this";
    refused(&service(APP), &["init"], 2, cure);
}

#[test]
fn init_says_which_functions_and_packages_there_are() {
    let cases: [(&str, &[&str], &str); 6] = [
        (TWO, &[], "several functions may be served; choose one with --app: chat::one, chat::two"),
        (
            TWO,
            &["--app", "three"],
            "the library has no public function three; it could call chat::one, chat::two",
        ),
        (
            "pub fn app(pool: &PgPool) -> Router {}",
            &["--app", "app"],
            "a suite cannot call chat::app(pool: PgPool); type this again without --app to see what to write",
        ),
        (
            APP,
            &["--package", "chatt"],
            "no package of this workspace is called chatt; there are chat",
        ),
        (
            APP,
            &["--plimsoll-path", "/nowhere"],
            "--plimsoll-path /nowhere is no checkout of plimsoll: it has no alloc-tests/harness",
        ),
        (
            "pub fn app( {}",
            &[],
            "ROOT/src/lib.rs is no Rust: cannot parse string into token stream",
        ),
    ];
    for (library, flags, line) in cases {
        let arguments = [&["init", "--yes"], flags].concat();
        let code = if line.contains("no Rust") { 1 } else { 2 };
        refused(&service(library), &arguments, code, line);
    }
}

#[test]
fn init_refuses_a_test_with_another_harness() {
    let manifest = format!("{MANIFEST}[[test]]\nname = \"alloc\"\n");
    let adopter = Adopter::new(&[
        ("Cargo.toml", manifest.as_str()),
        ("src/lib.rs", APP),
        ("tests/alloc.rs", ""),
    ]);
    let cure =
        "[[test]] alloc in Cargo.toml has no harness = false; write it there, or rename that test";
    refused(&adopter, &["init", "--yes"], 2, cure);
}

#[track_caller]
fn to_refactor(files: &[(&str, &str)]) -> String {
    let adopter = Adopter::new(files);
    let before = adopter.files();
    let said = adopter.plimsoll(&["init", "--yes"]);
    assert_eq!((said.code, said.stdout.as_str()), (Some(2), ""), "{said:?}");
    assert_eq!(adopter.files(), before);
    said.stderr
}

#[test]
fn a_program_without_a_library_is_told_how_to_split_main() {
    insta::assert_snapshot!(to_refactor(&[("Cargo.toml", MANIFEST), MAIN]));
}

#[test]
fn the_split_of_a_plain_main_is_a_diff_that_git_applies() {
    let main = "use axum::Router;\n\n#[tokio::main]\nasync fn main() {\n    let app = Router::new();\n    serve(app).await\n}\n";
    let adopter = Adopter::new(&[("Cargo.toml", MANIFEST), ("src/main.rs", main)]);
    let said = adopter.plimsoll(&["init", "--yes"]);
    assert_eq!(said.code, Some(2), "{said:?}");
    adopter.write("split.diff", &said.stderr);
    adopter.git(&["apply", "split.diff"]);
    assert!(adopter.read("src/main.rs").contains("let app = chat::app();"));
    let said = adopter.plimsoll(&["init", "--yes"]);
    assert_eq!(said.code, Some(0), "{said:?}");
    assert!(said.stdout.starts_with("serves chat::app of chat\n"), "{said:?}");
}

#[test]
fn a_library_without_a_function_to_serve_is_told_which_to_write() {
    let library = ("src/lib.rs", "pub fn app(pool: PgPool) -> Router {}");
    let said = to_refactor(&[("Cargo.toml", MANIFEST), library, MAIN]);
    assert!(said.starts_with("the library of chat has no public function that a suite can serve (chat::app(pool: PgPool) cannot be called without arguments)."), "{said}");
    for (dependency, function) in [
        ("hyper = \"1\"", "+pub async fn handle(request: hyper::Request<hyper::body::Incoming>)"),
        (
            "tokio-tungstenite = \"0.30\"",
            "+pub async fn serve_connection(stream: impl AsyncRead + AsyncWrite + Unpin)",
        ),
        (
            "warp = \"0.4\"",
            "+pub async fn serve(listener: tokio::net::TcpListener, stop: impl Future<Output = ()>)",
        ),
    ] {
        let manifest = MANIFEST.replace("axum = \"0.8\"", dependency);
        let said = to_refactor(&[("Cargo.toml", &manifest), MAIN]);
        assert!(said.contains(function), "{dependency}: {said}");
    }
}

#[test]
fn doctor_outside_of_a_workspace_says_where_to_go() {
    let cure = "ROOT is in no cargo workspace; go to your service's folder and type this again";
    refused(&Adopter::new(&[]), &["doctor"], 2, cure);
}

#[test]
fn doctor_outside_of_a_repository_says_so_among_the_others() {
    let adopter = Adopter::without_git(&[("Cargo.toml", MANIFEST), ("src/lib.rs", APP), MAIN]);
    let said = adopter.plimsoll(&["doctor"]);
    assert_eq!(said.code, Some(1), "{said:?}");
    let line = "missing  git repository        there is none: no numbers to review, no base";
    assert!(said.stdout.contains(line), "{said:?}");
}
