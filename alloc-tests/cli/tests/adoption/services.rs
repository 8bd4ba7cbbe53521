//! The services of the workspace, beside the guide's own.

/// Manifests and sources, each with its path.
pub(crate) const FILES: [(&str, &str); 10] = [
    (
        "Cargo.toml",
        "[workspace]\nresolver = \"3\"\nmembers = [\"chat\", \"relay\"]\nexclude = [\"news\"]\n",
    ),
    (
        "chat/Cargo.toml",
        r#"[package]
name = "chat"
edition = "2024"
[dependencies]
axum = { version = "0.8", features = ["ws"] }
tokio = { version = "1", features = ["macros", "net", "rt-multi-thread"] }
"#,
    ),
    ("relay/Cargo.toml", RELAY),
    ("relay/src/lib.rs", include_str!("../../../pilots/tungstenite/src/lib.rs")),
    ("relay/src/main.rs", RELAY_MAIN),
    ("news/Cargo.toml", NEWS),
    ("news/src/lib.rs", include_str!("news.rs")),
    ("news/src/main.rs", "fn main() {}\n"),
    (".gitignore", "/target\n"),
    ("README.md", "Two services, and one that joins later.\n"),
];

/// On tokio-tungstenite: a function for each stream.
const RELAY: &str = r#"[package]
name = "relay"
edition = "2024"
[features]
planted = []
[dependencies]
futures-util = { version = "0.3", default-features = false, features = ["sink", "std"] }
tokio = { version = "1", features = ["io-util", "macros", "net", "rt-multi-thread"] }
tokio-tungstenite = "0.29"
"#;

const RELAY_MAIN: &str = r#"#[tokio::main]
async fn main() -> std::io::Result<()> {
    let port = std::env::var("PORT").expect("PORT is set");
    let listener = tokio::net::TcpListener::bind(format!("127.0.0.1:{port}")).await?;
    loop {
        tokio::spawn(relay::echo(listener.accept().await?.0));
    }
}
"#;

/// On hyper: a function for each request.
const NEWS: &str = r#"[package]
name = "news"
edition = "2024"
[dependencies]
futures-util = { version = "0.3", default-features = false, features = ["sink", "std"] }
hyper = { version = "1", features = ["http1", "server"] }
hyper-util = { version = "0.1", features = ["tokio"] }
tokio = { version = "1", features = ["macros", "net", "rt-multi-thread"] }
tokio-tungstenite = { version = "0.29", default-features = false }
tungstenite = { version = "0.29", default-features = false, features = ["handshake"] }
"#;

/// What is typed when the service on hyper joins.
pub(crate) const JOIN: [&str; 4] = [
    "sed -i 's/, \"relay\"]/, \"relay\", \"news\"]/; /^exclude/d' Cargo.toml",
    "cargo plimsoll init --package news --path / --yes",
    "PLIMSOLL_UPDATE='first numbers' cargo test --release --package news --test alloc",
    "cargo test --release --package news --test alloc",
];
