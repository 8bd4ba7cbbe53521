use bench_show::axis::{pct, round_up};
use bench_show::units;
use maud::{Markup, html};

use super::times;
use crate::model::{Timing, TimingRow};

/// Maps an effect, a share of base's cost, to a position on the common axis of all rows.
///
/// The axis is one of logarithms, so that half the time is as far from zero as twice the time. Around zero its steps are equal,
/// beyond the threshold they shrink: a row that took six times as long does not squeeze all others.
pub(super) struct Axis {
    threshold: f64,
    limit: f64,
}

/// Half the length of the axis, and half of the gutter beside it, in percent of the drawing's width.
const HALF: f64 = 45.0;
const GUTTER: f64 = 3.5;

/// Possible ends of the axis, times a power of ten.
const ENDS: [f64; 8] = [1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 6.0, 8.0];

/// Changes that have a line and a label, where there is room for them.
const TICKS: [f64; 6] = [0.1, 0.3, 1.0, 3.0, 10.0, 30.0];

/// Room for a label beside another and beside that of the end, in percent of the width of a phone.
const ROOM: f64 = 9.0;
const ROOM_AT_END: f64 = 20.0;

impl Axis {
    pub(super) fn new(timing: &Timing) -> Self {
        let threshold = timing.threshold.max(0.001);
        let reach = |row: &TimingRow| {
            let ends = [row.interval[0], row.interval[1], row.null, row.effect].map(f64::ln_1p);
            ends.map(f64::abs).into_iter().fold(0.0, f64::max).exp_m1()
        };
        let furthest = timing.rows.iter().map(reach).filter(|reach| reach.is_finite());
        let furthest = furthest.fold(2.0 * threshold, f64::max);
        Self { threshold, limit: round_up(furthest, &ENDS) }
    }

    /// Labelled changes between zero and the end: slower ones.
    fn ticks(&self) -> Vec<f64> {
        let (mut ticks, mut before) = (Vec::new(), 50.0);
        for tick in TICKS {
            let x = self.x(tick);
            if x - before >= ROOM && 50.0 + HALF - x >= ROOM_AT_END {
                ticks.push(tick);
                before = x;
            }
        }
        ticks
    }

    /// The rounds above, the interval with its estimate in the middle, the null control below. Every x is a percentage
    /// and every y is in pixels, so that text keeps its size on a phone.
    pub(super) fn draw(&self, row: &TimingRow) -> Markup {
        let label = self.label(row);
        let (left, right) = (self.x(opposite(self.threshold)), self.x(self.threshold));
        let [low, high] = row.interval.map(|effect| self.x(effect));
        html! {
            svg.plot role="img" aria-label=(label) {
                title { (label) }
                rect.band x=(pct(left)) y="14" width=(pct(right - left)) height="46" {}
                text x="50%" y="10" text-anchor="middle" { "±" (units::percent(self.threshold)) }
                line.zero x1="50%" x2="50%" y1="14" y2="60" {}
                line.axis x1=(pct(50.0 - HALF)) x2=(pct(50.0 + HALF)) y1="60" y2="60" {}
                @for (index, &effect) in row.rounds.iter().enumerate().filter(|(_, effect)| effect.is_finite()) {
                    // On three lines, because equal rounds would hide each other.
                    @let y = 18 + index % 3 * 4;
                    circle.round.off[!self.holds(effect)] cx=(pct(self.x(effect))) cy=(y) r="2.5" {}
                }
                @if low.is_finite() && high.is_finite() {
                    rect.interval x=(pct(low)) y="33" width=(pct(high - low)) height="8" {}
                }
                @if self.holds(row.effect) {
                    line.estimate x1=(pct(self.x(row.effect))) x2=(pct(self.x(row.effect))) y1="29" y2="45" {}
                }
                @if row.interval[1] > self.limit { text.beyond x="100%" y="42" text-anchor="end" { "›" } }
                @if row.interval[0] < opposite(self.limit) { text.beyond x="0" y="42" { "‹" } }
                @if row.null.is_finite() {
                    circle.null cx=(pct(self.x(row.null))) cy="52" r="4" {}
                }
                @for tick in self.ticks() {
                    @let (slower, faster) = (self.x(tick), self.x(opposite(tick)));
                    line.axis x1=(pct(slower)) x2=(pct(slower)) y1="56" y2="60" {}
                    text x=(pct(slower)) y="72" text-anchor="middle" { (whole(tick)) " %" }
                    line.axis x1=(pct(faster)) x2=(pct(faster)) y1="56" y2="60" {}
                    text x=(pct(faster)) y="72" text-anchor="middle" { (whole(opposite(tick))) " %" }
                }
                text x=(pct(50.0 - HALF)) y="72" { (whole(opposite(self.limit))) " % faster" }
                text x="50%" y="72" text-anchor="middle" { "0" }
                text x=(pct(50.0 + HALF)) y="72" text-anchor="end" { (whole(self.limit)) " % slower" }
            }
        }
    }

    fn holds(&self, effect: f64) -> bool {
        (opposite(self.limit)..=self.limit).contains(&effect)
    }

    /// An effect beyond the axis is drawn in the gutter.
    fn x(&self, effect: f64) -> f64 {
        let place = |effect: f64| (effect.ln_1p() / self.threshold.ln_1p()).asinh();
        if self.holds(effect) {
            50.0 + place(effect) / place(self.limit) * HALF
        } else {
            50.0 + (HALF + GUTTER).copysign(effect)
        }
    }

    fn label(&self, row: &TimingRow) -> String {
        format!(
            "{}: {}, interval {} to {}, null control {}, {} rounds; a change counts beyond ±{}",
            row.id,
            times::direction(row.effect),
            times::direction(row.interval[0]),
            times::direction(row.interval[1]),
            times::direction(row.null),
            row.rounds.len(),
            units::percent(self.threshold),
        )
    }
}

/// The change on the other side of zero: half the time for twice the time.
fn opposite(effect: f64) -> f64 {
    1.0 / (1.0 + effect) - 1.0
}

/// `600`, `86`, `9.1`: a change in percent, without its sign.
fn whole(effect: f64) -> String {
    match effect.abs() * 100.0 {
        percent @ ..9.95 if (percent - percent.round()).abs() >= 0.05 => format!("{percent:.1}"),
        percent => format!("{percent:.0}"),
    }
}

/// A bar to the right for growth, to the left for shrinkage. `furthest` fills its half; the smallest change is visible.
pub(super) fn bar(change: f64, furthest: f64) -> Markup {
    let length = if change != 0.0 && furthest > 0.0 {
        (change.abs() / furthest).clamp(0.015, 1.0) * 50.0
    } else {
        0.0
    };
    let start = if change < 0.0 { 50.0 - length } else { 50.0 };
    html! {
        svg.bar aria-hidden="true" {
            @if length > 0.0 {
                rect.grown[change > 0.0].shrunk[change < 0.0] x=(pct(start)) y="2" width=(pct(length)) height="8" {}
            }
            line.zero x1="50%" x2="50%" y1="0" y2="12" {}
        }
    }
}

/// The legend of [`Axis::draw`].
pub(super) fn legend() -> Markup {
    html! {
        ul.legend {
            li { svg.key { circle.round cx="7" cy="7" r="2.5" {} } "one round of fresh processes" }
            li {
                svg.key {
                    rect.interval x="0" y="3" width="14" height="8" {}
                    line.estimate x1="7" x2="7" y1="0" y2="14" {}
                }
                "estimate and interval"
            }
            li { svg.key { circle.null cx="7" cy="7" r="4" {} } "null control: a second copy of base" }
            li { svg.key { rect.band x="0" y="0" width="14" height="14" {} } "too small to count" }
        }
    }
}
