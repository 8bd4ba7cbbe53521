//! A service in a repository of its own: `main` with recorded numbers, and a branch with one commit more.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use tempfile::TempDir;

pub(crate) struct Repository {
    folder: TempDir,
}

const MANIFEST: &str = r#"[package]
name = "chat"
version = "0.1.0"
edition = "2024"

[dependencies]
futures = "0.3"
tokio = { version = "1", features = ["macros", "net", "rt"] }
tokio-tungstenite = "0.30"

[dev-dependencies]
plimsoll = { path = "HARNESS" }

[[test]]
name = "alloc"
harness = false

[profile.release]
debug = "limited"

[workspace]
"#;

const LIBRARY: &str = r"use futures::{SinkExt, StreamExt};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_tungstenite::tungstenite::Message;

pub async fn echo(stream: impl AsyncRead + AsyncWrite + Unpin) {
    let Ok(mut socket) = tokio_tungstenite::accept_async(stream).await else { return };
    while let Some(Ok::<Message, _>(message)) = socket.next().await {
        if message.is_text() && socket.send(message).await.is_err() {
            return;
        }
    }
}
";

/// A copy of every text, on a line of its own.
const PLANTED: [&str; 2] = [
    "        if message.is_text()",
    "        let message = match message { Message::Text(text) => Message::text(text.to_string()), other => other }; // planted
        if message.is_text()",
];

const PROGRAM: &str = r#"#[tokio::main(flavor = "current_thread")]
async fn main() -> std::io::Result<()> {
    let port = std::env::args().nth(1).expect("a port");
    let listener = tokio::net::TcpListener::bind(format!("127.0.0.1:{port}")).await?;
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        tokio::spawn(chat::echo(stream));
    }
}
"#;

const SUITE: &str = r#"use plimsoll::{Listener, Stop, Suite};

plimsoll::allocator!();

fn main() -> std::process::ExitCode {
    Suite::new(env!("CARGO_MANIFEST_DIR")).websocket("/", serve).echo(64).connect().main()
}

async fn serve(listener: Listener, stop: Stop) -> std::io::Result<()> {
    loop {
        tokio::select! {
            () = stop.clone() => return Ok(()),
            accepted = listener.accept() => drop(tokio::spawn(chat::echo(accepted?.0))),
        }
    }
}
"#;

const SERVICE: &str = r#"[[service]]
server = { package = "chat" }
command = "{bin} {port}"
"#;

impl Repository {
    /// The branch `copy` is checked out: its last commit copies every message.
    pub(crate) fn with_pull_request() -> Result<Self> {
        let repository = Self { folder: tempfile::Builder::new().prefix("a service ").tempdir()? };
        let harness = workspace().join("alloc-tests/harness");
        let manifest = MANIFEST.replace("HARNESS", &harness.to_string_lossy());
        for (file, text) in [
            ("Cargo.toml", manifest.as_str()),
            ("src/lib.rs", LIBRARY),
            ("src/main.rs", PROGRAM),
            ("tests/alloc.rs", SUITE),
            ("plimsoll.toml", SERVICE),
            (".gitignore", "/target\n"),
        ] {
            repository.write(file, text)?;
        }
        // With the versions of this workspace; cargo removes what the service does not need.
        fs::copy(workspace().join("Cargo.lock"), repository.root().join("Cargo.lock"))?;
        repository.run("cargo", &["metadata", "--format-version=1"])?;
        repository.git(&["init", "--quiet", "--initial-branch=main"])?;
        repository.git(&["config", "user.name", "A tester"])?;
        repository.git(&["config", "user.email", "tester@example.org"])?;
        let record =
            ["test", "--release", "--locked", "--test", "alloc", "--", "suite", "--update"];
        repository.run("cargo", &[&record[..], &["--reason", "the first numbers"]].concat())?;
        repository.commit("a chat")?;
        repository.git(&["switch", "--quiet", "--create", "copy"])?;
        let [old, new] = PLANTED;
        ensure!(LIBRARY.contains(old), "there is no place for the plant");
        repository.write("src/lib.rs", &LIBRARY.replace(old, new))?;
        repository.commit("copy every message")?;
        Ok(repository)
    }

    pub(crate) fn root(&self) -> &Path {
        self.folder.path()
    }

    /// The line of the plant, from 1.
    pub(crate) fn planted_line(&self) -> Result<usize> {
        let text = fs::read_to_string(self.root().join("src/lib.rs"))?;
        let at = text.lines().position(|line| line.ends_with("// planted"));
        Ok(at.context("nothing is planted")? + 1)
    }

    pub(crate) fn git(&self, arguments: &[&str]) -> Result<String> {
        self.run("git", arguments)
    }

    fn commit(&self, subject: &str) -> Result<()> {
        self.git(&["add", "--all"])?;
        self.git(&["commit", "--quiet", "--message", subject]).map(drop)
    }

    fn write(&self, file: &str, text: &str) -> Result<()> {
        let path = self.root().join(file);
        fs::create_dir_all(path.parent().context("every file is in a folder")?)?;
        Ok(fs::write(path, text)?)
    }

    fn run(&self, program: &str, arguments: &[&str]) -> Result<String> {
        let output = Command::new(program).args(arguments).current_dir(self.root()).output()?;
        let [stdout, stderr] =
            [output.stdout, output.stderr].map(|text| String::from_utf8_lossy(&text).into_owned());
        ensure!(output.status.success(), "{program} {}: {stdout}{stderr}", arguments.join(" "));
        Ok(stdout)
    }
}

/// The root of this workspace.
pub(crate) fn workspace() -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2);
    folder.expect("the package is in alloc-tests/cli").to_owned()
}
