use maud::{Markup, html};

use super::super::format;
use crate::summary::{Figures, Summary};
use crate::validator::{Assessment, Check};
use bench_show::units::counted;
use load_plan::metrics::Timing;
use load_plan::model::Run;
use load_plan::outcome::{Ending, Fault};
use load_plan::units;

/// Percentiles of every timing.
const PERCENTILES: [(&str, f64); 6] = [
    ("p50", 0.5),
    ("p90", 0.9),
    ("p95", 0.95),
    ("p99", 0.99),
    ("p99.9", 0.999),
    ("p99.99", 0.9999),
];

pub(super) fn thresholds(run: &Run, assessment: &Assessment) -> Markup {
    html! {
        @if assessment.checks.is_empty() {
            p { "The profile has no thresholds, so nothing was decided." }
        } @else {
            div.scroll {
                table {
                    tr {
                        th { "metric" } th { "must be" } th.number { "measured" } th {} th.number { "margin" }
                        th.number { "samples" } th { "outcome" }
                    }
                    @for check in &assessment.checks { (threshold(run, check)) }
                }
            }
        }
    }
}

fn threshold(run: &Run, check: &Check) -> Markup {
    let metric = check.threshold.metric;
    let tone = if check.met { "good" } else { "bad" };
    let outcome = match (check.met, check.measured) {
        (true, _) => "met",
        (false, Some(_)) => "violated",
        (false, None) => "no samples",
    };
    html! {
        tr.(tone) {
            td title=(metric.meaning()) {
                (metric)
                @if let Some(stage) = check.stage { span.dim { " of " (format::stage(run, stage)) } }
            }
            td.number.left data-label="must be" { (check.threshold.condition()) }
            td.number data-label="measured" {
                (check.measured.map_or_else(|| format::NONE.to_owned(), |value| metric.unit().show(value)))
            }
            td.gauge { (gauge(check)) }
            td.number data-label="margin" { (format::margin(check.margin)) }
            td.number data-label="samples" { (format::count(check.samples)) }
            td {
                span.verdict.(tone) { (outcome) }
                @if let (false, Some(ns)) = (check.met, check.first_violated_ns) { " " (format::moment(ns)) }
            }
        }
        @if let Some(worst) = format::worst(check) {
            tr.note { td.dim colspan="7" { "Worst seconds: " (worst) } }
        }
    }
}

/// Position of the limit in percent of the width; values beyond it are drawn on the right.
const LIMIT_AT: f64 = 70.0;

/// A bar from 0 to the measured value, and a line at the limit.
fn gauge(check: &Check) -> Markup {
    let limit = check.threshold.limit;
    let filled = match check.measured {
        None => 0.0,
        Some(value) if limit > 0.0 => (value / limit * LIMIT_AT).clamp(0.0, 100.0),
        Some(value) if value > 0.0 => 100.0,
        Some(_) => 0.0,
    };
    html! {
        svg.gauge aria-hidden="true" {
            rect.trough x="0" y="4" width="100%" height="8" {}
            rect.filled x="0" y="4" width=(format!("{filled:.1}%")) height="8" {}
            line.mark x1=(format!("{LIMIT_AT}%")) x2=(format!("{LIMIT_AT}%")) y1="0" y2="16" {}
        }
    }
}

pub(super) fn times(figures: &Figures) -> Markup {
    let measured: Vec<_> =
        Timing::ALL.into_iter().filter(|timing| figures.timing(*timing).count > 0).collect();
    html! {
        @if measured.is_empty() {
            p { "Nothing was timed." }
        } @else {
            p.dim { "Of measured time, but for connections, which open before. A percentile that fewer than ten values lie beyond is left out." }
            div.scroll {
                table {
                    tr {
                        th {} th.number { "min" } th.number { "mean" }
                        @for (name, _) in PERCENTILES { th.number { (name) } }
                        th.number { "max" } th.number { "samples" } th {}
                    }
                    @for timing in measured { (time(figures, timing)) }
                }
            }
        }
    }
}

fn time(figures: &Figures, timing: Timing) -> Markup {
    let distribution = figures.timing(timing);
    let mean = distribution.mean_ns().map_or_else(|| format::NONE.to_owned(), units::time);
    html! {
        tr {
            td { (timing.name()) div.dim { (format::timing(timing)) } }
            td.number data-label="min" { (units::time(distribution.min_ns as f64)) }
            td.number data-label="mean" { (mean) }
            @for (name, quantile) in PERCENTILES {
                td.number data-label=(name) { (format::percentile(distribution, quantile)) }
            }
            td.number data-label="max" { (units::time(distribution.max_ns as f64)) }
            td.number data-label="samples" { (format::count(distribution.count)) }
            td { @if figures.judged.contains(&timing) { "judged" } }
        }
    }
}

pub(super) fn traffic(run: &Run, figures: &Figures) -> Markup {
    let Figures { counts, held, .. } = figures;
    let endings = Ending::ALL.map(|ending| (ending.name(), counts.ended(ending), ending.is_good()));
    let faults = Fault::ALL.map(|fault| (fault.name(), counts.faulty(fault), false));
    html! {
        @for line in format::throughput(figures) { p.fact { (line) } }
        @if held.backpressure_events > 0 {
            p.fact { "back-pressure: " (counted(held.backpressure_events, "time")) " a connection was full when a message was due" }
        }
        @for line in format::others(figures).into_iter().chain(format::generator(run)).chain(format::before(run)) { p.fact { (line) } }
        div.beside {
            (tried("Connections in all of the run", &[("attempted", counts.attempted), ("opened", counts.opened)], &endings))
            (tried("Messages in all of the run", &[("sent", counts.sent), ("received", counts.received)], &faults))
        }
    }
}

/// A table of tries, and of the ends that happened.
fn tried(what: &str, tried: &[(&str, u64)], ends: &[(&str, u64, bool)]) -> Markup {
    html! {
        div {
            h3 { (what) }
            table.narrow {
                @for (name, count) in tried {
                    tr { td { (name) } td.number { (format::count(*count)) } }
                }
                @for (name, count, good) in ends.iter().filter(|(_, count, _)| *count > 0) {
                    tr.bad[!good] {
                        td { span.verdict[!good] { (format::spoken(name)) } }
                        td.number { (format::count(*count)) }
                    }
                }
            }
        }
    }
}

pub(super) fn stages(run: &Run, summary: &Summary) -> Markup {
    html! {
        div.scroll {
            table {
                tr {
                    th { "stage" } th.number { "connections" } th { "pace" } th.number { "held" } th.number { "received" }
                    @for name in ["mean", "p50", "p99", "p99.9", "max", "errors"] { th.number { (name) } }
                }
                @for (index, figures) in summary.stages.iter().enumerate() { (stage(run, index, figures)) }
            }
        }
    }
}

fn stage(run: &Run, index: usize, figures: &Figures) -> Markup {
    let latency = &figures.latency;
    let some = |ns: u64| format::time((latency.count > 0).then_some(ns));
    html! {
        tr {
            td { (index + 1) " " (format::stage(run, index)) }
            td.number data-label="connections" { (run.profile.stages[index].connections) }
            td.number.left data-label="pace" { (format::pace(run.profile.pace(index))) }
            td.number data-label="held" { (format::length(std::time::Duration::from_nanos(figures.length_ns))) }
            td.number data-label="received" { (format::rate(figures.per_s(figures.held.received))) }
            td.number data-label="mean" { (latency.mean_ns().map_or_else(|| format::NONE.to_owned(), units::time)) }
            @for (name, quantile) in [("p50", 0.5), ("p99", 0.99), ("p99.9", 0.999)] {
                td.number data-label=(name) { (format::percentile(latency, quantile)) }
            }
            td.number data-label="max" { (some(latency.max_ns)) }
            td.number data-label="errors" { (format::count(figures.counts.errors())) }
        }
    }
}

pub(super) fn error_samples(run: &Run) -> Markup {
    html! {
        div.scroll {
            table {
                tr { th { "error" } th.number { "count" } th { "first" } th { "message" } }
                @for sample in &run.error_samples {
                    tr {
                        td { (format::spoken(&sample.kind)) }
                        td.number data-label="count" { (format::count(sample.count)) }
                        td data-label="first" { (format::moment(sample.first_ns)) }
                        td.words { (sample.text) }
                    }
                }
            }
        }
    }
}
