use baselines::Verdict;
use bench_show::colour::Tone;
use maud::{Markup, html};

use crate::report::headline;

pub(super) fn verdict(verdict: Verdict) -> Markup {
    html! { span.verdict.(class_of(verdict)) { (verdict.as_str()) } }
}

/// The class of a row.
pub(super) fn class_of(verdict: Verdict) -> &'static str {
    class(verdict, headline::tone_of(verdict))
}

/// A class of the style sheet. An improvement is no pass: its number is not recorded.
pub(super) fn class(verdict: Verdict, tone: Tone) -> &'static str {
    match tone {
        Tone::Good if verdict == Verdict::Improved => "better",
        Tone::Good => "good",
        Tone::Bad => "bad",
        Tone::Doubtful | Tone::Faint => "unsure",
    }
}
