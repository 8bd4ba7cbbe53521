//! Texts about thresholds that several formats share.

use super::format;
use crate::summary::Summary;
use crate::validator::{Assessment, Check, Worst};
use bench_show::colour::Tone;
use load_plan::units;

/// What was measured; with a [`format::ROUGH`] if it is a percentile of few samples, as in the tables of times.
pub(super) fn measured(check: &Check, summary: &Summary) -> String {
    let metric = check.threshold.metric;
    let is_rough = !summary.figures(check.stage).supports(metric);
    let rough = if is_rough { format::ROUGH } else { "" };
    let shown = |value| format!("{rough}{}", metric.unit().show(value));
    check.measured.map_or_else(|| format::NONE.to_owned(), shown)
}

/// A limit that is not judged is neither met nor violated at a glance.
pub(super) fn tone(assessment: &Assessment, check: &Check) -> Tone {
    match check.met {
        _ if !assessment.judges(check) => Tone::Doubtful,
        true => Tone::Good,
        false => Tone::Bad,
    }
}

/// The outcome of a threshold in a word or two.
pub(super) fn outcome(check: &Check) -> &'static str {
    match (check.met, check.measured, check.lost) {
        (true, ..) => "met",
        (false, Some(_), _) => "violated",
        (false, None, Some(_)) => format::LOST,
        (false, None, None) => "no samples",
    }
}

/// `+68 %`, `-23 %`: the share of a limit that is left. `3.50×`: a value that is more than twice its limit.
pub(super) fn margin(margin: Option<f64>) -> String {
    let shown = |share: f64| match (share * 100.0).round() {
        ..-100.0 if share <= -99.0 => format!("{}×", units::count((1.0 - share).round())),
        ..-100.0 => format!("{}×", units::significant(1.0 - share)),
        percent => format!("{}{percent:.0} %", if percent > 0.0 { "+" } else { "" }),
    };
    margin.map_or_else(|| format::NONE.to_owned(), shown)
}

/// The worst seconds of a violated threshold: those that violate it alone or, if there is none, all that are known.
pub(super) fn worst(check: &Check) -> Option<String> {
    if check.met || check.worst.is_empty() {
        return None;
    }
    let alone = |worst: &&Worst| !check.threshold.is_met(worst.value);
    let mut worst: Vec<_> = check.worst.iter().filter(alone).collect();
    if worst.is_empty() {
        worst = check.worst.iter().collect();
    }
    let unit = check.threshold.metric.unit();
    let shown = worst
        .into_iter()
        .map(|Worst { second, value }| format!("{second} ({})", unit.show(*value)));
    Some(shown.collect::<Vec<_>>().join(", "))
}
