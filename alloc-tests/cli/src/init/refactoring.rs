//! The one refactoring that `init` cannot do: a function that a test can call.

use anyhow::Result;

use super::plan::Plan;
use super::service::{Framework, Service};
use super::signature::Function;
use super::split::split;
use crate::place;

/// What to write so that `init` finds a function to serve.
///
/// # Errors
///
/// If a source cannot be read.
pub(super) fn words(service: &Service<'_>, functions: Option<&[Function]>) -> Result<String> {
    let package = service.name();
    let library = package.replace('-', "_");
    let why = match functions {
        None => format!("{package} has no library, and a test cannot call what is in src/main.rs"),
        Some(functions) => {
            let near: Vec<String> = functions
                .iter()
                .filter(|one| one.is_nearly_router())
                .map(Function::words)
                .collect();
            let near = match &near[..] {
                [] => String::new(),
                near => format!(" ({} cannot be called without arguments)", near.join(", ")),
            };
            format!("the library of {package} has no public function that a suite can serve{near}")
        }
    };
    if functions.is_none()
        && let Some(diff) = exact(service, &library)?
    {
        return Ok(format!(
            "\
{why}.
Nothing is written. Split `main` once: the program binds a port, the library serves. This diff does it (git apply):

{diff}
Then type this again.
"
        ));
    }
    let (what, library_lines, main_lines) = lines(service.framework, &library);
    let new = if functions.is_none() {
        "--- /dev/null\n+++ b/src/lib.rs"
    } else {
        "--- a/src/lib.rs\n+++ b/src/lib.rs"
    };
    Ok(format!(
        "\
{why}.
Nothing is written. Split `main` once: the program binds a port, the library serves. {what}

{new}
{library_lines}
--- a/src/main.rs
+++ b/src/main.rs
{main_lines}
Then type this again. A function of another name or place: --app PATH::TO::FN
"
    ))
}

/// The diff that splits the program of an axum service, if its routes need no variable of `main`.
fn exact(service: &Service<'_>, library: &str) -> Result<Option<String>> {
    let home = place::home(service.package);
    let program = home.join("src/main.rs");
    let mut plan = Plan::new(home.to_owned());
    let is_axum = matches!(service.framework, Framework::Axum | Framework::OldAxum);
    let Some(before) = plan.text(&program)?.filter(|_| is_axum) else { return Ok(None) };
    let Some((new, after)) = split(&before, library) else { return Ok(None) };
    plan.set(&home.join("src/lib.rs"), new)?;
    plan.set(&program, after)?;
    Ok(Some(plan.diff()))
}

/// Where what goes, the lines of the library, and those of the program.
fn lines(framework: Framework, library: &str) -> (&'static str, String, String) {
    match framework {
        Framework::Axum | Framework::OldAxum => (
            "Move the routes and their handlers.",
            "\
+/// The service's routes.
+pub fn app() -> axum::Router {
+    axum::Router::new() // .route(…), as main has them now
+}
"
            .to_owned(),
            format!(
                "\
-    let app = axum::Router::new() // .route(…)
+    let app = {library}::app();
     axum::serve(listener, app).await
"
            ),
        ),
        Framework::Hyper => (
            "Move the service function and all that it calls.",
            "\
+/// Answers one request; upgrades it where it asks for a WebSocket.
+pub async fn handle(request: hyper::Request<hyper::body::Incoming>) -> hyper::http::Result<hyper::Response<Body>> {
+    // as main has it now
+}
"
            .to_owned(),
            format!(
                "\
-    .serve_connection(TokioIo::new(stream), service_fn(handle))
+    .serve_connection(TokioIo::new(stream), service_fn({library}::handle))
     .with_upgrades()
"
            ),
        ),
        Framework::TokioTungstenite => (
            "Move what serves one connection.",
            "\
+/// Serves one connection until its peer closes it.
+pub async fn serve_connection(stream: impl AsyncRead + AsyncWrite + Unpin) -> tungstenite::Result<()> {
+    let socket = tokio_tungstenite::accept_async(stream).await?;
+    // as main has it now
+}
"
            .to_owned(),
            format!(
                "\
     let (stream, _) = listener.accept().await?;
-    tokio::spawn(serve_connection(stream));
+    tokio::spawn({library}::serve_connection(stream));
"
            ),
        ),
        Framework::Other => (
            "Move what starts the server.",
            "\
+/// Serves connections of `listener` until `stop` resolves.
+pub async fn serve(listener: tokio::net::TcpListener, stop: impl Future<Output = ()>) -> std::io::Result<()> {
+    // as main has it now; a server that never ends: tokio::select! { served = server => served, () = stop => Ok(()) }
+}
"
            .to_owned(),
            format!(
                "\
     let listener = tokio::net::TcpListener::bind(address).await?;
+    {library}::serve(listener, std::future::pending()).await
"
            ),
        ),
    }
}
