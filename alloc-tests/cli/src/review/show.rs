//! One scenario on a screen of 80 columns.

use anstyle::{AnsiColor, Style};
use anyhow::Result;
use baselines::alloc::Metric;
use baselines::compare::{Slack, provenance_differences};
use baselines::{Pending, Verdict, words};
use bench_show::text::Text;

use crate::pending::{Suites, recorded};

const WIDTH: usize = 80;

/// Most call sites, and most packages, that are shown.
const MOST: usize = 8;

/// Its id, suite, verdict, totals, call sites, and what else moved. Colours are for a terminal.
pub(super) fn scenario(suites: &Suites, one: &Pending, at: usize, of: usize) -> Result<String> {
    let Pending { id, package, test, unit, target, .. } = one;
    let mut text = Text::new(WIDTH);
    text.line("");
    text.wrapped("", &format!("[{at}/{of}] {id}"));
    text.wrapped("", &format!("{package}::{test}, per {unit}, {target}"));
    table(&mut text, one);
    for Slack { metric, amount, reason } in &one.slack {
        text.wrapped("", &format!("slack of {amount} on {}: {reason}", metric.name()));
    }
    sites(&mut text, one);
    if let Some(baseline) = recorded(suites, one)? {
        let moved = provenance_differences(&baseline.provenance, &one.provenance);
        if !moved.is_empty() {
            let shown = moved.iter().take(MOST).cloned().collect::<Vec<_>>().join("; ");
            let more = moved.len().saturating_sub(MOST);
            let more = if more > 0 { format!("; and {more} more") } else { String::new() };
            text.wrapped("", &format!("another build: {shown}{more}"));
        }
    }
    Ok(coloured(&text.into_string(), one))
}

/// The metrics that changed, or all of a scenario that cannot be compared.
fn table(text: &mut Text, one: &Pending) {
    let Pending { measured, recorded, unit, .. } = one;
    let same_ops = recorded.as_ref().is_none_or(|recorded| recorded.ops == measured.ops);
    let changed: Vec<Metric> = one.changes().iter().map(|change| change.metric).collect();
    let is_shown = |metric: &&Metric| {
        changed.is_empty() && (measured.get(**metric).is_some()) || changed.contains(metric)
    };
    let both = |old: Option<String>, new: Option<String>| match (old, new) {
        (None, None) => "-".to_owned(),
        (Some(old), Some(new)) if old == new => new,
        (None, Some(new)) if recorded.is_none() => new,
        (old, new) => {
            let dash = || "-".to_owned();
            format!("{} → {}", old.unwrap_or_else(dash), new.unwrap_or_else(dash))
        }
    };
    let row = |metric: &Metric| {
        let old = recorded.as_ref();
        let at = |size: usize| {
            let old = old.and_then(|old| old.get(*metric)).map(|totals| totals[size].to_string());
            both(old, measured.get(*metric).map(|totals| totals[size].to_string()))
        };
        let old = old.and_then(|old| old.per_op(*metric)).map(words::number);
        let per_op = both(old, measured.per_op(*metric).map(words::number));
        [metric.name().to_owned(), at(0), at(1), per_op]
    };
    let mut rows: Vec<_> = Metric::ALL.iter().filter(is_shown).map(row).collect();
    if !same_ops && let Some(recorded) = recorded {
        let [n, double] =
            [0, 1].map(|size| format!("{} → {}", recorded.ops[size], measured.ops[size]));
        rows.insert(0, ["operations".to_owned(), n, double, String::new()]);
    }
    let [n, double] = measured.ops.map(|ops| format!("at {ops}"));
    let [n, double] = if same_ops { [n, double] } else { ["at N".to_owned(), "at 2N".to_owned()] };
    text.table([one.verdict.as_str(), &n, &double, &format!("per {unit}")], rows, &[]);
}

fn sites(text: &mut Text, one: &Pending) {
    for site in one.sites_changed.iter().take(MOST) {
        text.wrapped("", words::site(site, one.measured.ops, &one.unit).trim_start());
        text.wrapped("    ", &site.key);
    }
    if one.sites_changed.len() > MOST {
        text.line(&format!("and {} more sites", one.sites_changed.len() - MOST));
    }
}

/// The id in bold, and the verdict in its colour.
fn coloured(text: &str, one: &Pending) -> String {
    let colour = match one.verdict {
        Verdict::Regressed | Verdict::NotComparable => AnsiColor::Red,
        Verdict::Improved => AnsiColor::Green,
        _ => AnsiColor::Yellow,
    };
    let painted = |style: Style, word: &str| format!("{style}{word}{style:#}");
    let verdict = format!("\n{}", one.verdict.as_str());
    let bold = painted(Style::new().bold(), &one.id);
    let word = painted(Style::new().fg_color(Some(colour.into())), one.verdict.as_str());
    text.replacen(&one.id, &bold, 1).replacen(&verdict, &format!("\n{word}"), 1)
}
