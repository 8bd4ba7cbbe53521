use maud::{Markup, html};

use super::super::chart;
use super::super::format;
use super::super::timeline::{self, Slot};
use super::percentiles;
use super::time::{MOMENT_NS, Time, spans};
use crate::summary::Summary;
use crate::validator::Assessment;
use bench_show::axis::Scale;
use bench_show::units::counted;
use load_plan::metrics::{Distribution, Timing};
use load_plan::model::Run;
use load_plan::thresholds::Metric;
use load_plan::units;

/// Lines of the latency chart, the highest first: name, quantile, class.
const PERCENTILES: [(&str, f64, &str); 4] =
    [("p99.9", 0.999, "s5"), ("p99", 0.99, "s3"), ("p90", 0.9, "s2"), ("p50", 0.5, "s1")];

/// All charts: over time, and latency by percentile.
pub(super) fn all(run: &Run, assessment: &Assessment, summary: &Summary) -> Markup {
    let slots = timeline::slots(run);
    let Some(last) = slots.last() else {
        return html! { section { h2 { "Over time" } p { "Nothing was recorded." } } };
    };
    let spans = spans(run, &slots);
    let time =
        Time { run, slots: &slots, spans, end: last.to.max(1.0), instead: instead(run, summary) };
    html! {
        section { h2 { (time.subject()) " over time" } (time.latency(assessment)) }
        section { h2 { "By percentile" } (percentiles::chart(assessment, summary)) }
        section { h2 { "Messages" } (time.rate(assessment)) }
        section { h2 { "Connections" } (time.connections()) }
        section { h2 { "Errors" } (time.errors()) }
        section { h2 { "Generator" } (time.generator()) }
    }
}

/// The timing to draw if no message is answered.
fn instead(run: &Run, summary: &Summary) -> Option<Timing> {
    if (0..run.profile.stages.len()).any(|stage| run.profile.judged(stage).is_some()) {
        return None;
    }
    let mut others = [Timing::Gap, Timing::Ping, Timing::Connect].into_iter();
    others.find(|timing| summary.overall.timing(*timing).count > 0)
}

impl Time<'_> {
    /// Whether `metric` is one of the drawn times.
    fn is_drawn(&self, metric: Metric) -> bool {
        match metric {
            Metric::Latency(_) => self.instead.is_none(),
            Metric::Timing(timing @ (Timing::RttIntended | Timing::RttService), _) => {
                (0..self.run.profile.stages.len())
                    .any(|stage| self.run.profile.judged(stage) == Some(timing))
            }
            Metric::Timing(timing, _) => self.instead == Some(timing),
            _ => false,
        }
    }

    fn subject(&self) -> &'static str {
        match self.instead {
            None => "Latency",
            Some(Timing::Gap) => "Gaps between messages",
            Some(Timing::Ping) => "Answers to pings",
            Some(_) => "Time to connect",
        }
    }

    fn timing<'s>(&self, slot: &'s Slot) -> Option<&'s Distribution> {
        self.run.profile.stages.get(slot.stage)?;
        Some(slot.sample.timing(self.run.profile.judged(slot.stage).or(self.instead)?))
    }

    fn latency(&self, assessment: &Assessment) -> Markup {
        let percentile = |slot: &Slot, quantile: f64| {
            self.timing(slot)?.supported_ns(quantile).map(|ns| ns as f64)
        };
        let max = |slot: &Slot| {
            let distribution = self.timing(slot)?;
            (distribution.count > 0).then_some(distribution.max_ns as f64)
        };
        let mut lines = vec![self.line("max", "s4", max)];
        for (name, quantile, class) in PERCENTILES {
            lines.push(self.line(name, class, |slot| percentile(slot, quantile)));
        }
        lines.retain(|line| line.points.iter().any(Option::is_some));
        if lines.is_empty() {
            return html! { p { "Nothing was timed." } };
        }
        let limits = self.limits(assessment, |metric| self.is_drawn(metric));
        let values = lines.iter().flat_map(|line| line.points.iter().flatten().map(|[_, y]| *y));
        let y = Scale::log(values.chain(limits.iter().map(|limit| limit.y)));
        let says = "Percentiles over time, on a logarithmic axis".to_owned();
        let mut chart = self.chart(says, y, units::time, lines);
        chart.height = chart::HIGH;
        chart.limits = limits;
        chart.tips = self.tips(|slot| {
            let shown =
                |value: Option<f64>| value.map_or_else(|| format::NONE.to_owned(), units::time);
            let mut says = format!("max {}", shown(max(slot)));
            for (name, quantile, _) in PERCENTILES {
                says += &format!(", {name} {}", shown(percentile(slot, quantile)));
            }
            says
        });
        html! {
            p.dim {
                "Each point covers " (counted(timeline::width(self.run), "second"))
                ", on a logarithmic axis; measured time is shaded."
            }
            (chart.with_legend())
        }
    }

    fn rate(&self, assessment: &Assessment) -> Markup {
        let per_s = |slot: &Slot, count: u64| {
            slot.per_second(count).filter(|_| slot.length_ns >= MOMENT_NS)
        };
        let lines = vec![
            self.line("due", "s1", |slot| per_s(slot, slot.sample.counts.due)),
            self.line("sent", "s2", |slot| per_s(slot, slot.sample.counts.sent)),
            self.line("received", "s3", |slot| per_s(slot, slot.sample.counts.received)),
        ];
        let is_open = self.slots.iter().any(|slot| slot.sample.counts.due > 0);
        let lines: Vec<_> =
            lines.into_iter().filter(|line| is_open || line.name != "due").collect();
        let limits = self.limits(assessment, |metric| metric == Metric::MessagesPerS);
        let values = lines.iter().flat_map(|line| line.points.iter().flatten().map(|[_, y]| *y));
        let highest = values.chain(limits.iter().map(|limit| limit.y)).fold(0.0, f64::max);
        if highest == 0.0 {
            return html! { p { "No messages." } };
        }
        let says = "Messages per second that were due, sent and received, over time".to_owned();
        let mut chart = self.chart(says, Scale::linear(highest), units::rate, lines);
        chart.limits = limits;
        chart.tips = self.tips(|slot| {
            let counts = &slot.sample.counts;
            let shown = |count| format::rate(slot.per_second(count));
            format!(
                "{} due, {} sent, {} received",
                shown(counts.due),
                shown(counts.sent),
                shown(counts.received)
            )
        });
        chart.with_legend()
    }

    fn connections(&self) -> Markup {
        let lines = vec![
            self.steps("target", "s1", |slot| slot.target as f64),
            self.steps("open", "s2", |slot| slot.open as f64),
        ];
        let highest =
            self.slots.iter().map(|slot| slot.open.max(slot.target)).max().unwrap_or_default();
        let says = "Connections open and how many should have been, over time".to_owned();
        let mut chart = self.chart(says, Scale::counts(highest), units::count, lines);
        chart.tips = self.tips(|slot| format!("{} of {} open", slot.open, slot.target));
        chart.with_legend()
    }
}
