//! The function that a suite serves, chosen from those of a library.

use anyhow::{Result, bail};

use super::service::Framework;
use super::signature::{Function, Kind};
use crate::error::Usage;

/// Names that functions like this usually have; they win over others.
const USUAL: [&str; 4] = ["app", "router", "serve", "serve_connection"];

/// The function to serve with the way to call it, or why there is none, in words.
///
/// # Errors
///
/// [`Usage`] if `asked` names none that a suite can call, or if there are several.
pub(super) fn choose(
    functions: &[Function],
    framework: Framework,
    asked: Option<&str>,
) -> Result<Option<(Function, Kind)>> {
    let fitting: Vec<(&Function, Kind)> = functions
        .iter()
        .filter_map(|one| Some((one, one.kind().filter(|kind| fits(*kind, framework))?)))
        .collect();
    if let Some(asked) = asked {
        return named(functions, &fitting, asked).map(Some);
    }
    let Some(best) = fitting.iter().map(|(_, kind)| rank(*kind)).min() else { return Ok(None) };
    let best: Vec<_> = fitting.into_iter().filter(|(_, kind)| rank(*kind) == best).collect();
    let usual = USUAL.iter().find_map(|name| {
        let mut called = best.iter().filter(|(one, _)| one.path.ends_with(&format!("::{name}")));
        called.next().filter(|_| called.next().is_none())
    });
    match (&best[..], usual) {
        ([(function, kind)], _) | (_, Some((function, kind))) => {
            Ok(Some(((*function).clone(), *kind)))
        }
        _ => {
            let paths: Vec<&str> = best.iter().map(|(one, _)| one.path.as_str()).collect();
            bail!(Usage(format!(
                "several functions may be served; choose one with --app: {}",
                paths.join(", ")
            )))
        }
    }
}

/// The function that ends with the path `asked`.
fn named(
    functions: &[Function],
    fitting: &[(&Function, Kind)],
    asked: &str,
) -> Result<(Function, Kind)> {
    let is_asked = |one: &Function| {
        one.path == asked
            || one.path.ends_with(&format!("::{}", asked.trim_start_matches("crate::")))
    };
    if let Some((function, kind)) = fitting.iter().find(|(one, _)| is_asked(one)) {
        return Ok(((*function).clone(), *kind));
    }
    let paths: Vec<&str> = fitting.iter().map(|(one, _)| one.path.as_str()).collect();
    let others = match &paths[..] {
        [] => "type this again without --app to see what to write".to_owned(),
        paths => format!("it could call {}", paths.join(", ")),
    };
    match functions.iter().find(|one| is_asked(one)) {
        Some(found) => bail!(Usage(format!("a suite cannot call {}; {others}", found.words()))),
        None => bail!(Usage(format!("the library has no public function {asked}; {others}"))),
    }
}

/// Whether a service on `framework` may have such a function.
fn fits(kind: Kind, framework: Framework) -> bool {
    let is_axum = matches!(framework, Framework::Axum | Framework::OldAxum);
    match kind {
        Kind::Router => is_axum,
        Kind::Request => framework == Framework::Hyper,
        Kind::Serve { .. } => true,
        Kind::Stream { .. } => !is_axum,
    }
}

/// The lowest is tried first: the nearest to what the program runs, and whose streams are counted.
fn rank(kind: Kind) -> u8 {
    match kind {
        Kind::Serve { takes_tokio: false, .. } => 0,
        Kind::Router => 1,
        Kind::Serve { .. } => 2,
        Kind::Stream { .. } => 3,
        Kind::Request => 4,
    }
}
