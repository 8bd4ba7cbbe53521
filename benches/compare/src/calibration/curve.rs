use std::fmt::Write as _;

use super::{Power, Record, powers};

/// Size of the drawing and of its margins, in pixels.
const WIDTH: f64 = 760.0;
const HEIGHT: f64 = 420.0;
const LEFT: f64 = 56.0;
const RIGHT: f64 = 230.0;
const TOP: f64 = 24.0;
const BOTTOM: f64 = 48.0;

/// Colours that remain apart for most eyes (Okabe & Ito 2008), and dashes for the others.
const STROKES: [(&str, &str); 7] = [
    ("#0072b2", ""),
    ("#d55e00", "6 3"),
    ("#009e73", "2 3"),
    ("#cc79a7", "8 3 2 3"),
    ("#56b4e9", "4 4"),
    ("#a07800", "1 4"),
    ("#000000", "10 4"),
];

/// How often a slowed program is seen, over the slowdown: a line for each traffic, with the bounds of each point.
#[must_use]
pub fn svg(records: &[Record], threshold: f64) -> String {
    let all = powers(records);
    let largest = all.iter().map(|power| power.slower).fold(threshold, f64::max);
    let x = |share: f64| LEFT + (WIDTH - LEFT - RIGHT) * share / largest;
    let y = |rate: f64| HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * rate;
    let mut text = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" font-family=\"sans-serif\" \
         font-size=\"12\">\n<title>Share of comparisons in which a slowed server was seen, by slowdown</title>\n\
         <rect width=\"{WIDTH}\" height=\"{HEIGHT}\" fill=\"#ffffff\"/>\n"
    );
    for tenth in (0..=10).step_by(2) {
        let rate = f64::from(tenth) / 10.0;
        line(&mut text, [LEFT, y(rate), WIDTH - RIGHT, y(rate)], "#dddddd", "");
        label(&mut text, LEFT - 6.0, y(rate) + 4.0, "end", &format!("{} %", tenth * 10));
    }
    let mut shares: Vec<f64> = all.iter().map(|power| power.slower).collect();
    shares.push(0.0);
    shares.sort_by(f64::total_cmp);
    shares.dedup();
    for share in shares {
        let at = x(share);
        line(&mut text, [at, HEIGHT - BOTTOM, at, HEIGHT - BOTTOM + 4.0], "#333333", "");
        label(&mut text, at, HEIGHT - BOTTOM + 18.0, "middle", &format!("{:.0} %", share * 100.0));
    }
    line(&mut text, [x(threshold), TOP, x(threshold), HEIGHT - BOTTOM], "#888888", "3 3");
    label(&mut text, x(threshold), TOP - 8.0, "middle", "threshold");
    let middle = LEFT + (WIDTH - LEFT - RIGHT) / 2.0;
    label(&mut text, middle, HEIGHT - 8.0, "middle", "injected slowdown of an operation");
    for (at, powers) in by_traffic(&all).into_iter().enumerate() {
        let (colour, dashes) = STROKES[at % STROKES.len()];
        let points: Vec<String> = powers
            .iter()
            .map(|power| format!("{:.1},{:.1}", x(power.slower), y(power.workload.rate())))
            .collect();
        writeln!(
            text,
            "<polyline points=\"{}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"2\" stroke-dasharray=\"{dashes}\"/>",
            points.join(" ")
        )
        .expect("a string takes everything");
        for power in &powers {
            // Beside each other, or the bounds of two lines hide each other.
            let at = x(power.slower) + at as f64 * 2.0 - 4.0;
            let [low, high] = power.workload.interval();
            line(&mut text, [at, y(low), at, y(high)], colour, "");
        }
        let height = TOP + 16.0 + at as f64 * 22.0;
        line(
            &mut text,
            [WIDTH - RIGHT + 12.0, height, WIDTH - RIGHT + 40.0, height],
            colour,
            dashes,
        );
        label(&mut text, WIDTH - RIGHT + 46.0, height + 4.0, "start", &powers[0].id);
    }
    text.push_str("</svg>\n");
    text
}

/// The first row of each traffic, at all slowdowns: what is drawn is seen by the traffic as a whole.
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
    writeln!(
        text,
        "<line x1=\"{x1:.1}\" y1=\"{y1:.1}\" x2=\"{x2:.1}\" y2=\"{y2:.1}\" stroke=\"{colour}\" stroke-dasharray=\"{dashes}\"/>"
    )
    .expect("a string takes everything");
}

fn label(text: &mut String, x: f64, y: f64, anchor: &str, words: &str) {
    writeln!(
        text,
        "<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\" fill=\"#333333\">{words}</text>"
    )
    .expect("a string takes everything");
}
