use super::check::Check;
use super::violations::{IntervalFigures, by_interval, violations};
use crate::summary::{Figures, Summary};
use bench_show::units::counted;
use load_plan::model::Run;
use load_plan::thresholds::Threshold;

/// A run that thresholds are checked against.
pub(super) struct Judge<'a> {
    run: &'a Run,
    summary: &'a Summary,
    intervals: Vec<IntervalFigures>,
}

impl<'a> Judge<'a> {
    pub(super) fn new(run: &'a Run, summary: &'a Summary) -> Self {
        Self { run, summary, intervals: by_interval(run) }
    }

    pub(super) fn check(&self, stage: Option<usize>, threshold: &Threshold) -> Check {
        let measured = self.figures(stage).value(threshold.metric);
        let value = measured.map(|measured| measured.value);
        let (first_violated_ns, worst) = violations(&self.intervals, stage, threshold);
        Check {
            threshold: *threshold,
            stage,
            measured: value,
            samples: measured.map_or(0, |measured| measured.samples),
            margin: value.and_then(|value| threshold.margin(value)),
            met: value.is_some_and(|value| threshold.is_met(value)),
            first_violated_ns,
            worst,
        }
    }

    /// A notice if the metric is a percentile of too few samples.
    pub(super) fn caution(&self, check: &Check) -> Option<String> {
        let Check { threshold, stage, samples, .. } = check;
        if *samples == 0 || self.figures(*stage).supports(threshold.metric) {
            return None;
        }
        let of_stage = stage.map_or_else(String::new, |index| {
            format!(" of stage \"{}\"", self.run.profile.stages[index].name)
        });
        Some(format!(
            "{}{of_stage} rests on {}, and fewer than ten lie beyond it; hold it longer",
            threshold.metric,
            counted(*samples, "sample")
        ))
    }

    fn figures(&self, stage: Option<usize>) -> &Figures {
        stage.map_or(&self.summary.overall, |index| &self.summary.stages[index])
    }
}
