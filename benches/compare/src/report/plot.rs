use bench_show::axis::{pct, round_up};
use bench_show::units;
use maud::{Markup, html};

use super::{format, times};
use crate::model::{Timing, TimingRow};

/// Maps an effect, a share of base's cost, to a position on the common axis of all rows.
pub(super) struct Axis {
    threshold: f64,
    limit: f64,
}

/// Half the length of the axis, and half of the gutter beside it, in percent of the drawing's width.
const HALF: f64 = 45.0;
const GUTTER: f64 = 3.5;

/// Largest end of the axis, in thresholds. A row that doubled must not squeeze all others.
const FURTHEST: f64 = 5.0;

/// Possible ends of the axis, times a power of ten.
const ENDS: [f64; 8] = [1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 6.0, 8.0];

impl Axis {
    pub(super) fn new(timing: &Timing) -> Self {
        let threshold = timing.threshold.max(0.001);
        let reach = |row: &TimingRow| {
            [row.interval[0], row.interval[1], row.null]
                .map(f64::abs)
                .into_iter()
                .fold(0.0, f64::max)
        };
        let furthest = timing.rows.iter().map(reach).filter(|reach| reach.is_finite());
        let furthest = furthest.fold(2.0 * threshold, f64::max).min(FURTHEST * threshold);
        Self { threshold, limit: round_up(furthest, &ENDS) }
    }

    /// The rounds above, the interval with its estimate in the middle, the null control below. Every x is a percentage
    /// and every y is in pixels, so that text keeps its size on a phone.
    pub(super) fn draw(&self, row: &TimingRow) -> Markup {
        let label = self.label(row);
        let (left, right) = (self.x(-self.threshold), self.x(self.threshold));
        let [low, high] = row.interval.map(|effect| self.x(effect));
        let limit = format::number(self.limit * 100.0);
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
                    circle.round.off[effect.abs() > self.limit] cx=(pct(self.x(effect))) cy=(y) r="2.5" {}
                }
                @if low.is_finite() && high.is_finite() {
                    rect.interval x=(pct(low)) y="33" width=(pct(high - low)) height="8" {}
                }
                @if row.effect.abs() <= self.limit {
                    line.estimate x1=(pct(self.x(row.effect))) x2=(pct(self.x(row.effect))) y1="29" y2="45" {}
                }
                @if row.interval[1] > self.limit { text.beyond x="100%" y="42" text-anchor="end" { "›" } }
                @if row.interval[0] < -self.limit { text.beyond x="0" y="42" { "‹" } }
                @if row.null.is_finite() {
                    circle.null cx=(pct(self.x(row.null))) cy="52" r="4" {}
                }
                text x=(pct(50.0 - HALF)) y="72" { (limit) " % faster" }
                text x="50%" y="72" text-anchor="middle" { "0" }
                text x=(pct(50.0 + HALF)) y="72" text-anchor="end" { (limit) " % slower" }
            }
        }
    }

    /// An effect beyond the axis is drawn in the gutter.
    fn x(&self, effect: f64) -> f64 {
        if effect.abs() > self.limit {
            50.0 + (HALF + GUTTER).copysign(effect)
        } else {
            50.0 + effect / self.limit * HALF
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
