use maud::{Markup, html};

use super::super::chart;
use super::super::format;
use super::super::timeline::{self, Slot};
use super::percentiles;
use super::time::{MOMENT_NS, Percentile, Time, spans};
use crate::summary::Summary;
use crate::validator::Assessment;
use bench_show::axis::Scale;
use bench_show::units::counted;
use load_plan::metrics::{Distribution, Timing};
use load_plan::model::{Interval, Run};
use load_plan::thresholds::Metric;
use load_plan::units;

/// Lines of the latency chart, the highest first.
const PERCENTILES: [Percentile; 4] =
    [("p99.9", 0.999, "s5"), ("p99", 0.99, "s3"), ("p90", 0.9, "s2"), ("p50", 0.5, "s1")];

/// All charts: over time, and latency by percentile.
pub(super) fn all(run: &Run, assessment: &Assessment, summary: &Summary) -> Markup {
    let slots = timeline::slots(run);
    let Some(last) = slots.last() else {
        return html! { section { h2 { "Over time" } p { "Nothing was recorded." } } };
    };
    let spans = spans(run, &slots);
    let stages = 0..run.profile.stages.len();
    let judged: Vec<_> = stages.filter_map(|stage| run.profile.judged(stage)).collect();
    // If no message is answered.
    let mut others = [Timing::Gap, Timing::Ping, Timing::Connect].into_iter();
    let instead =
        others.find(|timing| judged.is_empty() && summary.overall.timing(*timing).count > 0);
    let time = Time { run, slots: &slots, spans, end: last.to.max(1.0), judged, instead };
    html! {
        section { h2 { (time.subject()) " over time" } (time.latency(assessment)) }
        section { h2 { "By percentile" } (percentiles::chart(assessment, summary)) }
        section { h2 { "Messages" } (time.rate(assessment)) }
        section { h2 { "Connections" } (time.connections()) }
        section { h2 { "Errors" } (time.errors()) }
        section { h2 { "Generator" } (time.generator()) }
    }
}

impl Time<'_> {
    /// Whether `metric` is one of the drawn times.
    fn is_drawn(&self, metric: Metric) -> bool {
        match metric {
            Metric::Latency(_) => self.instead.is_none(),
            Metric::Timing(timing, _) => {
                self.judged.contains(&timing) || self.instead == Some(timing)
            }
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
        let Interval { stage, sample, .. } = &slot.sum;
        self.run.profile.stages.get(*stage)?;
        Some(sample.timing(self.run.profile.judged(*stage).or(self.instead)?))
    }

    fn latency(&self, assessment: &Assessment) -> Markup {
        let limits = self.limits(assessment, |metric| self.is_drawn(metric));
        let says = "Percentiles over time, on a logarithmic axis";
        let times = self.times(says, &PERCENTILES, limits, |slot| self.timing(slot));
        let Some(mut chart) = times else {
            return html! { p { "Nothing was timed." } };
        };
        chart.height = chart::HIGH;
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
            slot.per_second(count).filter(|_| slot.sum.length_ns >= MOMENT_NS)
        };
        let mut lines = vec![
            self.line("due", "s1", |slot| per_s(slot, slot.sum.sample.counts.due)),
            self.line("sent", "s2", |slot| per_s(slot, slot.sum.sample.counts.sent)),
            self.line("received", "s3", |slot| per_s(slot, slot.sum.sample.counts.received)),
        ];
        if self.slots.iter().all(|slot| slot.sum.sample.counts.due == 0) {
            lines.remove(0);
        }
        let limits = self.limits(assessment, |metric| metric == Metric::MessagesPerS);
        let highest = chart::values(&lines, &limits).fold(0.0, f64::max);
        if highest == 0.0 {
            return html! { p { "No messages." } };
        }
        let says = "Messages per second that were due, sent and received, over time";
        let mut chart = self.chart(says, Scale::linear(highest), units::rate, lines);
        chart.limits = limits;
        chart.tips = self.tips(|slot| {
            let counts = &slot.sum.sample.counts;
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
            self.steps("target", "s1", |slot| slot.sum.target as f64),
            self.steps("open", "s2", |slot| slot.sum.open as f64),
        ];
        let highest = self
            .slots
            .iter()
            .map(|slot| slot.sum.open.max(slot.sum.target))
            .max()
            .unwrap_or_default();
        let says = "Connections open and how many should have been, over time";
        let mut chart = self.chart(says, Scale::counts(highest), units::count, lines);
        chart.tips = self.tips(|slot| format!("{} of {} open", slot.sum.open, slot.sum.target));
        chart.with_legend()
    }
}
