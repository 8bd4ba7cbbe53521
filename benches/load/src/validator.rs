//! From a run to a verdict. Pure.
//!
//! Violations that a slow generator cannot cause come first: a leak and a wrong answer are failures. Then comes validity:
//! if the generator was the bottleneck, the other numbers say nothing about the target, and the verdict is neither a pass
//! nor a failure.

mod check;
mod kept_away;
mod parts;
mod silence;
#[cfg(test)]
mod tests;
mod validity;
mod verdict;
mod violations;

use super::summary::Summary;
use load_plan::model::Run;
use load_plan::profile::{Conduct, Profile};
use load_plan::thresholds::{Metric, Op, Threshold};

pub use check::Check;
use kept_away::kept_away;
pub(crate) use parts::part_name;
pub use silence::Silence;
pub use verdict::RunVerdict;
pub use violations::Worst;
use violations::by_interval;

/// A verdict with everything that it rests on.
#[derive(Clone, Debug, PartialEq)]
pub struct Assessment {
    /// The outcome.
    pub verdict: RunVerdict,
    /// One per threshold: those of the whole run first, then those of each stage.
    pub checks: Vec<Check>,
    /// Why the verdict is not a pass: sentences with the numbers and what to do. Empty for a pass.
    pub reasons: Vec<String>,
    /// Thresholds that were left out, percentiles of few samples, doubts beside a failure.
    pub notices: Vec<String>,
    /// Why the thresholds that a slow generator can violate are not judged; empty if they are.
    doubts: Vec<String>,
}

impl Assessment {
    /// Whether the verdict rests on `check`, and on no doubt.
    pub(crate) fn judges(&self, check: &Check) -> bool {
        matches!(self.verdict, RunVerdict::Pass | RunVerdict::Fail)
            && (self.doubts.is_empty() && check.doubt.is_none()
                || check.is_violated_by_the_target())
    }

    /// The checks that make the verdict a failure.
    pub fn violated(&self) -> impl Iterator<Item = &Check> {
        self.checks.iter().filter(|check| !check.met && self.judges(check))
    }

    /// Whether the run is invalid because the generator or its machine was at its limit, and not for want of samples or of a
    /// metric.
    #[must_use]
    pub fn generator_was_the_limit(&self) -> bool {
        let is_unknown = |check: &Check| check.met || check.threshold.metric.is_of_allocations();
        let first = self.checks.iter().find(|check| check.doubt.is_some());
        self.verdict == RunVerdict::Invalid
            && (!self.doubts.is_empty() || !first.is_some_and(is_unknown))
    }

    /// Why thresholds are not judged, although the verdict may be a failure.
    pub(crate) fn doubts(&self) -> &[String] {
        &self.doubts
    }
}

/// Said of a run that any program between the two could have answered.
pub const UNCHECKED: &str =
    "--insecure: the target's certificate was not checked; name it with --ca-file to check it";

/// Judges `run` by the thresholds of its profile.
#[must_use]
pub fn validate(run: &Run) -> Assessment {
    let summary = Summary::of(run);
    let (checks, mut notices) = checks(run, &summary);
    notices.extend(run.insecure.then(|| UNCHECKED.to_owned()));
    let of_checks = checks.iter().filter_map(|check| check.doubt.clone());
    let of_pass = validity::doubt_of_pass(run, &summary);
    let unjudged: Vec<String> = of_checks.chain(of_pass).collect();
    let few = checks.iter().filter(|check| check.too_few(&run.profile).is_none());
    notices.extend(few.filter_map(|check| check.caution(run, &summary)));
    let by_target: Vec<String> = checks
        .iter()
        .filter(|check| check.is_violated_by_the_target())
        .map(|check| check.describe(&run.profile))
        .collect();
    let doubts = doubts_of(run, &summary, &checks);
    let (verdict, reasons) = if let Some((verdict, reasons)) = parts::cut_short(run) {
        notices.extend(by_target.into_iter().map(|violation| {
            format!("{violation}; what is missing of the run cannot change that")
        }));
        (verdict, reasons)
    } else if doubts.is_empty() {
        let violated = checks.iter().filter(|check| !check.met && check.doubt.is_none());
        let reasons: Vec<String> = violated.map(|check| check.describe(&run.profile)).collect();
        match (reasons.is_empty(), unjudged.is_empty()) {
            (true, true) => (RunVerdict::Pass, reasons),
            (true, false) => (RunVerdict::Invalid, unjudged),
            (false, _) => {
                notices.extend(unjudged);
                (RunVerdict::Fail, reasons)
            }
        }
    } else if by_target.is_empty() {
        (RunVerdict::Invalid, doubts.clone())
    } else {
        let others = doubts.iter().map(|doubt| format!("other limits are not judged: {doubt}"));
        notices.extend(others);
        (RunVerdict::Fail, by_target)
    };
    Assessment { verdict, checks, reasons, notices, doubts }
}

/// Each threshold against what was measured, and a notice for each that is left out.
fn checks(run: &Run, summary: &Summary) -> (Vec<Check>, Vec<String>) {
    let intervals = by_interval(run);
    let judge = |stage, threshold: &Threshold| Check::new(summary, &intervals, stage, threshold);
    let mut checks = Vec::new();
    let mut notices = Vec::new();
    for (stage, threshold) in thresholds(&run.profile) {
        match left_out(run, threshold) {
            Some(notice) => notices.push(notice),
            None => checks.push(judge(stage, threshold)),
        }
    }
    // Not in the profile, and therefore only shown if it is violated.
    let Conduct { lifetime, storm, .. } = &run.profile.conduct;
    let comes_and_goes = lifetime.is_some() || storm.is_some();
    let implied =
        without_limit(&run.profile).into_iter().filter_map(|stage| match comes_and_goes {
            true => kept_away(run, stage),
            false => Some(judge(stage, &Threshold::new(Metric::ConnectionsMissing, Op::Eq, 0.0))),
        });
    checks.extend(implied.filter(|check| check.samples > 0 && !check.met));
    for check in &mut checks {
        check.doubt = validity::doubt(run, summary, check)
            .or_else(|| unknown(run, check))
            .or_else(|| check.too_few(&run.profile));
    }
    (checks, notices)
}

/// The thresholds of `profile`, each with the stage that it is on: those of the whole run first, then those of each stage.
pub fn thresholds(profile: &Profile) -> impl Iterator<Item = (Option<usize>, &Threshold)> {
    let of_stages = profile.stages.iter().enumerate();
    let of_stages = of_stages.flat_map(|(index, stage)| {
        stage.thresholds.iter().map(move |threshold| (Some(index), threshold))
    });
    profile.thresholds.iter().map(|threshold| (None, threshold)).chain(of_stages)
}

/// Reasons why one part of a run is not valid, whatever the other parts say.
pub(super) fn doubts(part: &Run) -> Vec<String> {
    let summary = Summary::of(part);
    let mut doubts = validity::doubts(part, &summary);
    doubts.extend(validity::doubt_of_pass(part, &summary));
    doubts
}

/// Where a limit on missing connections is implied: on the whole run or, if some stages have their own, on each of the
/// others. There is none if the profile has its own.
fn without_limit(profile: &Profile) -> Vec<Option<usize>> {
    let is_judged = thresholds(profile).next().is_some();
    let written: Vec<Option<usize>> = thresholds(profile)
        .filter(|(_, threshold)| threshold.metric == Metric::ConnectionsMissing)
        .map(|(stage, _)| stage)
        .collect();
    let held = (0..profile.stages.len()).filter(|index| !profile.stages[*index].hold.is_zero());
    match &written[..] {
        _ if !is_judged => Vec::new(),
        [] => vec![None],
        _ if written.contains(&None) => Vec::new(),
        _ => held.map(Some).filter(|stage| !written.contains(stage)).collect(),
    }
}

/// A notice about a threshold of a preset that this target cannot answer. A threshold that a person wrote is kept.
fn left_out(run: &Run, threshold: &Threshold) -> Option<String> {
    let preset = threshold.preset.filter(|_| threshold.metric.is_of_allocations())?;
    let is_unknown = run.allocations.is_none() && run.allocations_unknown.is_none();
    is_unknown.then(|| {
        let why = match run.shard.of {
            1 if run.url.starts_with("wss:") => {
                "a target is not asked for its allocations over TLS"
            }
            1 => "the target reports no allocations",
            _ => "shards do not ask the target for its allocations",
        };
        format!("{threshold} of preset {} is left out: {why}", preset.name())
    })
}

/// Why a limit on allocations is not judged, although the target reported them before the run.
fn unknown(run: &Run, check: &Check) -> Option<String> {
    let why = run.allocations_unknown.as_ref()?;
    let is_on_them = check.threshold.metric.is_of_allocations();
    is_on_them.then(|| format!("{} is not judged: {why}; run it again", check.threshold))
}

/// Reasons why limits that a slow generator can violate are not judged.
fn doubts_of(run: &Run, summary: &Summary, checks: &[Check]) -> Vec<String> {
    let mut doubts = run.doubts.clone();
    doubts.extend(parts::apart(run));
    doubts.extend(validity::doubts(run, summary));
    if checks.is_empty() {
        doubts.push(
            "there is no threshold, so nothing was decided; add [thresholds] to the profile, or \
             --threshold 'latency_p99 < 10ms'"
                .to_owned(),
        );
    }
    doubts
}
