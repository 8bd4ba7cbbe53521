//! The next command to type.

use crate::validator::{Assessment, RunVerdict};
use load_plan::metrics::Timing;
use load_plan::model::Run;
use load_plan::profile::{Mode, Profile};
use load_plan::thresholds::Metric;

/// What the command line called for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Asked {
    /// A profile by its name or path, and the flags that say what is said to the target.
    Profile {
        /// As it was typed.
        name: String,
        /// The flags, with their values.
        talk: Vec<String>,
    },
    /// A load in flags.
    Flags {
        /// The URL, and the flags, with their values.
        words: Vec<String>,
        /// Those of the flags that say what is said to the target.
        talk: Vec<String>,
        /// The file that the profile was saved in.
        saved: Option<String>,
    },
}

/// The command, and its purpose; `None` after a pass. Without `asked`, the profile is called as its name suggests.
pub(super) fn next(
    asked: Option<&Asked>,
    run: &Run,
    assessment: &Assessment,
) -> Option<(String, &'static str)> {
    let named = Asked::Profile { name: named(run), talk: Vec::new() };
    let asked = asked.unwrap_or(&named);
    let (Asked::Profile { talk, .. } | Asked::Flags { talk, .. }) = asked;
    let command = |verb: &str, name: &str| {
        let words = [verb, name].into_iter().chain(talk.iter().map(String::as_str));
        format!("ws-load {}{}", typed(words), against(run))
    };
    let repeated = match asked {
        Asked::Profile { name, .. } => command("run", name),
        Asked::Flags { words, .. } => format!("ws-load {}", typed(words)),
    };
    let searched = match asked {
        Asked::Profile { name, .. } | Asked::Flags { saved: Some(name), .. } => {
            command("search", name)
        }
        Asked::Flags { words, .. } => {
            let file = file_name(run);
            format!("ws-load {} --save {file} && ws-load search {file}", typed(words))
        }
    };
    // A built-in profile sends texts that the target may not echo.
    let can_be_small = run.profile.target.mode == Mode::Echo || !talk.is_empty();
    let violated =
        |is: fn(Metric) -> bool| assessment.violated().any(|check| is(check.threshold.metric));
    let has_failed = run.sum(|_| true).counts.failed() > 0;
    let by_errors = violated(|metric| {
        matches!(metric, Metric::Errors | Metric::ErrorCount | Metric::ConnectionsFailed)
    });
    let by_times = violated(|metric| matches!(metric, Metric::Latency(_) | Metric::Timing(..)));
    Some(match assessment.verdict {
        RunVerdict::Pass => return None,
        RunVerdict::Fail if never_echoed(run) && !has_failed => {
            (format!("{repeated} --payload FILE --reply TEXT"), IF_NO_ECHO)
        }
        RunVerdict::Fail if has_failed && by_errors && can_be_small => {
            (command("run", "smoke"), "tests a small load")
        }
        RunVerdict::Fail if by_times => {
            (searched, "finds the highest rate at which the thresholds hold")
        }
        RunVerdict::Fail if violated(Metric::is_of_allocations) => {
            ("scripts/run-alloc-tests.sh".to_owned(), "names the lines of the server that allocate")
        }
        RunVerdict::Fail | RunVerdict::Invalid | RunVerdict::Interrupted => {
            (repeated, "repeats the run")
        }
        RunVerdict::Incomplete => {
            ("ws-load merge DIR…".to_owned(), "with the reports of all shards")
        }
    })
}

/// Why to send a payload of one's own.
const IF_NO_ECHO: &str =
    "if the target does not echo: a message that it understands, and what its answer contains";

/// Whether not one of the messages came back.
fn never_echoed(run: &Run) -> bool {
    let sum = run.sum(|_| true);
    let timed = sum.timing(Timing::RttService);
    run.profile.target.mode == Mode::Echo && timed.count > 0 && timed.ended() == 0
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

/// Words as a command line, each quoted if needed.
fn typed(words: impl IntoIterator<Item = impl AsRef<str>>) -> String {
    words.into_iter().map(|word| quoted(word.as_ref())).collect::<Vec<_>>().join(" ")
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
        let check = |run: &Run, talk: &[&str], command: &str| {
            let talk = talk.iter().map(|word| (*word).to_owned()).collect();
            let asked = Asked::Profile { name: "mine.toml".to_owned(), talk };
            let next = next(Some(&asked), run, &assessment).expect("it failed");
            assert_eq!(next.0, format!("ws-load run {command}{}", against(run)));
        };
        check(&run, &[], "smoke");
        check(&run, &["--conversation", "a b"], "smoke --conversation 'a b'");
        run.profile.target.mode = Mode::Request { send: "{seq}".into(), reply: "{seq}".into() };
        check(&run, &[], "mine.toml");
    }

    #[test]
    fn a_target_that_never_echoes_is_asked_with_a_payload_of_its_own_next() {
        let mut run = fixture::failing();
        for interval in &mut run.intervals {
            interval.sample.counts.endings = [0; Ending::ALL.len()];
            for times in &mut interval.sample.timings {
                (times.lost, times.min_ns, times.max_ns) = (times.count, 0, 0);
                times.buckets.clear();
            }
        }
        let asked = Asked::Flags { words: vec!["ws://a".to_owned()], talk: vec![], saved: None };
        let (command, why) = next(Some(&asked), &run, &validate(&run)).expect("it failed");
        assert_eq!(command, "ws-load ws://a --payload FILE --reply TEXT");
        assert!(why.contains("does not echo"), "{why}");
    }

    #[test]
    fn a_load_in_flags_is_repeated_by_its_flags_and_searched_by_a_profile() {
        let (mut run, assessment) = (fixture::failing(), validate(&fixture::failing()));
        run.profile.name = "quick".to_owned();
        let words = || ["ws://a", "-d", "1s"].map(str::to_owned).to_vec();
        let asked = |saved| Asked::Flags { words: words(), talk: Vec::new(), saved };
        let next = |saved| next(Some(&asked(saved)), &run, &assessment).expect("it failed").0;
        let against = against(&run);
        let save = "ws-load ws://a -d 1s --save quick.toml && ws-load search quick.toml";
        assert_eq!(next(None), save);
        assert_eq!(next(Some("a.toml".to_owned())), format!("ws-load search a.toml{against}"));
        run.interrupted = true;
        let assessment = validate(&run);
        let next = super::next(Some(&asked(None)), &run, &assessment).expect("it was interrupted");
        assert_eq!(next.0, "ws-load ws://a -d 1s");
    }

    #[test]
    fn a_word_stays_one_word_in_a_shell() {
        let words = ["smoke", "ws://[::1]:9/a?b=c&d", "it's", ""].map(quoted);
        assert_eq!(words, ["smoke", "'ws://[::1]:9/a?b=c&d'", r"'it'\''s'", "''"]);
    }
}
