//! A run → a verdict. Pure.
//!
//! Whether the measurement can be trusted comes before what it says: where the generator was the bottleneck, nothing is
//! known about the target, and that is neither a pass nor a failure.

mod check;
#[cfg(test)]
mod tests;
mod validity;
mod violations;

use serde::{Deserialize, Serialize};

use super::summary::Summary;
use load_plan::model::Run;
use load_plan::profile::Profile;
use load_plan::thresholds::{Metric, Op, Threshold};
use load_plan::units::{count, exact_duration};

use check::Judge;

/// The outcome of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RunVerdict {
    /// Every threshold was measured and met.
    Pass,
    /// A threshold was violated, or there was nothing to measure it by.
    Fail,
    /// The generator was the bottleneck, or nothing was asked: the numbers say nothing about the target.
    Invalid,
    /// Shards are missing.
    Incomplete,
    /// A signal ended it early.
    Interrupted,
}

impl RunVerdict {
    /// All of them.
    pub const ALL: [Self; 5] =
        [Self::Pass, Self::Fail, Self::Invalid, Self::Incomplete, Self::Interrupted];

    /// The word in reports, in tables and in JSON.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Fail => "fail",
            Self::Invalid => "invalid",
            Self::Incomplete => "incomplete",
            Self::Interrupted => "interrupted",
        }
    }

    /// What a process ends with.
    #[must_use]
    pub const fn exit_code(self) -> u8 {
        match self {
            Self::Pass => 0,
            Self::Fail => 3,
            Self::Invalid | Self::Incomplete => 6,
            // 128 and the number of SIGINT, as shells have it.
            Self::Interrupted => 130,
        }
    }
}

/// A verdict with everything that it rests on.
#[derive(Clone, Debug, PartialEq)]
pub struct Assessment {
    /// The outcome.
    pub verdict: RunVerdict,
    /// One a threshold: of the whole run first, then stage by stage.
    pub checks: Vec<Check>,
    /// Why it is not a pass: sentences with the numbers and what to do. Empty of a pass.
    pub reasons: Vec<String>,
    /// What else to know: limits left out, percentiles that rest on little.
    pub notices: Vec<String>,
}

/// One threshold against what was measured.
#[derive(Clone, Debug, PartialEq)]
pub struct Check {
    /// The limit.
    pub threshold: Threshold,
    /// The stage that it is on; none of the whole run.
    pub stage: Option<usize>,
    /// In the base unit of the metric; `None` without samples.
    pub measured: Option<f64>,
    /// Observations that it rests on.
    pub samples: u64,
    /// Share of the limit that is left, negative if it is violated; `None` without samples, or of a limit of 0.
    pub margin: Option<f64>,
    /// Whether it holds. Without samples it does not.
    pub met: bool,
    /// Nanoseconds from the run's start to the first interval that violates it by itself or, of a number that only
    /// grows, in which it was exceeded. `None` if there is none, or if no interval alone can tell.
    pub first_violated_ns: Option<u64>,
    /// At most five intervals, the worst first: their second, and the metric in them alone.
    pub worst: Vec<(u64, f64)>,
}

impl Check {
    fn is_violated_by_the_target(&self) -> bool {
        !self.met && self.measured.is_some() && self.threshold.metric.is_the_targets_own()
    }

    /// `latency_p99 is 12.3 ms, and must be < 10ms, in stage "hold": first in second 12`.
    #[must_use]
    pub fn words(&self, profile: &Profile) -> String {
        let Self { threshold, measured, first_violated_ns, .. } = self;
        let metric = threshold.metric;
        let mut words = match measured {
            Some(value) => format!(
                "{metric} is {}, and must be {}",
                metric.unit().show(*value),
                threshold.condition()
            ),
            None => format!(
                "{metric} has no samples, or too few answers, and must be {}",
                threshold.condition()
            ),
        };
        if let Some(stage) = self.stage.and_then(|index| profile.stages.get(index)) {
            words += &format!(", in stage \"{}\"", stage.name);
        }
        if let (false, Some(first_ns)) = (self.met, first_violated_ns) {
            words += &format!("; first in second {}", first_ns / 1_000_000_000);
        }
        words
    }
}

/// Judges `run` by the thresholds of its profile.
#[must_use]
pub fn validate(run: &Run) -> Assessment {
    let summary = Summary::of(run);
    let judge = Judge::new(run, &summary);
    let mut checks = Vec::new();
    let mut notices = Vec::new();
    let all = std::iter::once((None, &run.profile.thresholds));
    let by_stage = run.profile.stages.iter().enumerate();
    let by_stage = by_stage.map(|(index, stage)| (Some(index), &stage.thresholds));
    for (stage, thresholds) in all.chain(by_stage) {
        for threshold in thresholds {
            match unanswerable(run, threshold) {
                Some(notice) => notices.push(notice),
                None => checks.push(judge.check(stage, threshold)),
            }
        }
    }
    // Nobody asked for it: it is only spoken of where it is violated.
    let unasked = all_open(&run.profile).map(|threshold| judge.check(None, &threshold));
    checks.extend(unasked.filter(|check| check.samples > 0 && !check.met));
    notices.extend(checks.iter().filter_map(|check| judge.caution(check)));
    let (verdict, reasons) = verdict(run, &summary, &checks);
    if verdict == RunVerdict::Invalid {
        let own = checks.iter().filter(|check| check.is_violated_by_the_target());
        notices.extend(own.map(|check| {
            format!("{}, which the generator cannot be to blame for", check.words(&run.profile))
        }));
    }
    Assessment { verdict, checks, reasons, notices }
}

/// A stage is measured with all of its connections, unless they are meant to come and go, or somebody wrote down
/// something else.
fn all_open(profile: &Profile) -> Option<Threshold> {
    let metric = Metric::ConnectionsMissing;
    let come_and_go = profile.conduct.lifetime.is_some() || profile.conduct.storm.is_some();
    let is_written = profile.thresholds.iter().any(|threshold| threshold.metric == metric);
    let is_measured = profile.stages.iter().any(|stage| !stage.hold.is_zero());
    (!profile.thresholds.is_empty() && is_measured && !come_and_go && !is_written)
        .then(|| Threshold::new(metric, Op::Eq, 0.0))
}

/// Why one part of a run says nothing, whatever the others say.
pub(super) fn doubts(part: &Run) -> Vec<String> {
    let summary = Summary::of(part);
    validity::doubts(part, &summary, &[])
}

/// What a preset asks of every target and this one cannot answer. Who writes a limit down means this target.
fn unanswerable(run: &Run, threshold: &Threshold) -> Option<String> {
    let preset = threshold.preset.filter(|_| threshold.metric.is_of_allocations())?;
    run.allocations.is_none().then(|| {
        format!(
            "{threshold} of preset {} is left out: the target does not tell its allocations",
            preset.name()
        )
    })
}

fn verdict(run: &Run, summary: &Summary, checks: &[Check]) -> (RunVerdict, Vec<String>) {
    if run.interrupted {
        let planned = exact_duration(run.profile.duration());
        let seconds = run.intervals.last().map_or(0, |last| last.second);
        let why = format!("a signal ended the run in second {seconds}; {planned} were planned");
        return (RunVerdict::Interrupted, vec![why]);
    }
    let missing: Vec<String> = (0..run.shard.of)
        .filter(|shard| !run.shards.contains(shard))
        .map(|shard| shard.to_string())
        .collect();
    if !missing.is_empty() {
        let why = format!(
            "of {} shards, {} missing: {}; add them with ws-load merge",
            run.shard.of,
            if missing.len() == 1 { "1 is".to_owned() } else { format!("{} are", missing.len()) },
            missing.join(", ")
        );
        return (RunVerdict::Incomplete, vec![why]);
    }
    let mut reasons = run.doubts.clone();
    reasons.extend(validity::doubts(run, summary, checks));
    if checks.is_empty() {
        reasons.push(
            "there is no threshold, so nothing was decided; add [thresholds] to the profile, or \
             --threshold 'latency_p99 < 10ms'"
                .to_owned(),
        );
    }
    if !reasons.is_empty() {
        return (RunVerdict::Invalid, reasons);
    }
    let violated = checks.iter().filter(|check| !check.met);
    let reasons: Vec<String> = violated.map(|check| check.words(&run.profile)).collect();
    (if reasons.is_empty() { RunVerdict::Pass } else { RunVerdict::Fail }, reasons)
}

/// `1 connection`, `1,200 connections`.
fn counted(number: u64, what: &str) -> String {
    format!("{} {what}{}", count(number as f64), if number == 1 { "" } else { "s" })
}
