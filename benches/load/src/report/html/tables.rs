use maud::{Markup, html};

use super::super::{format, limits};
use crate::summary::{Figures, Summary};
use crate::validator::{Assessment, Check};
use bench_show::colour::Tone;
use load_plan::metrics::Timing;
use load_plan::model::Run;
use load_plan::outcome::{Ending, Fault};

pub(super) fn thresholds(run: &Run, assessment: &Assessment, summary: &Summary) -> Markup {
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
                    @for check in &assessment.checks { (threshold(run, assessment, check, summary)) }
                }
            }
        }
    }
}

fn threshold(run: &Run, assessment: &Assessment, check: &Check, summary: &Summary) -> Markup {
    let metric = check.threshold.metric;
    let tone = match limits::tone(assessment, check) {
        Tone::Good => "good",
        Tone::Bad => "bad",
        _ => "unsure",
    };
    html! {
        tr.(tone) {
            td title=(metric.meaning()) {
                (metric)
                @if let Some(stage) = check.stage { span.dim { " of " (format::stage(run, stage)) } }
            }
            td.number.left data-label="must be" { (check.threshold.condition()) }
            td.number data-label="measured" {
                (limits::measured(check, summary))
            }
            td.gauge { (gauge(check)) }
            td.number data-label="margin" { (limits::margin(check.margin)) }
            td.number data-label="samples" { (format::count(check.samples)) }
            td {
                span.verdict.(tone) { (limits::outcome(check)) }
                @if let (false, Some(ns)) = (check.met, check.first_violated_ns) { " " (format::moment(ns)) }
            }
        }
        @if let Some(worst) = limits::worst(check) {
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

const PERCENTILES: [&str; 6] = ["p50", "p90", "p95", "p99", "p99.9", "p99.99"];

pub(super) fn times(run: &Run, figures: &Figures) -> Markup {
    let percentiles = format::percentiles(run, &PERCENTILES);
    let percentiles: Vec<&str> = percentiles.iter().map(String::as_str).collect();
    let headings = [&["min", "mean"], &percentiles[..], &["max", "samples"]].concat();
    let measured: Vec<_> =
        Timing::ALL.into_iter().filter(|timing| figures.timing(*timing).count > 0).collect();
    html! {
        @if measured.is_empty() {
            p { "Nothing was timed." }
        } @else {
            p.dim { "Of measured time, but for connections, which open before. A percentile with a ~ has fewer than ten values above it, so it is mostly chance." }
            div.scroll {
                table {
                    tr { th {} @for heading in &headings { th.number { (heading) } } th {} }
                    @for timing in measured {
                        tr {
                            td { (timing.name()) div.dim { (format::timing(timing)) } }
                            @for heading in &headings {
                                td.number data-label=(heading) { (format::spread(figures.timing(timing), heading)) }
                            }
                            td { @if figures.judged.contains(&timing) { "judged" } }
                        }
                    }
                }
            }
        }
    }
}

pub(super) fn traffic(run: &Run, figures: &Figures) -> Markup {
    let counts = &figures.counts;
    let endings = Ending::ALL.map(|ending| (ending.name(), counts.ended(ending), ending.is_good()));
    let faults = Fault::ALL.map(|fault| (fault.name(), counts.faulty(fault), false));
    html! {
        @for line in format::throughput(figures) { p.fact { (line) } }
        @for line in format::others(run, figures) { p.fact { (line) } }
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

const STAGES: [&str; 10] =
    ["connections", "pace", "held", "received", "mean", "p50", "p99", "p99.9", "max", "errors"];

pub(super) fn stages(run: &Run, summary: &Summary) -> Markup {
    html! {
        div.scroll {
            table {
                tr { th { "stage" } @for heading in STAGES { th class=[(heading != "pace").then_some("number")] { (heading) } } }
                @for (index, figures) in summary.stages.iter().enumerate() {
                    tr {
                        td { (index + 1) " " (format::stage(run, index)) }
                        @for heading in STAGES {
                            td.number.left[heading == "pace"] data-label=(heading) {
                                (format::stage_cell(run, index, figures, heading))
                            }
                        }
                    }
                }
            }
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
