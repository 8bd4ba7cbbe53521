use super::silence::Silence;
use super::violations::{IntervalFigures, Worst, violations};
use crate::summary::Summary;
use bench_show::units::counted;
use load_plan::model::Run;
use load_plan::profile::Profile;
use load_plan::thresholds::Threshold;
use load_plan::units::count;

/// One threshold against what was measured.
#[derive(Clone, Debug, PartialEq)]
pub struct Check {
    /// The limit.
    pub threshold: Threshold,
    /// The stage that the threshold is on; `None` for the whole run.
    pub stage: Option<usize>,
    /// In the base unit of the metric; `None` without samples.
    pub measured: Option<f64>,
    /// Observations behind `measured`.
    pub samples: u64,
    /// Values that never ended, and all, if `measured` falls among the former and is therefore not told.
    pub lost: Option<(u64, u64)>,
    /// Time without answers that violates the threshold, although `measured` would meet it.
    pub silence: Option<Silence>,
    /// Share of the limit that is left, negative if it is violated; `None` without samples, for a limit of 0, and for
    /// one that silence violates.
    pub margin: Option<f64>,
    /// Whether the threshold is met. Without samples it is not.
    pub met: bool,
    /// Why the threshold is not judged: the generator may have violated it, its value is unknown, or too few samples meet
    /// it.
    pub doubt: Option<String>,
    /// Nanoseconds from the start of the run to the first interval that violates the threshold alone or, for a count,
    /// in which the sum exceeds the limit. `None` if there is none, or if an interval alone cannot violate it.
    pub first_violated_ns: Option<u64>,
    /// At most five intervals, the worst first.
    pub worst: Vec<Worst>,
}

impl Check {
    pub(super) fn new(
        summary: &Summary,
        intervals: &[IntervalFigures<'_>],
        stage: Option<usize>,
        threshold: &Threshold,
    ) -> Self {
        let figures = summary.figures(stage);
        let (measured, samples) = figures.measured(threshold.metric).unzip();
        let (first_violated_ns, worst) = violations(intervals, stage, threshold);
        let is_met = measured.is_some_and(|value| threshold.is_met(value));
        let silence = is_met.then(|| Silence::breaking(threshold, intervals, stage)).flatten();
        Self {
            threshold: *threshold,
            stage,
            measured,
            samples: samples.unwrap_or(0),
            lost: figures.lost(threshold.metric).filter(|_| measured.is_none()),
            margin: measured
                .filter(|_| silence.is_none())
                .and_then(|value| threshold.margin(value)),
            met: is_met && silence.is_none(),
            silence,
            doubt: None,
            first_violated_ns,
            worst,
        }
    }

    /// Why a percentile that meets its limit is no evidence: it is the largest of its samples.
    pub(super) fn too_few(&self, profile: &Profile) -> Option<String> {
        // The quotient is not exact; the margin is far smaller than one sample.
        let needed = (1.0 / (1.0 - self.threshold.metric.quantile()?) - 1e-6).ceil() as u64;
        (self.met && self.samples < needed).then(|| {
            format!(
                "{} is based on {} and needs {}: with fewer, a percentile is only the largest of them; {}; hold it longer, \
                 or limit a lower percentile",
                self.threshold.metric,
                counted(self.samples, "sample"),
                count(needed as f64),
                self.describe(profile)
            )
        })
    }

    /// A notice if the metric is a percentile of few samples.
    pub(super) fn caution(&self, run: &Run, summary: &Summary) -> Option<String> {
        let Self { threshold: Threshold { metric, .. }, stage, samples, .. } = *self;
        if samples == 0 || summary.figures(stage).supports(metric) {
            return None;
        }
        let of_stage = stage.map_or_else(String::new, |index| {
            format!(" of stage \"{}\"", run.profile.stages[index].name)
        });
        let samples = counted(samples, "sample");
        Some(format!(
            "{metric}{of_stage} is based on only {samples}, and fewer than ten are above it; hold it longer for a \
             reliable value"
        ))
    }

    /// Whether the threshold is violated, and a slow generator cannot be the cause.
    pub(crate) fn is_violated_by_the_target(&self) -> bool {
        !self.met && self.measured.is_some() && self.threshold.metric.is_the_targets_own()
    }

    /// `latency_p99 is 12.3 ms, and must be < 10ms, in stage "hold": first in second 12`.
    #[must_use]
    pub fn describe(&self, profile: &Profile) -> String {
        let Self { threshold, measured, first_violated_ns, .. } = self;
        let metric = threshold.metric;
        let measured = match (measured, self.lost) {
            (Some(value), _) => format!("is {}", metric.unit().show(*value)),
            (None, Some((lost, all))) => {
                let (lost, of) = (count(lost as f64), counted(all, "sample"));
                format!("is not known, because {lost} of {of} are lost")
            }
            (None, None) => "has no samples".to_owned(),
        };
        let mut text = format!("{metric} {measured}, and must be {}", threshold.condition());
        if let Some(silence) = self.silence {
            text += &format!(", but {}", silence.describe());
        }
        if let Some(stage) = self.stage.and_then(|index| profile.stages.get(index)) {
            text += &format!(", in stage \"{}\"", stage.name);
        }
        if let (false, Some(first_ns)) = (self.met, first_violated_ns) {
            text += &format!("; first in second {}", first_ns / 1_000_000_000);
        }
        text
    }
}
