//! `init` in other repositories: what it writes, and what it refuses.

use crate::adopter::Adopter;

const AXUM: (&str, &str) = (
    "Cargo.toml",
    r#"[package]
name = "chat-server" # ours
edition = "2024"

[dependencies]
axum = "0.8.9"
tokio = { version = "1.54", features = ["full"] }
"#,
);

const APP: (&str, &str) = ("src/lib.rs", "pub fn app() -> axum::Router { axum::Router::new() }");

const MAIN: (&str, &str) = ("src/main.rs", "fn main() {}");

fn manifest(dependencies: &str) -> String {
    format!("[package]\nname = \"chat\"\nedition = \"2024\"\n[dependencies]\n{dependencies}\n")
}

#[test]
fn the_diff_of_an_axum_service_is_shown_and_then_written() {
    let adopter = Adopter::new(&[AXUM, APP, MAIN]);
    let dry = adopter.plimsoll(&["init", "--dry-run"]);
    assert_eq!((dry.code, adopter.files().len()), (Some(0), 3), "{dry:?}");
    let said = adopter.plimsoll(&["init", "--yes"]);
    assert_eq!(said.code, Some(0), "{said:?}");
    insta::assert_snapshot!(said.stdout);
    for line in said.stdout.lines().filter(|line| line.starts_with("+++ b/")) {
        assert!(!adopter.read(&line[6..]).is_empty());
        assert!(dry.stdout.contains(line), "{line}");
    }
}

#[test]
fn a_second_init_changes_nothing() {
    let adopter = Adopter::new(&[AXUM, APP, MAIN]);
    assert_eq!(adopter.plimsoll(&["init", "--yes"]).code, Some(0));
    let before = adopter.files();
    let said = adopter.plimsoll(&["init"]);
    assert_eq!(said.code, Some(0), "{said:?}");
    assert!(said.stdout.contains("nothing to write: all of it exists"), "{said:?}");
    assert_eq!(adopter.files(), before);
}

#[test]
fn a_second_workflow_comments_for_forks_on_demand() {
    let adopter = Adopter::new(&[AXUM, APP, MAIN]);
    assert_eq!(adopter.plimsoll(&["init", "--yes", "--comment"]).code, Some(0));
    assert!(adopter.read(".github/workflows/plimsoll-comment.yml").contains("workflow_run:"));
}

#[test]
fn what_exists_is_left_and_said() {
    let own = "//! ours\n";
    let manifest = format!("{}\n[profile.release]\ndebug = false # small\n", AXUM.1);
    let adopter = Adopter::new(&[
        ("Cargo.toml", manifest.as_str()),
        APP,
        MAIN,
        ("tests/alloc.rs", own),
        (".gitattributes", "*.bin binary"),
        ("plimsoll.toml", "# services\n[[service]]\nserver = { package = \"other\" }\n"),
    ]);
    let said = adopter.plimsoll(&["init", "--yes"]);
    assert_eq!(said.code, Some(0), "{said:?}");
    assert_eq!(adopter.read("tests/alloc.rs"), own);
    for note in ["tests/alloc.rs", "debug = false # small in [profile.release] of Cargo.toml"] {
        assert!(said.stdout.contains(&format!("left as it is: {note}")), "{note}: {said:?}");
    }
    assert!(adopter.read(".gitattributes").starts_with("*.bin binary\n**/baselines/"));
    let services = adopter.read("plimsoll.toml");
    assert!(services.starts_with("# services\n[[service]]\nserver = { package = \"other\" }\n"));
    assert!(services.contains("\n\n[[service]]\nname = \"chat-server\"\n"), "{services}");
    assert!(adopter.read("Cargo.toml").starts_with(AXUM.1), "comments and order stay");
}

#[track_caller]
fn check(dependencies: &str, library: &str, flags: &[&str], expected: &[(&str, &str)]) {
    let manifest = manifest(dependencies);
    let adopter = Adopter::new(&[("Cargo.toml", &manifest), ("src/lib.rs", library), MAIN]);
    let said = adopter.plimsoll(&[&["init", "--yes"], flags].concat());
    assert_eq!(said.code, Some(0), "{said:?}");
    for (file, words) in expected {
        let text = adopter.read(file);
        assert!(text.contains(words), "{file} has no {words}:\n{text}");
    }
}

#[test]
fn a_function_for_each_stream_of_tokio_tungstenite_is_spawned() {
    check(
        "tokio-tungstenite = \"0.30\"\ntokio = { version = \"1.54\", features = [\"net\"] }",
        "pub async fn echo<S>(stream: S) where S: AsyncRead + AsyncWrite + Unpin {}",
        &["--path", "/"],
        &[
            ("tests/alloc.rs", ".websocket(\"/\", serve)"),
            (
                "tests/alloc.rs",
                "let (stream, _) = accepted?;\n                tokio::spawn(chat::echo(stream));",
            ),
            ("Cargo.toml", "tokio = { version = \"1.54\", features = [\"macros\", \"rt\"] }"),
            ("Cargo.toml", "plimsoll = \"0.1.0\""),
        ],
    );
}

#[test]
fn a_function_that_takes_tokios_stream_and_its_peer_gets_them() {
    check(
        "tokio-tungstenite = \"0.30\"\ntokio = { version = \"1\", features = [\"full\"] }",
        "mod net { pub async fn client(s: TcpStream, peer: SocketAddr) {} } pub use net::client;",
        &[],
        &[
            ("tests/alloc.rs", "let listener = listener.into_tokio();\n"),
            ("tests/alloc.rs", "tokio::spawn(chat::client(stream, peer));"),
        ],
    );
}

#[test]
fn the_service_function_of_hyper_is_served_with_upgrades() {
    check(
        "hyper = \"1\"\ntokio = { version = \"1\", features = [\"full\"] }",
        "pub async fn handle(r: Request<hyper::body::Incoming>) -> Result<Response<String>, Infallible> {}",
        &["--request", "{\"say\":1}", "said"],
        &[
            ("tests/alloc.rs", "hyper::service::service_fn(chat::handle),"),
            ("tests/alloc.rs", ".request(r#\"{\"say\":1}\"#, \"said\")"),
            ("Cargo.toml", "hyper-util = { version = \"0.1\", features = [\"tokio\"] }"),
            ("tests/conversation.toml", "expect = { contains = \"said\" }"),
            ("plimsoll.toml", "conversation = \"tests/conversation.toml\""),
        ],
    );
}

#[test]
fn a_function_with_a_listener_and_a_signal_wins() {
    check(
        "axum = \"0.8\"",
        "pub fn app() -> Router {}
         pub async fn run(listener: impl Listener, stop: impl Future<Output = ()> + Send) -> io::Result<()> {}",
        &[],
        &[("tests/alloc.rs", "    chat::run(listener, stop).await\n")],
    );
}

#[test]
fn an_older_axum_and_a_token_are_served_as_they_are() {
    check(
        "axum = \"0.7\"",
        "pub async fn app() -> axum::Router<()> {}",
        &[],
        &[("tests/alloc.rs", "axum::serve(listener.into_tokio(), chat::app().await)")],
    );
    check(
        "warp = \"0.4\"",
        "pub async fn serve(listener: TcpListener, token: CancellationToken) {}",
        &["--command", "{bin} {port}"],
        &[
            (
                "tests/alloc.rs",
                "tokio::join!(chat::serve(listener.into_tokio(), token.clone()), cancel).0",
            ),
            ("plimsoll.toml", "command = \"{bin} {port}\""),
        ],
    );
}

#[test]
fn each_service_of_a_workspace_gets_an_entry() {
    let a = manifest("axum = \"0.8\"").replace("\"chat\"", "\"a\"");
    let b = manifest("tokio-tungstenite = \"0.30\"").replace("\"chat\"", "\"b\"");
    let adopter = Adopter::new(&[
        ("Cargo.toml", "[workspace]\nresolver = \"3\"\nmembers = [\"a\", \"b\"] # both\n"),
        ("a/Cargo.toml", &a),
        ("a/src/lib.rs", APP.1),
        ("a/src/main.rs", "fn main() { std::env::var(\"PORT\"); }"),
        ("b/Cargo.toml", &b),
        ("b/src/lib.rs", "pub mod net;"),
        ("b/src/net.rs", "pub async fn one(s: impl AsyncRead + AsyncWrite) {} fn serve() {}"),
        ("b/src/main.rs", MAIN.1),
    ]);
    let unsaid = adopter.plimsoll(&["init", "--yes"]);
    assert_eq!(unsaid.code, Some(2), "{unsaid:?}");
    for package in ["a", "b"] {
        let said = adopter.plimsoll(&["init", "--package", package, "--yes"]);
        assert_eq!(said.code, Some(0), "{said:?}");
        assert!(said.stdout.contains(&format!("cargo test --release -p {package} --test alloc")));
    }
    assert!(adopter.read("b/tests/alloc.rs").contains("tokio::spawn(b::net::one(stream));"));
    insta::assert_snapshot!(adopter.read("plimsoll.toml"), @r#"
    [[service]]
    name = "a"
    server = { package = "a", bin = "a" }
    command = "PORT={port} {bin}"
    path = "/ws"

    [[service]]
    name = "b"
    server = { package = "b", bin = "b" }
    command = "{bin} --port {port}"
    path = "/ws"
    "#);
    let root = adopter.read("Cargo.toml");
    assert!(root.contains("members = [\"a\", \"b\"] # both"), "{root}");
    assert_eq!(root.matches("debug = \"limited\"").count(), 1, "{root}");
}
