use super::Check;
use super::violations::{Moment, moments, trace};
use crate::summary::{Figures, Summary};
use load_plan::model::Run;
use load_plan::thresholds::Threshold;

/// What thresholds are held against.
pub(super) struct Judge<'a> {
    run: &'a Run,
    summary: &'a Summary,
    moments: Vec<Moment>,
}

impl<'a> Judge<'a> {
    pub(super) fn new(run: &'a Run, summary: &'a Summary) -> Self {
        Self { run, summary, moments: moments(run) }
    }

    pub(super) fn check(&self, stage: Option<usize>, threshold: &Threshold) -> Check {
        let measured = self.figures(stage).value(threshold.metric);
        let value = measured.map(|measured| measured.value);
        let (first_violated_ns, worst) = trace(&self.moments, stage, threshold);
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

    /// What to know of a check beside its outcome.
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
            super::counted(*samples, "sample")
        ))
    }

    fn figures(&self, stage: Option<usize>) -> &Figures {
        stage.map_or(&self.summary.overall, |index| &self.summary.stages[index])
    }
}
