//! Lines and bars over an axis. On the page every x is a percentage and every y a pixel, so that text does not shrink on
//! a phone. Lines and bars are in an inner picture that stretches, with strokes that do not.

use std::fmt::Write as _;

use maud::{Markup, html};

use bench_show::axis::{self, Scale, px};
use load_plan::thresholds::Threshold;

/// Heights of a drawing, in pixels.
const LOW: f64 = 140.0;
pub(super) const HIGH: f64 = 220.0;

/// Height of the names of stages and the uppermost label, and of the line below.
const ABOVE: f64 = 30.0;
const BELOW: f64 = 18.0;

/// Width of the inner picture in its own unit.
const WIDTH: f64 = 1000.0;

pub(super) struct Chart<'a> {
    /// The chart in one sentence, for screen readers.
    pub(super) says: &'static str,
    pub(super) height: f64,
    /// Highest x; the lowest is 0.
    pub(super) end: f64,
    /// Labels of the x axis.
    pub(super) x_ticks: Vec<(f64, String)>,
    pub(super) y: Scale,
    pub(super) unit: fn(f64) -> String,
    pub(super) lines: Vec<Line>,
    pub(super) bars: Vec<Bar>,
    /// Thresholds.
    pub(super) limits: Vec<Limit>,
    pub(super) spans: &'a [Span],
    pub(super) tips: Vec<Tip>,
}

/// A line; a `None` is a gap.
pub(super) struct Line {
    pub(super) name: &'static str,
    pub(super) class: &'static str,
    pub(super) points: Vec<Option<[f64; 2]>>,
}

/// A stack of bars, the lowest first.
pub(super) struct Bar {
    pub(super) x: [f64; 2],
    pub(super) parts: Vec<(&'static str, f64)>,
}

pub(super) struct Limit {
    pub(super) label: String,
    pub(super) x: [f64; 2],
    pub(super) y: f64,
    /// A lower limit, whose label is below it.
    pub(super) is_lower: bool,
}

/// A stage: a line at its start, its name, and a shade over measured time.
pub(super) struct Span {
    pub(super) x: [f64; 2],
    pub(super) name: String,
    pub(super) measured: Vec<[f64; 2]>,
}

/// A tooltip.
pub(super) struct Tip {
    pub(super) x: [f64; 2],
    pub(super) says: String,
}

impl Limit {
    pub(super) fn new(name: &str, x: [f64; 2], threshold: &Threshold) -> Self {
        let label = format!("{name} {}", threshold.condition());
        Self { label, x, y: threshold.limit, is_lower: !threshold.op.is_upper() }
    }
}

/// The values of all points and limits.
pub(super) fn values(lines: &[Line], limits: &[Limit]) -> impl Iterator<Item = f64> {
    let points = lines.iter().flat_map(|line| line.points.iter().flatten());
    points.map(|[_, y]| *y).chain(limits.iter().map(|limit| limit.y))
}

impl Chart<'_> {
    pub(super) fn new(
        says: &'static str,
        end: f64,
        y: Scale,
        unit: fn(f64) -> String,
        lines: Vec<Line>,
    ) -> Self {
        Self {
            says,
            height: LOW,
            end,
            x_ticks: Vec::new(),
            y,
            unit,
            lines,
            bars: Vec::new(),
            limits: Vec::new(),
            spans: &[],
            tips: Vec::new(),
        }
    }

    /// The legend of the lines, and the drawing.
    pub(super) fn with_legend(&self) -> Markup {
        html! { (legend(&self.lines)) (self.draw()) }
    }

    pub(super) fn draw(&self) -> Markup {
        let height = self.height;
        let total = ABOVE + height + BELOW;
        html! {
            svg.chart role="img" aria-label=(self.says) style=(format!("height:{total}px")) {
                svg x="0" y=(ABOVE) width="100%" height=(height) viewBox=(format!("0 0 {WIDTH} {height}")) preserveAspectRatio="none" {
                    @for [from, to] in self.spans.iter().flat_map(|span| &span.measured) {
                        rect.measured x=(px(self.x(*from))) y="0" width=(px(self.x(*to) - self.x(*from))) height=(height) {}
                    }
                    @for tick in self.y.ticks() { (across("grid", [0.0, WIDTH], self.y(tick))) }
                    (across("axis", [0.0, WIDTH], height))
                    @for span in self.spans {
                        @let x = px(self.x(span.x[0]));
                        line.stage x1=(x) x2=(x) y1="0" y2=(height) {}
                    }
                    @for bar in &self.bars { (self.bar(bar)) }
                    @for limit in &self.limits {
                        (across("limit", limit.x.map(|x| self.x(x)), self.y(limit.y)))
                    }
                    @for line in &self.lines { path.line.(line.class) d=(self.path(line)) {} }
                    @for Tip { x: [from, to], says } in &self.tips {
                        rect.tip x=(px(self.x(*from))) y="0" width=(px(self.x(*to) - self.x(*from))) height=(height) {
                            title { (says) }
                        }
                    }
                }
                @for tick in self.y.ticks() {
                    text x="0" y=(px(ABOVE + self.y(tick) - 3.0)) { ((self.unit)(tick)) }
                }
                @for limit in &self.limits {
                    @let beside = if limit.is_lower { 13.0 } else { -4.0 };
                    text.limit x=(axis::pct(self.x(limit.x[1]) / WIDTH * 100.0)) y=(px(ABOVE + self.y(limit.y) + beside)) text-anchor="end" { (limit.label) }
                }
                @for (index, span) in self.spans.iter().enumerate() { (self.name(index, span)) }
                @for (x, label) in &self.x_ticks {
                    @let x = self.x(*x);
                    text x=(axis::pct(x / WIDTH * 100.0)) y=(px(total - 4.0)) text-anchor=(axis::anchor(x / WIDTH * 100.0)) { (label) }
                }
            }
        }
    }

    /// A stage's name if it fits, or else its number, for a wide and for a narrow screen.
    fn name(&self, index: usize, span: &Span) -> Markup {
        let [from, to] = span.x.map(|x| self.x(x) / WIDTH * 100.0);
        let number = (index + 1).to_string();
        let fitting = |letter: f64| {
            [span.name.as_str(), &number]
                .into_iter()
                .find(|name| name.chars().count() as f64 * letter <= to - from)
        };
        html! {
            @for (class, name) in [("wide", fitting(WIDE)), ("narrow", fitting(NARROW))] {
                @if let Some(name) = name {
                    text.(class) x=(format!("{from:.2}%")) y="11" { (name) }
                }
            }
        }
    }

    fn bar(&self, bar: &Bar) -> Markup {
        let [from, to] = bar.x.map(|x| self.x(x));
        let stacked = bar.parts.iter().scan(0.0, |sum, (class, value)| {
            let below = self.y(*sum);
            *sum += value;
            Some((class, self.y(*sum), below))
        });
        html! {
            @for (class, above, below) in stacked.filter(|(_, above, below)| above < below) {
                rect.bar.(class) x=(px(from)) y=(px(above)) width=(px((to - from) * 0.85)) height=(px(below - above)) {}
            }
        }
    }

    /// A point without neighbours becomes a line of no length; its round ends make it a dot.
    fn path(&self, line: &Line) -> String {
        let mut path = String::new();
        let mut open = false;
        for (index, point) in line.points.iter().enumerate() {
            let Some([x, y]) = point else {
                open = false;
                continue;
            };
            let (x, y) = (px(self.x(*x)), px(self.y(*y)));
            let verb = if open { 'L' } else { 'M' };
            let alone = !open && !line.points.get(index + 1).is_some_and(Option::is_some);
            let dot = if alone { "h0" } else { "" };
            // Writing to a string cannot fail.
            let _ = write!(path, "{verb}{x} {y}{dot}");
            open = true;
        }
        path
    }

    /// Pixels from the top of the inner picture.
    fn y(&self, y: f64) -> f64 {
        self.y.place(y) * self.height
    }

    fn x(&self, x: f64) -> f64 {
        (x / self.end).clamp(0.0, 1.0) * WIDTH
    }
}

/// Width of a letter in percent of a page on a screen, and on a phone.
const WIDE: f64 = 0.65;
const NARROW: f64 = 1.9;

fn across(class: &str, [from, to]: [f64; 2], y: f64) -> Markup {
    html! { line.(class) x1=(px(from)) x2=(px(to)) y1=(px(y)) y2=(px(y)) {} }
}

/// The legend of `lines`, leaving out lines without a name.
fn legend(lines: &[Line]) -> Markup {
    html! {
        ul.legend {
            @for Line { name, class, .. } in lines.iter().filter(|line| !line.name.is_empty()) {
                li { svg.key.long aria-hidden="true" { path.line.(class) d="M2 7h30" {} } (name) }
            }
        }
    }
}

/// A legend of bars: class and name.
pub(super) fn bar_legend(entries: &[(&str, String)]) -> Markup {
    html! {
        ul.legend {
            @for (class, name) in entries {
                li { svg.key aria-hidden="true" { rect.bar.(class) width="14" height="14" {} } (name) }
            }
        }
    }
}

/// Seconds from 0 to `end` at which an axis of time is labelled: five to ten of them, at round times.
pub(super) fn seconds(end: f64) -> Vec<(f64, String)> {
    const STEPS: [f64; 14] = [
        1.0, 2.0, 5.0, 10.0, 15.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1800.0, 3600.0, 7200.0,
        21_600.0,
    ];
    let step = STEPS.into_iter().find(|step| end / step <= 8.0).unwrap_or(86_400.0);
    let label = |at: f64| match step {
        ..60.0 => format!("{at} s"),
        ..3600.0 => format!("{} min", at / 60.0),
        _ => format!("{} h", at / 3600.0),
    };
    (0..=(end / step) as u32).map(|nth| f64::from(nth) * step).map(|at| (at, label(at))).collect()
}
