//! The next command to type.

use crate::validator::{Assessment, RunVerdict};
use load_plan::model::Run;
use load_plan::profile::{Mode, Profile};
use load_plan::thresholds::Metric;

/// The command, and its purpose; `None` after a pass. `asked` is what the command line called for, if there was one: the name
/// or path of the profile, then the flags that say what is said to the target.
pub(super) fn next(
    asked: Option<&[&str]>,
    run: &Run,
    assessment: &Assessment,
) -> Option<(String, &'static str)> {
    let named = [named(run)];
    let asked = asked.map_or_else(|| vec![named[0].as_str()], <[_]>::to_vec);
    let command = |verb: &str, words: &[&str]| {
        let words: Vec<String> = words.iter().copied().map(quoted).collect();
        format!("ws-load {verb} {}{}", words.join(" "), against(run))
    };
    let with_profile = |verb: &str| command(verb, &asked);
    // A built-in profile sends texts that the target may not echo.
    let small = [&["smoke"], &asked[1..]].concat();
    let can_be_small = run.profile.target.mode == Mode::Echo || small.len() > 1;
    let violated =
        |is: fn(Metric) -> bool| assessment.violated().any(|check| is(check.threshold.metric));
    let has_failed = run.sum(|_| true).counts.failed() > 0;
    let by_errors = violated(|metric| {
        matches!(metric, Metric::Errors | Metric::ErrorCount | Metric::ConnectionsFailed)
    });
    let by_times = violated(|metric| matches!(metric, Metric::Latency(_) | Metric::Timing(..)));
    Some(match assessment.verdict {
        RunVerdict::Pass => return None,
        RunVerdict::Fail if has_failed && by_errors && can_be_small => {
            (command("run", &small), "tests a small load")
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
    use load_plan::outcome::Ending;

    use super::*;
    use crate::report::fixture;
    use crate::validator::validate;

    #[test]
    fn a_small_load_is_proposed_only_where_it_says_what_the_target_answers() {
        let mut run = fixture::failing();
        run.profile.thresholds = vec!["errors <= 0".parse().expect("it is a limit")];
        run.profile.stages.iter_mut().for_each(|stage| stage.thresholds.clear());
        let counts = &mut run.intervals[0].sample.counts;
        counts.attempted += 1;
        counts.endings[Ending::Reset as usize] += 1;
        let assessment = validate(&run);
        assert_eq!(assessment.verdict, RunVerdict::Fail, "{:?}", assessment.reasons);
        let check = |run: &Run, asked: &[&str], command: &str| {
            let next = next(Some(asked), run, &assessment).expect("it failed");
            assert_eq!(next.0, format!("ws-load run {command}{}", against(run)));
        };
        check(&run, &["mine.toml"], "smoke");
        check(&run, &["mine.toml", "--conversation", "a b"], "smoke --conversation 'a b'");
        run.profile.target.mode = Mode::Request { send: "{seq}".into(), reply: "{seq}".into() };
        check(&run, &["mine.toml"], "mine.toml");
    }

    #[test]
    fn a_word_stays_one_word_in_a_shell() {
        let words = ["smoke", "ws://[::1]:9/a?b=c&d", "it's", ""].map(quoted);
        assert_eq!(words, ["smoke", "'ws://[::1]:9/a?b=c&d'", r"'it'\''s'", "''"]);
    }
}
