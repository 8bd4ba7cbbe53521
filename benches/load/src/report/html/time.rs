use super::super::chart::{self, Chart, Limit, Line, Span, Tip};
use super::super::format;
use super::super::timeline::{self, Slot};
use crate::validator::Assessment;
use bench_show::axis::Scale;
use load_plan::metrics::{Distribution, Timing};
use load_plan::model::{Phase, Run};
use load_plan::thresholds::Metric;
use load_plan::units;

/// The shortest slot that has a rate, in nanoseconds. The end of a phase cuts slots short.
pub(super) const MOMENT_NS: u64 = 200_000_000;

/// The parts that all charts over time share.
pub(super) struct Time<'a> {
    pub(super) run: &'a Run,
    pub(super) slots: &'a [Slot],
    pub(super) spans: Vec<Span>,
    pub(super) end: f64,
    /// The timings that the stages are judged by.
    pub(super) judged: Vec<Timing>,
    /// The timing that is drawn for stages without a judged latency.
    pub(super) instead: Option<Timing>,
}

/// A percentile that is drawn: name, quantile, class of its line.
pub(super) type Percentile = (&'static str, f64, &'static str);

pub(super) fn spans(run: &Run, slots: &[Slot]) -> Vec<Span> {
    let of_stage = |index: usize| {
        let mut of_it = slots.iter().filter(|slot| slot.sum.stage == index);
        let first = of_it.next()?;
        let end = of_it.next_back().unwrap_or(first).to;
        let name = format::stage(run, index);
        Some(Span { x: [first.from, end], name, measured: holds(slots, index) })
    };
    (0..run.profile.stages.len()).filter_map(of_stage).collect()
}

fn holds(slots: &[Slot], stage: usize) -> Vec<[f64; 2]> {
    timeline::ranges(slots, |slot| slot.sum.stage == stage && slot.sum.phase == Phase::Hold)
}

impl Time<'_> {
    pub(super) fn chart(
        &self,
        says: &'static str,
        y: Scale,
        unit: fn(f64) -> String,
        lines: Vec<Line>,
    ) -> Chart<'_> {
        let x_ticks = chart::seconds(self.end);
        Chart { x_ticks, spans: &self.spans, ..Chart::new(says, self.end, y, unit, lines) }
    }

    /// The maximum and `percentiles` of a timing, the highest first; `None` if nothing was timed.
    pub(super) fn times<'s>(
        &'s self,
        says: &'static str,
        percentiles: &[Percentile],
        limits: Vec<Limit>,
        of: impl Fn(&'s Slot) -> Option<&'s Distribution>,
    ) -> Option<Chart<'s>> {
        let max = |slot| of(slot)?.greatest_ns();
        // As in the tables: a percentile that is the largest of its slot is the line of the maximum.
        let percentile =
            |slot, quantile| of(slot).filter(|of| !of.is_largest(quantile))?.quantile_ns(quantile);
        let mut lines = vec![self.line("max", "s4", |slot| Some(max(slot)? as f64))];
        for (name, quantile, class) in percentiles {
            lines.push(self.line(name, class, |slot| Some(percentile(slot, *quantile)? as f64)));
        }
        lines.retain(|line| line.points.iter().any(Option::is_some));
        if lines.is_empty() {
            return None;
        }
        let y = Scale::log(chart::values(&lines, &limits));
        let tips = self.tips(|slot| {
            let mut says = format!("max {}", format::time(max(slot)));
            for (name, quantile, _) in percentiles {
                says += &format!(", {name} {}", format::time(percentile(slot, *quantile)));
            }
            says
        });
        Some(Chart { limits, tips, ..self.chart(says, y, units::time, lines) })
    }

    /// One point in the middle of each slot. A slot without a value is a gap, unless it is very short.
    pub(super) fn line<'s>(
        &'s self,
        name: &'static str,
        class: &'static str,
        value: impl Fn(&'s Slot) -> Option<f64>,
    ) -> Line {
        let point = |slot: &'s Slot| Some([f64::midpoint(slot.from, slot.to), value(slot)?]);
        let points = self.slots.iter().map(|slot| (slot, point(slot)));
        let kept =
            points.filter(|(slot, point)| point.is_some() || slot.sum.length_ns >= MOMENT_NS);
        Line { name, class, points: kept.map(|(_, point)| point).collect() }
    }

    /// A horizontal line through each slot.
    pub(super) fn steps(
        &self,
        name: &'static str,
        class: &'static str,
        value: impl Fn(&Slot) -> f64,
    ) -> Line {
        let step = |slot: &Slot| [slot.from, slot.to].map(|at| Some([at, value(slot)]));
        Line { name, class, points: self.slots.iter().flat_map(step).collect() }
    }

    pub(super) fn tips<'s>(&'s self, says: impl Fn(&'s Slot) -> String) -> Vec<Tip> {
        let tip = |slot: &'s Slot| {
            let Slot { from, to, sum } = slot;
            let stage = format::stage(self.run, sum.stage);
            let phase = format::spoken(sum.phase.name());
            let says = format!("{from:.0}–{to:.0} s, {stage}, {phase}: {}", says(slot));
            Tip { x: [*from, *to], says }
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
            let place = check.stage.and_then(|stage| holds(self.slots, stage).first().copied());
            let x = place.unwrap_or([0.0, self.end]);
            let name = check.threshold.metric.name();
            let name = name.strip_prefix("latency_").unwrap_or(&name);
            let new = Limit::new(name, x, &check.threshold);
            let place = |limit: &Limit| (limit.y, limit.x, limit.is_lower);
            match limits.iter_mut().find(|limit| place(limit) == place(&new)) {
                Some(limit) => limit.label = format!("{name}, {}", limit.label),
                None => limits.push(new),
            }
        }
        limits
    }
}
