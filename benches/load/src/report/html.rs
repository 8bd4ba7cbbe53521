use maud::{Markup, html};

use super::{format, next};
use crate::summary::{Figures, Summary};
use crate::validator::{Assessment, RunVerdict};
use bench_show::page::page;
use bench_show::units::{self, counted};
use load_plan::model::Run;
use load_plan::thresholds::{Metric, Statistic};

mod charts;
mod percentiles;
mod tables;
mod time;
mod trouble;

/// One page without scripts, other files or network.
pub(super) fn render(run: &Run, assessment: &Assessment) -> String {
    let summary = Summary::of(run);
    let title = format!("{}: {}", run.profile.name, assessment.verdict.name());
    let body = html! {
        (banner(run, assessment, &summary.overall))
        section { h2 { "Thresholds" } (tables::thresholds(run, assessment, &summary)) }
        (charts::all(run, assessment, &summary))
        section { h2 { "Times" } (tables::times(run, &summary.overall)) }
        section { h2 { "Traffic" } (tables::traffic(run, &summary.overall)) }
        @if summary.stages.len() > 1 { section { h2 { "Stages" } (tables::stages(run, &summary)) } }
        @if !run.error_samples.is_empty() { section { h2 { "Error samples" } (tables::error_samples(run)) } }
        section { h2 { "Repeat" } (repeat(run)) }
    };
    page(&title, include_str!("style.css"), &body)
}

fn banner(run: &Run, assessment: &Assessment, overall: &Figures) -> Markup {
    let (tone, word, what) = match assessment.verdict {
        RunVerdict::Pass => ("good", "Pass", "Every threshold was measured and met."),
        RunVerdict::Fail => ("bad", "Fail", "The target violated a threshold."),
        RunVerdict::Invalid => ("unsure", "Invalid", "The numbers say nothing about the target."),
        RunVerdict::Incomplete => ("unsure", "Incomplete", "Parts of the run are missing."),
        RunVerdict::Interrupted => ("unsure", "Interrupted", "A signal ended the run early."),
    };
    let peak = run.profile.stages.iter().map(|stage| stage.connections).max().unwrap_or_default();
    html! {
        header {
            h1 { (run.profile.name) " against " span.url { (run.target()) } }
            div.banner.(tone) {
                strong { (word) }
                (key_figures(assessment, overall))
                p { (what) " Exit code " (assessment.verdict.exit_code()) "." }
                @if !assessment.reasons.is_empty() {
                    ul { @for reason in &assessment.reasons { li { (reason) } } }
                }
                @if let Some((command, purpose)) = next::next(None, run, assessment) {
                    p { "Next: " code { (command) } " – " (purpose) }
                }
            }
            @if !run.profile.description.is_empty() { p.dim { (run.profile.description) } }
            p.dim {
                "Up to " (counted(peak.into(), "connection")) ", "
                (format::length(run.length(|_| true))) " from " (format::started(run)) ", "
                (counted(u64::from(run.workers), "worker")) " on "
                (counted(u64::from(run.processors), "processor")) ", seed " (run.profile.traffic.seed)
                ", run " (run.run_id) "."
                @if let Some(origin) = format::origin(run) { " This is " (origin) "." }
            }
            @for notice in &assessment.notices { p.dim { "Notice: " (notice) } }
        }
    }
}

/// What people look for: the median, p99 with its limit, the rate and the errors of the whole run.
fn key_figures(assessment: &Assessment, overall: &Figures) -> Markup {
    let p99 = Metric::Latency(Statistic::P99);
    let limit = assessment
        .checks
        .iter()
        .find(|check| check.stage.is_none() && check.threshold.metric == p99);
    let limit = limit.map_or_else(String::new, |check| check.threshold.condition());
    let received = format::rate(overall.per_s(overall.held.received));
    let errors = overall.counts.errors();
    let share =
        overall.counts.error_share().filter(|_| errors > 0).map_or_else(String::new, units::share);
    let figures = [
        ("p50", format::spread(&overall.latency, "p50"), String::new()),
        ("p99", format::spread(&overall.latency, "p99"), limit),
        ("received", received, String::new()),
        ("errors", format::count(errors), share),
    ];
    html! {
        dl.key-figures {
            @for (name, value, beside) in figures {
                div { dt { (name) } dd { (value) @if !beside.is_empty() { " " small { (beside) } } } }
            }
        }
    }
}

fn repeat(run: &Run) -> Markup {
    let toml = toml::to_string_pretty(&run.profile);
    html! {
        @if !next::is_builtin(run) {
            p { "Save the profile below as " code { (next::file_name(run)) } ", and run" }
        }
        pre.command { (next::repeat(run)) }
        @match toml {
            Ok(toml) => details { summary { "The profile" } pre { (toml) } },
            // TOML integers are signed: a seed may be too large for one.
            Err(_) => p.dim { "The profile cannot be written as TOML; it is in report.json." },
        }
    }
}
