use maud::{Markup, html};

use super::{advice, words};
use crate::summary::Summary;
use crate::validator::{Judgement, Verdict};
use bench_show::page::page;
use load_plan::model::Run;

mod charts;
mod percentiles;
mod tables;
mod time;
mod trouble;

/// One page that needs nothing else: no script, no other file, no network.
pub(super) fn render(run: &Run, judgement: &Judgement) -> String {
    let summary = Summary::of(run);
    let title = format!("{}: {}", run.profile.name, judgement.verdict.name());
    let body = html! {
        (banner(run, judgement))
        section { h2 { "Thresholds" } (tables::thresholds(run, judgement)) }
        (charts::all(run, judgement, &summary))
        section { h2 { "Times" } (tables::times(&summary.overall)) }
        section { h2 { "Traffic" } (tables::traffic(run, &summary.overall)) }
        @if summary.stages.len() > 1 { section { h2 { "Stages" } (tables::stages(run, &summary)) } }
        @if !run.error_samples.is_empty() { section { h2 { "Errors in words" } (tables::details(run)) } }
        section { h2 { "Again" } (again(run)) }
    };
    page(&title, include_str!("style.css"), &body)
}

fn banner(run: &Run, judgement: &Judgement) -> Markup {
    let (tone, word) = match judgement.verdict {
        Verdict::Pass => ("good", "Pass"),
        Verdict::Fail => ("bad", "Fail"),
        Verdict::Invalid => ("unsure", "Invalid"),
        Verdict::Incomplete => ("unsure", "Incomplete"),
        Verdict::Interrupted => ("unsure", "Interrupted"),
    };
    let what = match judgement.verdict {
        Verdict::Pass => "Every threshold was measured and met.",
        Verdict::Fail => "The target did not hold what was asked of it.",
        Verdict::Invalid => "The numbers say nothing about the target.",
        Verdict::Incomplete => "Parts of the run are missing.",
        Verdict::Interrupted => "The run ended before its time.",
    };
    let peak = run
        .profile
        .stages
        .iter()
        .map(|stage| u64::from(stage.connections))
        .max()
        .unwrap_or_default();
    html! {
        header {
            h1 { (run.profile.name) " against " span.url { (run.target()) } }
            div.banner.(tone) {
                strong { (word) }
                p { (what) " Exit code " (judgement.verdict.exit_code()) "." }
                @if !judgement.reasons.is_empty() {
                    ul { @for reason in &judgement.reasons { li { (reason) } } }
                }
                @if let Some((command, purpose)) = advice::next(run, judgement) {
                    p { "Next: " code { (command) } " – " (purpose) }
                }
            }
            @if !run.profile.description.is_empty() { p.dim { (run.profile.description) } }
            p.dim {
                "Up to " (words::counted(peak, "connection")) ", "
                (words::length(run.length(|_| true))) " from " (words::started(run)) ", "
                (words::counted(u64::from(run.workers), "worker")) " on "
                (words::counted(u64::from(run.processors), "processor")) ", seed " (run.profile.traffic.seed)
                ", run " (run.run_id) "."
                @if let Some(origin) = words::origin(run) { " This is " (origin) "." }
            }
            @for notice in &judgement.notices { p.dim { "Notice: " (notice) } }
        }
    }
}

fn again(run: &Run) -> Markup {
    let toml = toml::to_string_pretty(&run.profile);
    html! {
        @if !advice::is_builtin(run) {
            p { "Save the profile below as " code { (advice::file_name(run)) } ", and run" }
        }
        pre.command { (advice::repeat(run)) }
        @match toml {
            Ok(toml) => details { summary { "The profile" } pre { (toml) } },
            // A seed beyond what TOML can hold; JSON can.
            Err(_) => p.dim { "The profile has no form in TOML; it is in report.json." },
        }
    }
}
