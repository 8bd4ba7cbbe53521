use super::super::chart::{self, Chart, Limit, Line, Span, Tip};
use super::super::format;
use super::super::timeline::{self, Slot};
use crate::validator::Assessment;
use bench_show::axis::Scale;
use load_plan::metrics::Timing;
use load_plan::model::{Phase, Run};
use load_plan::thresholds::Metric;

/// The shortest slot that has a rate, in nanoseconds. The end of a phase cuts slots short.
pub(super) const MOMENT_NS: u64 = 200_000_000;

/// The parts that all charts over time share.
pub(super) struct Time<'a> {
    pub(super) run: &'a Run,
    pub(super) slots: &'a [Slot],
    pub(super) spans: Vec<Span>,
    pub(super) end: f64,
    /// The timing that is drawn for stages without a judged latency.
    pub(super) instead: Option<Timing>,
}

pub(super) fn spans(run: &Run, slots: &[Slot]) -> Vec<Span> {
    let of_stage = |index: usize| {
        let mut of_it = slots.iter().filter(|slot| slot.stage == index);
        let first = of_it.next()?;
        let end = of_it.next_back().unwrap_or(first).to;
        let measured =
            timeline::ranges(slots, |slot| slot.stage == index && slot.phase == Phase::Hold);
        Some(Span { x: [first.from, end], name: format::stage(run, index), measured })
    };
    (0..run.profile.stages.len()).filter_map(of_stage).collect()
}

impl Time<'_> {
    pub(super) fn chart(
        &self,
        says: String,
        y: Scale,
        unit: fn(f64) -> String,
        lines: Vec<Line>,
    ) -> Chart<'_> {
        Chart {
            says,
            height: chart::LOW,
            x: [0.0, self.end],
            x_ticks: chart::seconds(self.end),
            y,
            unit,
            lines,
            bars: Vec::new(),
            limits: Vec::new(),
            spans: &self.spans,
            tips: Vec::new(),
        }
    }

    /// One point in the middle of each slot. A slot without a value is a gap, unless it is very short.
    pub(super) fn line(
        &self,
        name: &str,
        class: &'static str,
        value: impl Fn(&Slot) -> Option<f64>,
    ) -> Line {
        let point = |slot: &Slot| Some([slot.middle(), value(slot)?]);
        let points = self.slots.iter().map(|slot| (slot, point(slot)));
        let kept = points.filter(|(slot, point)| point.is_some() || slot.length_ns >= MOMENT_NS);
        Line { name: name.to_owned(), class, points: kept.map(|(_, point)| point).collect() }
    }

    /// A horizontal line through each slot.
    pub(super) fn steps(
        &self,
        name: &str,
        class: &'static str,
        value: impl Fn(&Slot) -> f64,
    ) -> Line {
        let step = |slot: &Slot| [slot.from, slot.to].map(|at| Some([at, value(slot)]));
        Line { name: name.to_owned(), class, points: self.slots.iter().flat_map(step).collect() }
    }

    pub(super) fn tips(&self, says: impl Fn(&Slot) -> String) -> Vec<Tip> {
        let tip = |slot: &Slot| {
            let stage = format::stage(self.run, slot.stage);
            let phase = format::spoken(slot.phase.name());
            let says =
                format!("{:.0}–{:.0} s, {stage}, {phase}: {}", slot.from, slot.to, says(slot));
            Tip { x: [slot.from, slot.to], says }
        };
        self.slots.iter().filter(|slot| slot.to > slot.from).map(tip).collect()
    }

    /// Limits on the metrics that `which` keeps, drawn over the holds that they apply to.
    pub(super) fn limits(
        &self,
        assessment: &Assessment,
        which: impl Fn(Metric) -> bool,
    ) -> Vec<Limit> {
        let mut limits: Vec<Limit> = Vec::new();
        for check in assessment.checks.iter().filter(|check| which(check.threshold.metric)) {
            let place = check.stage.and_then(|stage| {
                let of_stage = |slot: &Slot| slot.stage == stage && slot.phase == Phase::Hold;
                timeline::ranges(self.slots, of_stage).first().copied()
            });
            let x = place.unwrap_or([0.0, self.end]);
            let (y, is_lower) = (check.threshold.limit, !check.threshold.op.is_upper());
            let name = check.threshold.metric.name();
            let name = name.strip_prefix("latency_").unwrap_or(&name).to_owned();
            match limits
                .iter_mut()
                .find(|limit| limit.y == y && limit.x == x && limit.is_lower == is_lower)
            {
                Some(limit) => limit.label = format!("{name}, {}", limit.label),
                None => limits.push(Limit {
                    label: format!("{name} {}", check.threshold.condition()),
                    x,
                    y,
                    is_lower,
                }),
            }
        }
        limits
    }
}
