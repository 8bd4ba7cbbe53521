//! The steps of a comparison: which of how many runs, and about how long it takes.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Instant;

use bench_show::progress::Progress;

use super::so_far::SoFar;
use crate::model::Timing;
use crate::report::Format;
use crate::timing::Watch;

/// A step that is planned.
#[derive(Clone, Debug)]
pub(super) struct Step {
    /// Unique in the plan, and the name of its time in the file: `building base`, `timing chat`.
    pub(super) key: String,
    /// Parts of equal length; the file keeps the time of one.
    parts: usize,
    /// Seconds of a part, if no earlier run is known.
    seconds: f64,
}

/// Seconds of a step, on two shared cores, of this tree's server. The first build of base takes all dependencies.
const BUILD_BASE: f64 = 180.0;
const BUILD_HEAD: f64 = 60.0;
const EXACT: f64 = 60.0;
const INSTRUCTIONS: f64 = 60.0;

/// Seconds of a workload: ten rounds, and thirty more of those that may have changed.
const WORKLOAD: f64 = 10.0;

impl Step {
    pub(super) fn build(arm: &str) -> Self {
        let seconds = if arm == "base" { BUILD_BASE } else { BUILD_HEAD };
        Self { key: format!("building {arm}"), parts: 1, seconds }
    }

    pub(super) fn exact(service: &str) -> Self {
        Self { key: format!("exact counts{service}"), parts: 1, seconds: EXACT }
    }

    pub(super) fn timing(service: &str, workloads: usize) -> Self {
        Self { key: format!("timing{service}"), parts: workloads, seconds: WORKLOAD }
    }

    pub(super) fn instructions(service: &str) -> Self {
        Self { key: format!("instructions{service}"), parts: 1, seconds: INSTRUCTIONS }
    }
}

impl Step {
    /// Whether `what` is its name, alone or with what is built behind it.
    fn is_begun_by(&self, what: &str) -> bool {
        what.strip_prefix(&self.key).is_some_and(|more| more.is_empty() || more.starts_with(" ("))
    }
}

/// The plan, and where it is.
pub(super) struct Steps<'a> {
    progress: &'a Progress,
    plan: Vec<Step>,
    times: RefCell<Times>,
    /// The step that runs, and since when.
    running: Cell<Option<(usize, Instant)>>,
    so_far: SoFar,
}

impl<'a> Steps<'a> {
    /// Nothing runs yet. `file` keeps the times of steps from one comparison to the next; `format` is that of the report.
    pub(super) fn new(
        progress: &'a Progress,
        plan: Vec<Step>,
        file: Option<PathBuf>,
        format: Format,
    ) -> Self {
        let times = RefCell::new(Times::read(file));
        let so_far = SoFar::new(format, progress);
        Self { progress, plan, times, running: Cell::new(None), so_far }
    }

    /// What a signal would show.
    pub(super) fn so_far(&self) -> &SoFar {
        &self.so_far
    }

    /// Begins the step that `what` starts with the name of, and ends the one before. A step that runs goes on.
    pub(super) fn begin(&self, what: &str) {
        let Some(at) = self.plan.iter().position(|step| step.is_begun_by(what)) else {
            return self.progress.wait(what);
        };
        if self.running.get().is_none_or(|(running, _)| running != at) {
            self.end();
            self.running.set(Some((at, Instant::now())));
            self.so_far.update(|state| state.step = Some(self.running()));
        }
        let about = about(self.times.borrow().of(&self.plan[at]));
        self.progress.wait(&format!("{}{what}, {about}", self.number()));
    }

    /// What the running step does now: for a terminal alone, where it replaces the line before.
    pub(super) fn detail(&self, what: &str) {
        self.progress.detail(&format!("{}{what}", self.number()));
    }

    /// Ends the running step, which did not get far: its time says nothing.
    pub(super) fn abandon(&self) {
        self.running.set(None);
        self.so_far.update(|state| state.step = None);
    }

    /// Ends the running step: its time is an estimate for the next comparison.
    pub(super) fn end(&self) {
        if let Some((at, since)) = self.running.take() {
            self.so_far.update(|state| state.step = None);
            self.times.borrow_mut().keep(&self.plan[at], since.elapsed().as_secs_f64());
        }
    }

    /// The running step in words: `2 of 5, building head`.
    fn running(&self) -> String {
        let key = self.running.get().map(|(at, _)| self.plan[at].key.as_str());
        format!("{}{}", self.number(), key.unwrap_or("nothing yet"))
    }

    /// `2 of 5, `; empty before the first step.
    fn number(&self) -> String {
        let running = self.running.get();
        running.map_or_else(String::new, |(at, _)| format!("{} of {}, ", at + 1, self.plan.len()))
    }
}

impl Watch for Steps<'_> {
    fn step(&self, what: &str, done: usize, of: usize) {
        if self.progress.is_bar() {
            self.progress.step(&format!("{}{what}", self.number()), done, of);
        }
    }

    fn so_far(&self, timing: Timing) {
        self.so_far.update(|state| state.timing = Some(timing));
    }
}

/// Seconds of the parts of steps in earlier comparisons.
struct Times {
    file: Option<PathBuf>,
    seconds: BTreeMap<String, f64>,
}

impl Times {
    /// Without a file that can be read, nothing is known.
    fn read(file: Option<PathBuf>) -> Self {
        let text = file.as_ref().and_then(|file| std::fs::read(file).ok());
        let seconds = text.and_then(|text| serde_json::from_slice(&text).ok());
        Self { file, seconds: seconds.unwrap_or_default() }
    }

    fn of(&self, step: &Step) -> f64 {
        let seconds = self.seconds.get(&step.key).copied().unwrap_or(step.seconds);
        seconds * step.parts as f64
    }

    fn keep(&mut self, step: &Step, seconds: f64) {
        self.seconds.insert(step.key.clone(), seconds / step.parts.max(1) as f64);
        if let (Some(file), Ok(text)) = (&self.file, serde_json::to_string_pretty(&self.seconds)) {
            // An estimate that is not kept costs nothing but a worse estimate.
            drop(std::fs::write(file, text));
        }
    }
}

/// `about 3 min`, `about 40 s`.
fn about(seconds: f64) -> String {
    match seconds {
        ..15.0 => "some seconds".to_owned(),
        ..95.0 => format!("about {:.0} s", (seconds / 10.0).round() * 10.0),
        _ => format!("about {:.0} min", seconds / 60.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan() -> Vec<Step> {
        vec![Step::build("base"), Step::build("head"), Step::exact(""), Step::timing("", 8)]
    }

    #[test]
    fn a_step_has_a_number_and_is_not_begun_twice() {
        let progress = Progress::new();
        let steps = Steps::new(&progress, plan(), None, Format::Json);
        assert_eq!(steps.running(), "nothing yet");
        steps.begin("building head (working tree, 49d2e13)");
        let since = steps.running.get();
        steps.begin("building head (working tree, 49d2e13) of another service");
        assert_eq!(steps.running.get(), since);
        assert_eq!(steps.running(), "2 of 4, building head");
    }

    #[test]
    fn an_estimate_is_the_time_of_the_last_comparison_for_each_workload() {
        let folder = tempfile::tempdir().expect("there is room");
        let file = folder.path().join("times.json");
        let timing = |workloads| Step::timing("", workloads);
        let mut times = Times::read(Some(file.clone()));
        assert_eq!(times.of(&timing(8)), 8.0 * WORKLOAD);
        times.keep(&timing(8), 40.0);
        let mut again = Times::read(Some(file.clone()));
        assert_eq!([again.of(&timing(8)), again.of(&timing(1))], [40.0, 5.0]);
        assert_eq!(again.of(&Step::exact("")), EXACT);
        std::fs::write(&file, "no JSON").expect("there is room");
        again = Times::read(Some(file));
        assert_eq!(again.of(&timing(1)), WORKLOAD);
    }

    #[test]
    fn a_step_that_failed_is_no_estimate() {
        let folder = tempfile::tempdir().expect("there is room");
        let file = folder.path().join("times.json");
        let progress = Progress::new();
        let steps = Steps::new(&progress, plan(), Some(file.clone()), Format::Json);
        steps.begin("exact counts");
        steps.abandon();
        steps.end();
        assert!(!file.exists());
        steps.begin("timing");
        steps.end();
        assert!(file.exists());
    }

    #[test]
    fn an_estimate_has_one_digit_or_two() {
        let said = [3.0, 15.0, 44.0, 90.0, 119.0, 180.0, 1234.0].map(about);
        let expected = [
            "some seconds",
            "about 20 s",
            "about 40 s",
            "about 90 s",
            "about 2 min",
            "about 3 min",
            "about 21 min",
        ];
        assert_eq!(said, expected);
    }
}
