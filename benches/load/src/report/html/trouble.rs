use maud::{Markup, html};

use super::super::chart::{self, Bar};
use super::super::format;
use super::super::timeline::Slot;
use super::time::Time;
use bench_show::axis::Scale;
use bench_show::units::{self, counted};
use load_plan::metrics::{Tally, Timing};
use load_plan::outcome::{Ending, Fault};

/// Classes of the most frequent kinds of errors; the other kinds share [`OTHER`].
const KINDS: [&str; 5] = ["s2", "s1", "s4", "s3", "s5"];
const OTHER: &str = "s6";

impl Time<'_> {
    pub(super) fn errors(&self) -> Markup {
        let mut kinds = kinds(&self.run.sum(|_| true).counts);
        kinds.retain(|(_, count)| *count > 0);
        kinds.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        if kinds.is_empty() {
            return html! { p { "No errors." } };
        }
        let class = |name: &str| {
            let nth = kinds.iter().position(|(kind, _)| *kind == name);
            nth.and_then(|nth| KINDS.get(nth)).copied().unwrap_or(OTHER)
        };
        let of_slot = |slot: &Slot| {
            let counts = self::kinds(&slot.sample.counts);
            let order =
                kinds.iter().filter_map(|(kind, _)| counts.iter().find(|(name, _)| name == kind));
            order.map(|(name, count)| (*name, *count)).collect::<Vec<_>>()
        };
        let highest =
            self.slots.iter().map(|slot| slot.sample.counts.errors()).max().unwrap_or_default();
        let says = "Errors over time by kind".to_owned();
        let mut chart = self.chart(says, Scale::counts(highest), units::count, Vec::new());
        for slot in self.slots {
            let parts = of_slot(slot)
                .into_iter()
                .map(|(name, count)| (class(name), count as f64))
                .collect();
            // A slot without a length still gets a visible bar.
            chart
                .bars
                .push(Bar { x: [slot.from, slot.to.max(slot.from + self.end / 240.0)], parts });
        }
        chart.tips = self.tips(|slot| {
            let counts = of_slot(slot).into_iter().filter(|(_, count)| *count > 0);
            let says: Vec<_> =
                counts.map(|(name, count)| format!("{count} {}", format::spoken(name))).collect();
            if says.is_empty() { "none".to_owned() } else { says.join(", ") }
        });
        let mut legend: Vec<_> = kinds
            .iter()
            .take(KINDS.len())
            .map(|(name, count)| {
                (class(name), format!("{} {}", format::count(*count), format::spoken(name)))
            })
            .collect();
        let others: u64 = kinds.iter().skip(KINDS.len()).map(|(_, count)| count).sum();
        if others > 0 {
            legend.push((OTHER, format!("{} other", format::count(others))));
        }
        html! {
            (chart::bar_legend(legend.iter().map(|(class, name)| (*class, name.as_str()))))
            (chart.draw())
        }
    }

    pub(super) fn generator(&self) -> Markup {
        let lag = |slot: &Slot, quantile: f64| {
            slot.sample.timing(Timing::ScheduleLag).supported_ns(quantile).map(|ns| ns as f64)
        };
        let max = |slot: &Slot| {
            let distribution = slot.sample.timing(Timing::ScheduleLag);
            (distribution.count > 0).then_some(distribution.max_ns as f64)
        };
        let lines = vec![
            self.line("max", "s4", max),
            self.line("p99", "s3", |slot| lag(slot, 0.99)),
            self.line("p50", "s1", |slot| lag(slot, 0.5)),
        ];
        let values = lines.iter().flat_map(|line| line.points.iter().flatten().map(|[_, y]| *y));
        let y = Scale::log(values);
        let late = lines.iter().any(|line| line.points.iter().any(Option::is_some));
        let says = "How much later than due the generator sent its messages, over time".to_owned();
        let mut lags = self.chart(says, y, units::time, lines);
        lags.tips = self.tips(|slot| {
            let shown =
                |value: Option<f64>| value.map_or_else(|| format::NONE.to_owned(), units::time);
            format!(
                "p50 {}, p99 {}, max {}",
                shown(lag(slot, 0.5)),
                shown(lag(slot, 0.99)),
                shown(max(slot))
            )
        });
        let available = f64::from(self.run.workers.min(self.run.processors)).max(1.0);
        let share = |slot: &Slot| slot.generator_cpu / available;
        let busy = self.steps("busy", "s1", share);
        let says = "Share of its processors that the generator used, over time".to_owned();
        let mut cpu = self.chart(says, Scale::Linear { top: 1.0 }, units::percent, vec![busy]);
        cpu.tips = self.tips(|slot| units::share(share(slot)));
        html! {
            p.dim { "If the generator is late or busy, it measures itself, and the verdict is invalid." }
            @if late {
                h3 { "Lag" }
                (lags.with_legend())
            }
            h3 { "Use of " (counted(available as u64, "processor")) }
            (cpu.draw())
        }
    }
}

/// The count of each kind of error.
fn kinds(counts: &Tally) -> Vec<(&'static str, u64)> {
    let endings = Ending::ALL.into_iter().filter(|ending| !ending.is_good());
    let endings = endings.map(|ending| (ending.name(), counts.ended(ending)));
    endings.chain(Fault::ALL.map(|fault| (fault.name(), counts.faulty(fault)))).collect()
}
