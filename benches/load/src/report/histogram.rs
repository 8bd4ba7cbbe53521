//! A distribution of times as bars of text: rows in steps of a logarithmic scale. Pure.

use bench_show::colour::Tone;
use bench_show::units;
use load_plan::metrics::Distribution;

/// The ends of rows within a decade, the finest first.
const STEPS: [&[f64]; 5] = [
    &[1.0, 1.2, 1.5, 1.8, 2.2, 2.7, 3.3, 3.9, 4.7, 5.6, 6.8, 8.2],
    &[1.0, 1.5, 2.0, 3.0, 5.0, 7.0],
    &[1.0, 2.0, 5.0],
    &[1.0, 3.0],
    &[1.0],
];

/// Rows at most, but for that of times that never ended.
const MOST: usize = 10;

/// Columns of the longest bar at most: in a wide terminal a longer one would be far from its number.
const WIDEST: usize = 60;

/// With fewer values, a list of them would say more.
const FEWEST: u64 = 10;

const MARKS: [(&str, f64); 3] = [("p50", 0.5), ("p90", 0.9), ("p99", 0.99)];

/// One line for each row, from the shortest times to the longest: `  ≤ 500 µs  ███▌  311  77.6 %  p50`, in `width` columns.
/// Empty for few values.
pub(super) fn lines(of: &Distribution, width: usize) -> Vec<String> {
    let within = |ns: u64| ns.clamp(of.min_ns, of.max_ns) as f64;
    let bounds = of.buckets.first().zip(of.buckets.last());
    let Some(((least, _), (greatest, _))) = bounds.filter(|_| of.count >= FEWEST) else {
        return Vec::new();
    };
    let ends = ends(within(*least), within(*greatest));
    let row_of = |ns: u64| ends.iter().position(|end| within(ns) <= *end).unwrap_or(ends.len() - 1);
    let mut rows: Vec<Row> =
        ends.iter().map(|end| Row::new(format!("≤ {}", label(*end)))).collect();
    for (ns, count) in &of.buckets {
        rows[row_of(*ns)].count += count;
    }
    if of.lost > 0 {
        rows.push(Row { count: of.lost, ..Row::new("lost".to_owned()) });
    }
    for (name, quantile) in MARKS {
        let at = of.quantile_ns(quantile).map_or(rows.len() - 1, row_of);
        rows[at].marks.push(name);
    }
    draw(&rows, of, width)
}

struct Row {
    label: String,
    count: u64,
    marks: Vec<&'static str>,
}

impl Row {
    fn new(label: String) -> Self {
        Self { label, count: 0, marks: Vec::new() }
    }
}

fn draw(rows: &[Row], of: &Distribution, width: usize) -> Vec<String> {
    let cells = |row: &Row| {
        let share = share(row.count, of.count);
        [row.label.clone(), units::count(row.count as f64), share, row.marks.join(" ")]
    };
    let cells: Vec<[String; 4]> = rows.iter().map(cells).collect();
    let widest = |column: usize| cells.iter().map(|row| row[column].chars().count()).max();
    let [label, count, share, marks] = [0, 1, 2, 3].map(|column| widest(column).unwrap_or(0));
    // Two columns before the label, and two before each of the four others.
    let longest = width.saturating_sub(label + count + share + marks + 10).clamp(1, WIDEST);
    let most = rows.iter().map(|row| row.count).max().unwrap_or(0).max(1);
    let line = |(row, cells): (&Row, &[String; 4])| {
        let [name, number, percent, at] = cells;
        let bar = bar(row.count as f64 / most as f64 * longest as f64);
        let pad = " ".repeat(longest - bar.chars().count());
        let line =
            format!("  {name:>label$}  {bar}{pad}  {number:>count$}  {percent:>share$}  {at}");
        if name == "lost" { Tone::Bad.paint(line.trim_end()) } else { line.trim_end().to_owned() }
    };
    rows.iter().zip(&cells).map(line).collect()
}

/// A bar of `length` columns, to an eighth of a column. Any length above 0 can be seen.
fn bar(length: f64) -> String {
    const EIGHTHS: [&str; 8] = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];
    let eighths = (length * 8.0).round() as usize;
    let eighths = if length > 0.0 { eighths.max(1) } else { 0 };
    "█".repeat(eighths / 8) + EIGHTHS[eighths % 8]
}

/// The ends of the rows that hold `least` to `greatest`, in the finest steps that are not too many.
fn ends(least: f64, greatest: f64) -> Vec<f64> {
    let ends = |steps: &[f64]| {
        let from = least.max(1.0).log10().floor() as i32;
        let all =
            (from..).flat_map(|decade| steps.iter().map(move |step| step * 10f64.powi(decade)));
        let mut ends: Vec<f64> = Vec::new();
        for end in all.skip_while(|end| *end < least) {
            ends.push(end);
            if end >= greatest || ends.len() > MOST {
                break;
            }
        }
        ends
    };
    let all = STEPS.map(ends);
    let few = all.iter().find(|ends| ends.len() <= MOST);
    few.unwrap_or(&all[STEPS.len() - 1]).clone()
}

/// `64.6 %`, `<0.1 %`: the eye compares them, so that they need no more digits.
fn share(count: u64, of: u64) -> String {
    match count as f64 / of as f64 * 100.0 {
        0.0 => String::new(),
        ..0.1 => "<0.1 %".to_owned(),
        percent => format!("{percent:.1} %"),
    }
}

/// `1.5 ms`, `200 µs`: the end of a row, without needless digits.
fn label(ns: f64) -> String {
    let (value, unit) = match ns {
        ..999.5 => (ns, "ns"),
        ..999.5e3 => (ns / 1e3, "µs"),
        ..999.5e6 => (ns / 1e6, "ms"),
        _ => (ns / 1e9, "s"),
    };
    format!("{} {unit}", (value * 10.0).round() / 10.0)
}

#[cfg(test)]
mod tests {
    use bench_show::colour::plain;
    use load_plan::metrics::{Recorder, Timing};
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    fn distribution(values: impl IntoIterator<Item = u64>, lost: u64) -> Distribution {
        let mut recorder = Recorder::default();
        values.into_iter().for_each(|ns| recorder.record(Timing::RttIntended, ns));
        (0..lost).for_each(|_| recorder.record_lost(Timing::RttIntended, 1));
        recorder.cut().timing(Timing::RttIntended).clone()
    }

    #[track_caller]
    fn check(of: &Distribution, width: usize, expected: &[&str]) {
        let lines: Vec<String> = lines(of, width).iter().map(|line| plain(line)).collect();
        assert_eq!(lines, expected);
    }

    #[test]
    fn a_wide_distribution_has_few_rows_with_its_percentiles_beside_them() {
        let values =
            [(100, 150_000), (60, 400_000), (30, 800_000), (9, 4_000_000), (1, 90_000_000)];
        let values = values.into_iter().flat_map(|(times, ns)| std::iter::repeat_n(ns, times));
        let expected = [
            "  ≤ 200 µs  ██████████  100  50.0 %  p50",
            "  ≤ 500 µs  ██████       60  30.0 %",
            "    ≤ 1 ms  ███          30  15.0 %  p90",
            "    ≤ 2 ms                0",
            "    ≤ 5 ms  ▉             9   4.5 %  p99",
            "   ≤ 10 ms                0",
            "   ≤ 20 ms                0",
            "   ≤ 50 ms                0",
            "  ≤ 100 ms  ▏             1   0.5 %",
        ];
        check(&distribution(values, 0), 40, &expected);
    }

    #[test]
    fn times_that_are_close_together_are_told_apart() {
        let values = (0..20).map(|n| 200_000 + n * 10_000);
        let expected = [
            "  ≤ 220 µs  ██▎       2  10.0 %",
            "  ≤ 270 µs  █████▊    5  25.0 %",
            "  ≤ 330 µs  ██████▉   6  30.0 %  p50",
            "  ≤ 390 µs  ████████  7  35.0 %  p90 p99",
        ];
        check(&distribution(values, 0), 40, &expected);
    }

    #[test]
    fn what_never_ended_has_a_row_of_its_own_and_is_red() {
        let of = distribution(std::iter::repeat_n(1_500_000, 15), 5);
        let expected =
            ["  ≤ 1.5 ms  ███████  15  75.0 %  p50", "      lost  ██▍       5  25.0 %  p90 p99"];
        check(&of, 40, &expected);
        assert!(lines(&of, 40)[1].starts_with("\x1b[31m"));
    }

    #[test]
    fn few_values_are_not_drawn() {
        check(&distribution([1, 2, 3], 0), 80, &[]);
        check(&distribution([], 20), 80, &[]);
    }

    proptest! {
        #[test]
        fn every_value_is_in_one_row_and_every_row_fits(
            values in vec((0.0..11.08_f64).prop_map(|digits| 10f64.powf(digits) as u64), 10..80),
            lost in 0..3_u64,
            width in 40..160_usize,
        ) {
            let of = distribution(values, lost);
            let lines = lines(&of, width);
            prop_assert!(lines.len() <= MOST + usize::from(lost > 0), "{lines:#?}");
            let counts = lines.iter().map(|line| {
                let line = plain(line);
                assert!(line.chars().count() <= width, "{line}");
                let label = if line.contains("lost") { 1 } else { 3 };
                let mut cells = line.split_whitespace().skip(label);
                cells.find_map(|cell| cell.parse::<u64>().ok()).expect("a count")
            });
            prop_assert_eq!(counts.sum::<u64>(), of.count);
        }
    }
}
