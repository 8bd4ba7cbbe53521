//! Runs that must pass wherever the machine lets them be judged.

/// What makes a run invalid on a machine that is too busy, and nothing else.
const CAUSES: [&str; 5] = [
    "the generator was late",
    "the generator was the bottleneck",
    "the generator did not keep up",
    "the generator may be the cause",
    // Of shards that did not start together.
    "began to hold stage",
];

/// Checks the exit code of a run that `said` this: a pass, or not judged because of the generator alone.
#[track_caller]
pub(crate) fn holds(code: Option<i32>, said: &str) {
    let words: Vec<_> = said.split_whitespace().collect();
    let words = words.join(" ");
    let is_busy = CAUSES.iter().any(|cause| words.contains(cause));
    assert!(code == Some(0) || code == Some(6) && is_busy, "{code:?}: {said}");
}
