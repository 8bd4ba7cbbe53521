//! The table that a terminal shows at the end of a run.

use super::next::Asked;
use super::{format, histogram, limits, next};
use crate::summary::{Figures, Summary};
use crate::validator::{Assessment, Check};
use bench_show::colour::Tone;
use bench_show::text::Text;
use bench_show::units::counted;
use load_plan::metrics::Timing;
use load_plan::model::Run;
use load_plan::outcome::{Ending, Fault};

/// Number of error samples that are shown.
const ERROR_SAMPLES: usize = 8;

/// The verdict, thresholds, times, a histogram, traffic, stages, errors and the next command, in lines of at most `width` columns and in
/// colours. 80 columns are enough for every table; a table does not get narrower than its cells,
/// and the next command has one line, whatever its length.
///
/// `asked` is what the command line called for, which the next command repeats.
#[must_use]
pub fn render(run: &Run, assessment: &Assessment, width: usize, asked: Option<&Asked>) -> String {
    let summary = Summary::of(run);
    let mut text = Text::new(width);
    verdict(&mut text, run, assessment);
    thresholds(&mut text, run, assessment, &summary);
    times(&mut text, run, &summary.overall);
    latencies(&mut text, &summary.overall, width);
    traffic(&mut text, run, &summary.overall);
    stages(&mut text, run, &summary);
    error_samples(&mut text, run);
    if !assessment.notices.is_empty() {
        text.line("");
    }
    for notice in &assessment.notices {
        text.wrapped("", &format!("notice: {notice}"));
    }
    if let Some((command, purpose)) = next::next(asked, run, assessment) {
        text.line("");
        let line = format!("next: {command}  ({purpose})");
        if line.chars().count() <= width {
            text.line(&line);
        } else {
            // A break within the command would end it where it is pasted.
            text.line(&format!("next: {command}"));
            text.wrapped("  ", &format!("({purpose})"));
        }
    }
    text.into_string()
}

fn verdict(text: &mut Text, run: &Run, assessment: &Assessment) {
    let verdict = assessment.verdict.name().to_uppercase();
    text.verdict(
        assessment.verdict.tone(),
        &verdict,
        &format!(": {} against {}", run.profile.name, run.target()),
    );
    for reason in &assessment.reasons {
        text.wrapped("  ", reason);
    }
    if let Some(origin) = format::origin(run) {
        text.wrapped("  ", &origin);
    }
}

fn thresholds(text: &mut Text, run: &Run, assessment: &Assessment, summary: &Summary) {
    text.line("");
    if assessment.checks.is_empty() {
        text.line("no thresholds");
        return;
    }
    let rows = assessment.checks.iter().map(|check| threshold(run, check, summary)).collect();
    let tones: Vec<Tone> =
        assessment.checks.iter().map(|check| limits::tone(assessment, check)).collect();
    let header = ["thresholds", "must be", "measured", "margin", "samples", ""];
    text.table_with_outcomes(header, rows, &[1, 5], &tones);
    for check in &assessment.checks {
        if let Some(worst) = limits::worst(check) {
            text.wrapped("", &format!("worst seconds of {}: {worst}", subject(run, check)));
        }
    }
}

/// `latency_p99`, `latency_p99 of hold`.
fn subject(run: &Run, check: &Check) -> String {
    let metric = check.threshold.metric;
    match check.stage {
        Some(stage) => format!("{metric} of {}", format::stage(run, stage)),
        None => metric.to_string(),
    }
}

fn threshold(run: &Run, check: &Check, summary: &Summary) -> [String; 6] {
    let outcome = limits::outcome(check);
    let outcome = match check.first_violated_ns.filter(|_| !check.met) {
        None => outcome.to_owned(),
        Some(ns) => format!("{outcome} {}", format::moment(ns)),
    };
    [
        subject(run, check),
        check.threshold.condition(),
        limits::measured(check, summary),
        limits::margin(check.margin),
        format::count(check.samples),
        outcome,
    ]
}

fn times(text: &mut Text, run: &Run, figures: &Figures) {
    let measured: Vec<_> =
        Timing::ALL.into_iter().filter(|timing| figures.timing(*timing).count > 0).collect();
    if measured.is_empty() {
        return;
    }
    text.line("");
    let percentiles = format::percentiles(run, &["p50", "p90", "p99", "p99.9"]);
    let percentiles: Vec<&str> = percentiles.iter().map(String::as_str).collect();
    let header = [&["times", "mean"], &percentiles[..], &["max", "samples"]].concat();
    let row = |timing: Timing| -> Vec<String> {
        let cells = header.iter().map(|heading| match *heading {
            "times" => timing.name().to_owned(),
            heading => format::spread(figures.timing(timing), heading),
        });
        cells.collect()
    };
    let rows: Vec<_> = measured.into_iter().map(row).collect();
    let is_rough = rows.iter().flatten().any(|cell| cell.starts_with(format::ROUGH));
    text.table(header, rows, &[]);
    if is_rough {
        let legend = "fewer than ten samples are above, so it is mostly chance";
        text.wrapped("", &format!("{}: {legend}", format::ROUGH));
    }
}

/// What the latency is, and how it is distributed.
fn latencies(text: &mut Text, figures: &Figures, width: usize) {
    if figures.latency.count == 0 {
        return;
    }
    let meaning = |timing: &Timing| format!("{}, the {}", timing.name(), format::timing(*timing));
    let meanings: Vec<_> = figures.judged.iter().map(meaning).collect();
    text.heading(&format!("latency: {}", meanings.join("; and ")));
    for line in histogram::lines(&figures.latency, width) {
        text.line(&line);
    }
}

fn traffic(text: &mut Text, run: &Run, figures: &Figures) {
    let counts = &figures.counts;
    text.heading("traffic");
    for line in format::throughput(figures) {
        text.wrapped("  ", &line);
    }
    let happened = |kinds: &[(&str, u64)]| {
        let kinds = kinds.iter().filter(|(_, count)| *count > 0);
        let words = kinds
            .map(|(name, count)| format!("{} {}", format::count(*count), format::spoken(name)));
        words.collect::<Vec<_>>().join(", ")
    };
    let endings = happened(&Ending::ALL.map(|ending| (ending.name(), counts.ended(ending))));
    let faults = happened(&Fault::ALL.map(|fault| (fault.name(), counts.faulty(fault))));
    let attempted = counted(counts.attempted, "connection");
    let mut connections = format!("{attempted} attempted, {} opened", format::count(counts.opened));
    if !endings.is_empty() {
        connections += &format!("; ended: {endings}");
    }
    text.wrapped("  ", &connections);
    if !faults.is_empty() {
        text.wrapped("  ", &format!("messages at fault: {faults}"));
    }
    for line in format::others(run, figures) {
        text.wrapped("  ", &line);
    }
}

fn stages(text: &mut Text, run: &Run, summary: &Summary) {
    if summary.stages.len() < 2 {
        return;
    }
    text.line("");
    let header = ["stages", "connections", "held", "received", "p50", "p99", "max", "errors"];
    let row = |(index, figures)| {
        header.map(|heading| match heading {
            "stages" => format::stage(run, index),
            _ => format::stage_cell(run, index, figures, heading),
        })
    };
    text.table(header, summary.stages.iter().enumerate().map(row).collect(), &[]);
}

fn error_samples(text: &mut Text, run: &Run) {
    if run.error_samples.is_empty() {
        return;
    }
    text.heading("errors");
    for sample in run.error_samples.iter().take(ERROR_SAMPLES) {
        let (count, kind) = (format::count(sample.count), format::spoken(&sample.kind));
        let first = format::moment(sample.first_ns);
        text.wrapped("  ", &format!("{count} {kind}, first {first}: {}", sample.text));
    }
    let more = run.error_samples.len().saturating_sub(ERROR_SAMPLES);
    if more > 0 {
        text.line(&format!("  and {more} more in report.json"));
    }
}
