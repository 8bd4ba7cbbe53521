//! Two reports beside each other. Nothing is judged: one run each is no sample.

mod side;

use bench_show::text::Text;
use bench_show::units::{percent, significant};
use serde_json::{Value, json};

use super::format;
use crate::merge::differing;
use load_plan::model::Run;
use load_plan::units;
pub use side::Side;
use side::Told;

/// In place of a difference between things that are no numbers, or not known.
const NONE: &str = format::NONE;

/// Factor from which a rise is shown as one.
const MANY: f64 = 10.0;

/// Keys of a profile that are not part of the load: how it is called, judged and shown.
const NO_LOAD: [&str; 4] = ["name", "description", "thresholds", "percentiles"];

/// The keys by which the loads differ, of the profiles and of the generators, with both values; none for runs that can be
/// compared. The address of the target may differ, and the limits.
#[must_use]
pub fn differences(one: &Side, other: &Side) -> Vec<String> {
    let [mine, theirs] = [one, other].map(|side| {
        let mut load = side.report["profile"].clone();
        leave_out(&mut load, &NO_LOAD);
        leave_out(&mut load["target"], &["url"]);
        for stage in load["stage"].as_array_mut().into_iter().flatten() {
            leave_out(stage, &["thresholds"]);
        }
        load
    });
    let [one, other] = [one, other].map(|side| generators(&side.run));
    [differing("profile", &mine, &theirs), differing("run", &one, &other)].concat()
}

/// Which part of the load a run is, and how many generators shared it: a shard has a part of the connections, and a sum
/// is of machines that were not equally busy.
fn generators(run: &Run) -> Value {
    let Run { shard, shards, parts, .. } = run;
    json!({ "shard": { "of": shard.of }, "shards": shards, "parts": parts.len() })
}

fn leave_out(of: &mut Value, keys: &[&str]) {
    if let Some(object) = of.as_object_mut() {
        object.retain(|key, _| !keys.contains(&key.as_str()));
    }
}

/// The figures that people look for, of both reports, and by how much the second one's differ, in lines of at most `width`
/// columns.
#[must_use]
pub fn render(one: &Side, other: &Side, width: usize) -> String {
    let mut text = Text::new(width);
    let sides = [("A", one), ("B", other)];
    for (letter, side) in sides {
        let (target, started) = (side.run.target(), format::started(&side.run));
        text.wrapped("", &format!("{letter}: {}, against {target}, {started}", side.name));
    }
    text.line("");
    let verdicts = sides.map(|(_, side)| side.verdict());
    let alike = if verdicts[0] == verdicts[1] { "same" } else { "differs" };
    let [mine, theirs] = verdicts;
    let mut rows = vec![["verdict".to_owned(), mine, theirs, alike.to_owned()]];
    let mut is_rough = false;
    for heading in format::percentiles(&one.run, &["p50", "p90", "p99", "p99.9"]) {
        let told = sides.map(|(_, side)| side.percentile(&heading));
        is_rough |= told.iter().any(|(_, shown)| shown.starts_with(format::ROUGH));
        rows.push(row(&heading, told, change));
    }
    rows.push(row("max", sides.map(|(_, side)| side.time("max")), change));
    rows.push(row("mean", sides.map(|(_, side)| side.time("mean")), change));
    rows.push(row("received", sides.map(|(_, side)| side.rate()), change));
    rows.push(row("errors", sides.map(|(_, side)| side.errors()), more));
    text.table(["", "A", "B", "B to A"], rows, &[]);
    if is_rough {
        text.wrapped("", "~: fewer than ten samples are above, so it is mostly chance");
    }
    if let Some(judged) = one.figures.judged.first() {
        text.wrapped("", &format!("times: {}, the {}", judged.name(), format::timing(*judged)));
    }
    text.line("");
    for (letter, side) in sides.iter().filter(|(_, side)| side.is_doubtful()) {
        let verdict = side.verdict();
        text.wrapped(
            "",
            &format!("{letter} is {verdict}: its figures say little about its target"),
        );
    }
    if one.run.workers != other.run.workers {
        let [mine, theirs] = [one, other].map(|side| side.run.workers);
        text.wrapped(
            "",
            &format!("the generators had {mine} and {theirs} workers; give both --workers"),
        );
    }
    text.wrapped("", "this is no verdict: with one run each, two runs of one program differ as well. ws-compare, or \
                     scripts/compare.sh for two revisions, takes turns with a control and judges the difference");
    text.into_string()
}

fn row(name: &str, [mine, theirs]: [Told; 2], differ: fn(f64, f64) -> String) -> [String; 4] {
    let difference = mine.0.zip(theirs.0).map(|(mine, theirs)| differ(mine, theirs));
    [name.to_owned(), mine.1, theirs.1, difference.unwrap_or_else(|| NONE.to_owned())]
}

/// `+1.7 %`, `-23 %`, `12.0×`.
fn change(mine: f64, theirs: f64) -> String {
    match theirs / mine {
        _ if mine == theirs => "same".to_owned(),
        times if !times.is_finite() => NONE.to_owned(),
        times if times >= MANY => format!("{}×", significant(times)),
        times => {
            // To a tenth of a percent.
            let share = ((times - 1.0) * 1000.0).round() / 1000.0;
            format!("{}{}", if share > 0.0 { "+" } else { "" }, percent(share))
        }
    }
}

/// `+3`: a difference of counts, which may be 0.
fn more(mine: f64, theirs: f64) -> String {
    match theirs - mine {
        0.0 => "same".to_owned(),
        more if more > 0.0 => format!("+{}", units::count(more)),
        less => units::count(less),
    }
}
