//! The next command to type.

use crate::validator::{Assessment, RunVerdict};
use load_plan::metrics::Timing;
use load_plan::model::Run;
use load_plan::profile::{Mode, Profile};
use load_plan::thresholds::Metric;

/// What the command line called for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Asked {
    /// A profile by its name or path, as it was typed; `None` for a load in flags.
    pub profile: Option<String>,
    /// The flags that say what the load is: each by its long name, with its value, or with
    /// [`Profile::SECRET`].
    pub flags: Vec<Vec<String>>,
    /// The file that the profile of a load in flags was saved in.
    pub saved: Option<String>,
}

/// Flags that say what is said to the target.
const SAYS: [&str; 3] = ["--conversation", "--payload", "--reply"];

/// Flags that say how the target is reached, in a profile as well.
const REACHES: [&str; 5] =
    ["--header", "--origin", "--subprotocol", "--bearer-file", "--bearer-env"];

/// Flags that no profile can say.
const OUTSIDE: [&str; 4] = ["--ca-file", "--insecure", "--source-ip", "--workers"];

/// Flags that contradict a payload of one's own.
const SIZES: [&str; 3] = ["--size", "--payload", "--reply"];

impl Asked {
    /// `ws-load VERB NAME URL FLAG…`, with the flags that `keep` selects by their names.
    fn command(&self, verb: &str, name: &str, run: &Run, keep: impl Fn(&str) -> bool) -> String {
        let url = Some(run.url.as_str()).filter(|url| !url.is_empty());
        let flags = self.flags.iter().filter(|flag| keep(&flag[0])).flatten().map(String::as_str);
        let words = ["ws-load", verb, name].into_iter().filter(|word| !word.is_empty());
        typed(words.chain(url).chain(flags))
    }

    /// The same load once more.
    fn repeated(&self, run: &Run, keep: impl Fn(&str) -> bool) -> String {
        match &self.profile {
            Some(name) => self.command("run", name, run, keep),
            None => self.command("", "", run, keep),
        }
    }

    /// A search with the same limits; `None` if no file can have the profile.
    fn searched(&self, run: &Run) -> Option<String> {
        match (&self.profile, &self.saved) {
            (Some(name), _) => Some(self.command("search", name, run, |flag| flag != "--shard")),
            (None, Some(file)) => Some(self.command("search", file, run, is_outside)),
            (None, None)
                if self.flags.iter().flatten().any(|word| word.ends_with(Profile::SECRET)) =>
            {
                None
            }
            (None, None) => {
                let (file, first) = (file_name(run), self.repeated(run, |_| true));
                let search = self.command("search", &file, run, is_outside);
                // The first command ends with the code of a limit that is violated.
                Some(format!("{first} --save {file}; {search}"))
            }
        }
    }
}

fn is_outside(flag: &str) -> bool {
    OUTSIDE.contains(&flag)
}

/// The command, and its purpose; `None` after a pass. Without `asked`, the profile is called as its name suggests.
pub(super) fn next(
    asked: Option<&Asked>,
    run: &Run,
    assessment: &Assessment,
) -> Option<(String, &'static str)> {
    let flags = run.insecure.then(|| vec![INSECURE.to_owned()]).into_iter().collect();
    let named = Asked { profile: Some(named(run)), flags, saved: None };
    let asked = asked.unwrap_or(&named);
    let says = asked.flags.iter().any(|flag| SAYS.contains(&flag[0].as_str()));
    // A built-in profile sends texts that the target may not echo.
    let can_be_small = run.profile.target.mode == Mode::Echo || says;
    let violated =
        |is: fn(Metric) -> bool| assessment.violated().any(|check| is(check.threshold.metric));
    let has_failed = run.sum(|_| true).counts.failed() > 0;
    let by_errors = violated(|metric| {
        matches!(metric, Metric::Errors | Metric::ErrorCount | Metric::ConnectionsFailed)
    });
    let by_times = violated(|metric| matches!(metric, Metric::Latency(_) | Metric::Timing(..)));
    let searched = asked.searched(run);
    Some(match (assessment.verdict, searched) {
        (RunVerdict::Pass, _) => return None,
        (RunVerdict::Fail, _) if never_echoed(run) && !has_failed => {
            let repeated = asked.repeated(run, |flag| !SIZES.contains(&flag));
            (format!("{repeated} --payload FILE --reply TEXT"), IF_NO_ECHO)
        }
        (RunVerdict::Fail, _) if has_failed && by_errors && can_be_small => {
            let talks =
                |flag: &str| SAYS.contains(&flag) || REACHES.contains(&flag) || is_outside(flag);
            (asked.command("run", "smoke", run, talks), "tests a small load")
        }
        (RunVerdict::Fail, Some(searched)) if by_times => {
            (searched, "finds the highest rate at which the thresholds hold")
        }
        (RunVerdict::Fail, _) if violated(Metric::is_of_allocations) => {
            ("scripts/run-alloc-tests.sh".to_owned(), "names the lines of the server that allocate")
        }
        (RunVerdict::Fail | RunVerdict::Invalid | RunVerdict::Interrupted, _) => {
            (asked.repeated(run, |_| true), "repeats the run")
        }
        (RunVerdict::Incomplete, _) => {
            ("ws-load merge DIR…".to_owned(), "with the reports of all shards")
        }
    })
}

const INSECURE: &str = "--insecure";

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
    let mut flags = vec![vec!["--workers".to_owned(), run.workers.to_string()]];
    flags.extend(run.insecure.then(|| vec![INSECURE.to_owned()]));
    Asked { flags, ..Asked::default() }.command("run", &file, run, |_| true)
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
fn typed<'a>(words: impl Iterator<Item = &'a str>) -> String {
    words.map(quoted).collect::<Vec<_>>().join(" ")
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
mod tests;
