//! The text of `tests/alloc.rs`.

use super::service::Framework;
use super::signature::{Function, Kind, StopKind};

/// What the suite measures.
pub(super) struct Measured<'a> {
    pub(super) path: &'a str,
    /// The text that is sent, and what the answer contains; `None` for an echo.
    pub(super) request: Option<(&'a str, &'a str)>,
}

/// The suite that serves `function`.
pub(super) fn text(
    measured: &Measured<'_>,
    function: &Function,
    kind: Kind,
    framework: Framework,
) -> String {
    let message = match measured.request {
        None => ".echo(64) // a text of 64 letters comes back, 1000 times".to_owned(),
        Some((send, reply)) => format!(
            ".request({}, {}) // sent 1000 times; each answer contains the second text",
            literal(send),
            literal(reply)
        ),
    };
    let path = literal(measured.path);
    let serve = serve(function, kind, framework);
    format!(
        "\
//! What a message and a connection cost: heap blocks, bytes, reads, writes and system calls.
//! All is checked by `cargo test --release`. `-- suite` behind it prints the table.

use plimsoll::{{Listener, Stop, Suite}};

plimsoll::allocator!();

fn main() -> std::process::ExitCode {{
    Suite::new(env!(\"CARGO_MANIFEST_DIR\"))
        .websocket({path}, serve)
        {message}
        .connect() // 100 connections, one after the other
        .hold(100) // 100 connections at once: the heap and the descriptors that they hold
        .main()
}}

{serve}"
    )
}

/// Whether its reads and writes are counted.
pub(super) fn counts_streams(kind: Kind, framework: Framework) -> bool {
    match kind {
        Kind::Router => framework != Framework::OldAxum,
        Kind::Serve { takes_tokio, .. } | Kind::Stream { takes_tokio, .. } => !takes_tokio,
        Kind::Request => true,
    }
}

/// Whether it waits with tokio's macros.
pub(super) fn needs_tokio(kind: Kind) -> bool {
    match kind {
        Kind::Router | Kind::Serve { stop: StopKind::Future, .. } => false,
        Kind::Serve { .. } | Kind::Request | Kind::Stream { .. } => true,
    }
}

/// Whether it wraps streams for hyper.
pub(super) fn needs_hyper_util(kind: Kind) -> bool {
    matches!(kind, Kind::Request | Kind::Stream { is_hyper: true, .. })
}

fn serve(function: &Function, kind: Kind, framework: Framework) -> String {
    let Function { path, is_async, .. } = function;
    let listener =
        if counts_streams(kind, framework) { "listener" } else { "listener.into_tokio()" };
    let served = |body: &str| {
        format!(
            "async fn serve(listener: Listener, stop: Stop) -> impl plimsoll::Served {{\n    {body}\n}}\n"
        )
    };
    match kind {
        Kind::Router => {
            let wait = if *is_async { ".await" } else { "" };
            served(&format!(
                "axum::serve({listener}, {path}(){wait}).with_graceful_shutdown(stop).await"
            ))
        }
        Kind::Serve { stop: StopKind::Future, .. } => {
            served(&format!("{path}({listener}, stop).await"))
        }
        Kind::Serve { stop: StopKind::CancellationToken, .. } => served(&format!(
            "let token = tokio_util::sync::CancellationToken::new();
    let cancel = async {{
        stop.await;
        token.cancel();
    }};
    tokio::join!({path}({listener}, token.clone()), cancel).0"
        )),
        Kind::Request => each_stream(
            listener,
            false,
            &[
                "tokio::spawn(",
                "    hyper::server::conn::http1::Builder::new()",
                "        .serve_connection(",
                "            hyper_util::rt::TokioIo::new(stream),",
                &format!("            hyper::service::service_fn({path}),"),
                "        )",
                "        .with_upgrades(),",
                ");",
            ],
        ),
        Kind::Stream { is_hyper, with_peer, .. } => {
            let stream = if is_hyper { "hyper_util::rt::TokioIo::new(stream)" } else { "stream" };
            let peer = if with_peer { ", peer" } else { "" };
            each_stream(listener, with_peer, &[&format!("tokio::spawn({path}({stream}{peer}));")])
        }
    }
}

/// A task for each stream, until the signal.
fn each_stream(listener: &str, with_peer: bool, task: &[&str]) -> String {
    let peer = if with_peer { "peer" } else { "_" };
    let indent = " ".repeat(16);
    let task: String = task.iter().map(|line| format!("{indent}{line}\n")).collect();
    let tokio = if listener == "listener" {
        String::new()
    } else {
        format!("    let listener = {listener};\n")
    };
    format!(
        "\
async fn serve(listener: Listener, stop: Stop) -> std::io::Result<()> {{
{tokio}    loop {{
        tokio::select! {{
            () = stop.clone() => return Ok(()),
            accepted = listener.accept() => {{
                let (stream, {peer}) = accepted?;
{task}            }}
        }}
    }}
}}
"
    )
}

/// `text` as a literal of Rust, readable where it holds quotation marks.
fn literal(text: &str) -> String {
    if !text.contains('"') || text.chars().any(char::is_control) {
        return format!("{text:?}");
    }
    let mut hashes = "#".to_owned();
    while text.contains(&format!("\"{hashes}")) {
        hashes.push('#');
    }
    format!("r{hashes}\"{text}\"{hashes}")
}
