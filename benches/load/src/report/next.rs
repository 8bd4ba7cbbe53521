//! What to type next.

use crate::validator::{Assessment, RunVerdict};
use load_plan::model::Run;
use load_plan::profile::Profile;
use load_plan::thresholds::Metric;

/// After anything but a pass: a command, and what it is good for.
pub(super) fn next(run: &Run, assessment: &Assessment) -> Option<(String, &'static str)> {
    next_with(&named(run), run, assessment)
}

/// The same, for somebody who knows the profile as `profile`: a name or a path.
pub(super) fn next_with(
    profile: &str,
    run: &Run,
    assessment: &Assessment,
) -> Option<(String, &'static str)> {
    let with_profile = |verb: &str| format!("ws-load {verb} {}{}", quoted(profile), against(run));
    let violated = |is: fn(Metric) -> bool| {
        let mut violated = assessment.checks.iter().filter(|check| !check.met);
        violated.any(|check| is(check.threshold.metric))
    };
    let failed = run.sum(|_| true).counts.failed();
    Some(match assessment.verdict {
        RunVerdict::Pass => return None,
        RunVerdict::Fail
            if failed > 0
                && violated(|metric| {
                    matches!(
                        metric,
                        Metric::Errors | Metric::ErrorCount | Metric::ConnectionsFailed
                    )
                }) =>
        {
            (format!("ws-load run smoke{}", against(run)), "whether it carries even a small load")
        }
        RunVerdict::Fail
            if violated(|metric| matches!(metric, Metric::Latency(_) | Metric::Timing(..))) =>
        {
            (with_profile("search"), "the highest rate at which the thresholds hold")
        }
        RunVerdict::Fail if violated(Metric::is_of_allocations) => {
            ("scripts/run-alloc-tests.sh".to_owned(), "which line of the server allocates what")
        }
        RunVerdict::Fail | RunVerdict::Invalid | RunVerdict::Interrupted => {
            (with_profile("run"), "the same again")
        }
        RunVerdict::Incomplete => {
            ("ws-load merge DIR…".to_owned(), "with the reports of all shards")
        }
    })
}

/// The same profile, saved under its name if it is not built in, against the same target.
pub(super) fn repeat(run: &Run) -> String {
    let file = if is_builtin(run) { run.profile.name.clone() } else { file_name(run) };
    format!("ws-load run {}{} --workers {}", quoted(&file), against(run), run.workers)
}

/// The URL as an argument; none for a server of its own, which a run without one starts again.
fn against(run: &Run) -> String {
    if run.url.is_empty() { String::new() } else { format!(" {}", quoted(&run.url)) }
}

/// Whether the profile is one that comes with the tool, and nothing in it was changed.
pub(super) fn is_builtin(run: &Run) -> bool {
    Profile::builtin(&run.profile.name).is_some_and(|builtin| builtin == run.profile)
}

/// What to save the profile as.
pub(super) fn file_name(run: &Run) -> String {
    format!("{}.toml", run.profile.name)
}

/// What a command knows the profile by; its own command line may have changed it.
pub(super) fn named(run: &Run) -> String {
    let name = &run.profile.name;
    let is_known = Profile::BUILTIN.iter().any(|builtin| builtin.name == name);
    if is_known { name.clone() } else { file_name(run) }
}

/// As a shell takes it for one word.
fn quoted(word: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./:@%+,=".contains(c);
    if !word.is_empty() && word.chars().all(is_plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_stays_one_word_in_a_shell() {
        let words = ["smoke", "ws://[::1]:9/a?b=c&d", "it's", ""].map(quoted);
        assert_eq!(words, ["smoke", "'ws://[::1]:9/a?b=c&d'", r"'it'\''s'", "''"]);
    }
}
