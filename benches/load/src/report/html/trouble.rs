use std::collections::BTreeMap;

use maud::{Markup, html};

use super::super::chart::{self, Bar};
use super::super::format;
use super::super::timeline::Slot;
use super::time::Time;
use crate::summary::error_kinds;
use bench_show::axis::Scale;
use bench_show::units::{self, counted};
use load_plan::metrics::Timing;

/// Classes of the most frequent kinds of errors; the other kinds share [`OTHER`].
const KINDS: [&str; 5] = ["s2", "s1", "s4", "s3", "s5"];
const OTHER: &str = "s6";

impl Time<'_> {
    pub(super) fn errors(&self) -> Markup {
        let all = self.run.sum(|_| true).counts;
        let mut kinds: Vec<_> = error_kinds(&all).filter(|(_, count)| *count > 0).collect();
        kinds.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        if kinds.is_empty() {
            return html! { p { "No errors." } };
        }
        let classes = || KINDS.into_iter().chain(std::iter::repeat(OTHER));
        let of_slot = |slot: &Slot| {
            let counts: BTreeMap<_, _> = error_kinds(&slot.sum.sample.counts).collect();
            let parts =
                kinds.iter().zip(classes()).map(|((name, _), class)| (*name, counts[name], class));
            parts.filter(|(_, count, _)| *count > 0).collect::<Vec<_>>()
        };
        let named =
            |name: &str, count: u64| format!("{} {}", format::count(count), format::spoken(name));
        let highest = self.slots.iter().map(|slot| slot.sum.sample.counts.errors()).max();
        let scale = Scale::counts(highest.unwrap_or_default());
        let mut chart = self.chart("Errors over time by kind", scale, units::count, Vec::new());
        for slot in self.slots {
            let parts = of_slot(slot).into_iter().map(|(_, count, class)| (class, count as f64));
            // A slot without a length still gets a visible bar.
            let x = [slot.from, slot.to.max(slot.from + self.end / 240.0)];
            chart.bars.push(Bar { x, parts: parts.collect() });
        }
        chart.tips = self.tips(|slot| {
            let says: Vec<_> =
                of_slot(slot).into_iter().map(|(name, count, _)| named(name, count)).collect();
            if says.is_empty() { "none".to_owned() } else { says.join(", ") }
        });
        let mut legend: Vec<_> = kinds
            .iter()
            .zip(KINDS)
            .map(|((name, count), class)| (class, named(name, *count)))
            .collect();
        let others: u64 = kinds.iter().skip(KINDS.len()).map(|(_, count)| count).sum();
        if others > 0 {
            legend.push((OTHER, named("other", others)));
        }
        html! {
            (chart::bar_legend(&legend))
            (chart.draw())
        }
    }

    pub(super) fn generator(&self) -> Markup {
        let says = "How much later than due the generator sent its messages, over time";
        let percentiles = [("p99", 0.99, "s3"), ("p50", 0.5, "s1")];
        let lags = self.times(says, &percentiles, Vec::new(), |slot| {
            Some(slot.sum.sample.timing(Timing::ScheduleLag))
        });
        let available = f64::from(self.run.workers.min(self.run.processors)).max(1.0);
        let share = |slot: &Slot| slot.sum.generator_cpu / available;
        let busy = self.steps("busy", "s1", share);
        let says = "Share of its processors that the generator used, over time";
        let mut cpu = self.chart(says, Scale::Linear { top: 1.0 }, units::percent, vec![busy]);
        cpu.tips = self.tips(|slot| units::share(share(slot)));
        html! {
            p.dim { "If the generator is late or busy, it measures itself, and the verdict is invalid." }
            @if let Some(lags) = lags {
                h3 { "Lag" }
                (lags.with_legend())
            }
            h3 { "Use of " (counted(available as u64, "processor")) }
            (cpu.draw())
        }
    }
}
