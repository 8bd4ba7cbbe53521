//! The next command to type.

use crate::validator::{Assessment, RunVerdict};
use load_plan::model::Run;
use load_plan::profile::Profile;
use load_plan::thresholds::Metric;

/// The command, and its purpose; `None` after a pass. `profile` is the name or path by which the command line knew the
/// profile, if there was one.
pub(super) fn next(
    profile: Option<&str>,
    run: &Run,
    assessment: &Assessment,
) -> Option<(String, &'static str)> {
    let profile = profile.map_or_else(|| named(run), str::to_owned);
    let with_profile = |verb: &str| format!("ws-load {verb} {}{}", quoted(&profile), against(run));
    let violated =
        |is: fn(Metric) -> bool| assessment.violated().any(|check| is(check.threshold.metric));
    let has_failed = run.sum(|_| true).counts.failed() > 0;
    let by_errors = violated(|metric| {
        matches!(metric, Metric::Errors | Metric::ErrorCount | Metric::ConnectionsFailed)
    });
    let by_times = violated(|metric| matches!(metric, Metric::Latency(_) | Metric::Timing(..)));
    Some(match assessment.verdict {
        RunVerdict::Pass => return None,
        RunVerdict::Fail if has_failed && by_errors => {
            (format!("ws-load run smoke{}", against(run)), "tests a small load")
        }
        RunVerdict::Fail if by_times => {
            (with_profile("search"), "finds the highest rate at which the thresholds hold")
        }
        RunVerdict::Fail if violated(Metric::is_of_allocations) => {
            ("scripts/run-alloc-tests.sh".to_owned(), "names the lines of the server that allocate")
        }
        RunVerdict::Fail | RunVerdict::Invalid | RunVerdict::Interrupted => {
            (with_profile("run"), "repeats the run")
        }
        RunVerdict::Incomplete => {
            ("ws-load merge DIR…".to_owned(), "with the reports of all shards")
        }
    })
}

/// The command that repeats the run, with the profile saved as [`file_name`] unless it is built in.
pub(super) fn repeat(run: &Run) -> String {
    let file = if is_builtin(run) { run.profile.name.clone() } else { file_name(run) };
    format!("ws-load run {}{} --workers {}", quoted(&file), against(run), run.workers)
}

/// The URL as an argument; empty for a run that started its own server.
fn against(run: &Run) -> String {
    if run.url.is_empty() { String::new() } else { format!(" {}", quoted(&run.url)) }
}

/// Whether the profile is an unchanged built-in one.
pub(super) fn is_builtin(run: &Run) -> bool {
    Profile::builtin(&run.profile.name).is_some_and(|builtin| builtin == run.profile)
}

/// The name of the file to save the profile in.
pub(super) fn file_name(run: &Run) -> String {
    format!("{}.toml", run.profile.name)
}

/// The name of a built-in profile, changed or not, or the name of its file.
fn named(run: &Run) -> String {
    let name = &run.profile.name;
    let is_known = Profile::BUILTIN.iter().any(|builtin| builtin.name == name);
    if is_known { name.clone() } else { file_name(run) }
}

/// Quoted for a shell, if needed.
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
