//! The drawing of `CALIBRATION.md`: how often a slowed program is seen, by slowdown.

use super::figures::{Power, powers};
use super::record::Record;

/// Size of the drawing and of its margins, in pixels.
const WIDTH: f64 = 760.0;
const HEIGHT: f64 = 420.0;
const LEFT: f64 = 56.0;
const RIGHT: f64 = 230.0;
const TOP: f64 = 24.0;
const BOTTOM: f64 = 48.0;

/// Colours that most eyes can distinguish (Okabe & Ito 2008), and dashes for the other eyes.
const STROKES: [(&str, &str); 7] = [
    ("#0072b2", ""),
    ("#d55e00", "6 3"),
    ("#009e73", "2 3"),
    ("#cc79a7", "8 3 2 3"),
    ("#56b4e9", "4 4"),
    ("#a07800", "1 4"),
    ("#000000", "10 4"),
];

/// A line for each traffic, with the bounds of each point.
pub(super) fn svg(records: &[Record], threshold: f64) -> String {
    let all = powers(records);
    let largest = all.iter().map(|power| power.slower).fold(threshold, f64::max);
    let scale = Scale { largest };
    let mut text = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" font-family=\"sans-serif\" \
         font-size=\"12\">\n<title>Share of comparisons in which a slowed server was seen, by slowdown</title>\n\
         <rect width=\"{WIDTH}\" height=\"{HEIGHT}\" fill=\"#ffffff\"/>\n"
    );
    axes(&mut text, &scale, &all, threshold);
    for (nth, powers) in by_traffic(&all).into_iter().enumerate() {
        traffic(&mut text, &scale, nth, &powers);
    }
    text.push_str("</svg>\n");
    text
}

struct Scale {
    /// The slowdown at the right edge, as a share.
    largest: f64,
}

impl Scale {
    fn x(&self, share: f64) -> f64 {
        LEFT + (WIDTH - LEFT - RIGHT) * share / self.largest
    }

    fn y(&self, rate: f64) -> f64 {
        HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * rate
    }
}

fn axes(text: &mut String, scale: &Scale, powers: &[Power], threshold: f64) {
    for percent in (0..=100).step_by(20) {
        let y = scale.y(f64::from(percent) / 100.0);
        line(text, [LEFT, y, WIDTH - RIGHT, y], "#dddddd", "");
        label(text, [LEFT - 6.0, y + 4.0], "end", &format!("{percent} %"));
    }
    let mut shares: Vec<f64> = powers.iter().map(|power| power.slower).collect();
    shares.push(0.0);
    shares.sort_by(f64::total_cmp);
    shares.dedup();
    let bottom = HEIGHT - BOTTOM;
    for share in shares {
        let x = scale.x(share);
        line(text, [x, bottom, x, bottom + 4.0], "#333333", "");
        label(text, [x, bottom + 18.0], "middle", &format!("{:.0} %", share * 100.0));
    }
    let x = scale.x(threshold);
    line(text, [x, TOP, x, bottom], "#888888", "3 3");
    label(text, [x, TOP - 8.0], "middle", "threshold");
    let middle = LEFT + (WIDTH - LEFT - RIGHT) / 2.0;
    label(text, [middle, HEIGHT - 8.0], "middle", "injected slowdown of an operation");
}

/// The line of one traffic, the bounds of its points, and its entry in the legend.
fn traffic(text: &mut String, scale: &Scale, nth: usize, powers: &[&Power]) {
    let (colour, dashes) = STROKES[nth % STROKES.len()];
    let points: Vec<String> = powers
        .iter()
        .map(|power| {
            format!("{:.1},{:.1}", scale.x(power.slower), scale.y(power.of_traffic.rate()))
        })
        .collect();
    let points = points.join(" ");
    *text += &format!(
        "<polyline points=\"{points}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"2\" stroke-dasharray=\"{dashes}\"/>\n"
    );
    for power in powers {
        // Moved apart, or the bounds of one line would hide those of another.
        let x = scale.x(power.slower) + nth as f64 * 2.0 - 4.0;
        let [low, high] = power.of_traffic.interval();
        line(text, [x, scale.y(low), x, scale.y(high)], colour, "");
    }
    let y = TOP + 16.0 + nth as f64 * 22.0;
    let x = WIDTH - RIGHT + 12.0;
    line(text, [x, y, x + 28.0, y], colour, dashes);
    label(text, [x + 34.0, y + 4.0], "start", &powers[0].id);
}

/// The first row of each traffic, at all slowdowns: the drawing shows what the traffic as a whole sees.
fn by_traffic(powers: &[Power]) -> Vec<Vec<&Power>> {
    let mut lines: Vec<Vec<&Power>> = Vec::new();
    for power in powers {
        match lines.iter_mut().find(|line| line[0].traffic == power.traffic) {
            Some(line) if line[0].id == power.id => line.push(power),
            Some(_) => {}
            None => lines.push(vec![power]),
        }
    }
    lines
}

fn line(text: &mut String, [x1, y1, x2, y2]: [f64; 4], colour: &str, dashes: &str) {
    *text += &format!(
        "<line x1=\"{x1:.1}\" y1=\"{y1:.1}\" x2=\"{x2:.1}\" y2=\"{y2:.1}\" stroke=\"{colour}\" stroke-dasharray=\"{dashes}\"/>\n"
    );
}

fn label(text: &mut String, [x, y]: [f64; 2], anchor: &str, words: &str) {
    *text += &format!(
        "<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\" fill=\"#333333\">{words}</text>\n"
    );
}
