//! What all runs say together, as a table or as JSON; pure.

use baselines::Verdict;
use bench_show::text::Text;
use bench_show::units::{count, counted};
use serde_json::{Value, json};

use super::blind;
use super::figures::Outcome;
use super::run::{Row, Run};

/// Columns of the widest line.
const WIDTH: usize = 100;

const COLUMNS: [&str; 5] = ["blocks", "bytes", "reads", "writes", "held bytes"];

const NOT_MEASURED: &str = "not measured";

/// The figures of all runs.
pub(super) struct Report {
    runs: usize,
    message: [Outcome; 5],
    connection: [Outcome; 5],
    held: Outcome,
    notes: Vec<String>,
}

impl Report {
    pub(super) fn of(runs: &[Run]) -> Self {
        let row = |row: fn(&Run) -> &Row| {
            std::array::from_fn(|column| {
                Outcome::of(&runs.iter().map(|run| row(run)[column]).collect::<Vec<_>>())
            })
        };
        let held: Vec<Option<f64>> = runs.iter().map(|run| run.held).collect();
        let mut notes: Vec<String> = Vec::new();
        for note in runs.iter().flat_map(|run| &run.notes) {
            // The numbers in a note differ from run to run.
            let begin = note.split(':').next();
            if !notes.iter().any(|known| known.split(':').next() == begin) {
                notes.push(note.clone());
            }
        }
        Self {
            runs: runs.len(),
            message: row(|run| &run.message),
            connection: row(|run| &run.connection),
            held: Outcome::of(&held),
            notes,
        }
    }

    /// Whether no run has seen a block, which no server can do without.
    pub(super) fn is_empty(&self) -> bool {
        self.connection[0] == Outcome::Exact(0.0)
    }

    /// Pass if all runs agree.
    pub(super) fn verdict(&self) -> Verdict {
        if self.differing().is_empty() { Verdict::Pass } else { Verdict::Nondeterministic }
    }

    pub(super) fn text(&self) -> String {
        let mut text = Text::new(WIDTH);
        let cells = |name: &str, row: &[Outcome; 5]| {
            let [blocks, bytes, reads, writes, left] = row.each_ref().map(cell);
            [name.to_owned(), blocks, bytes, reads, writes, left]
        };
        let mut idle = ["idle connection", "", "", "", "", ""].map(str::to_owned);
        idle[5] = cell(&self.held);
        let rows =
            vec![cells("message", &self.message), cells("connection", &self.connection), idle];
        let [blocks, bytes, reads, writes, held] = COLUMNS;
        text.table(["", blocks, bytes, reads, writes, held], rows, &[]);
        let differing = self.differing();
        let runs = counted(self.runs as u64, "run");
        if differing.is_empty() {
            text.wrapped("", &format!("{runs} of fresh processes agree"));
        } else {
            let is_collected = self.notes.iter().any(|note| note.contains(blind::COLLECTED));
            let cure = if is_collected {
                "A garbage collector works at times of its own, so the ranges are what can be told"
            } else {
                "Take more (--messages 4000 --connections 400), one thread that serves, and a server without \
                 ticks and random seeds"
            };
            let differing = differing.join(", ");
            let words =
                format!("differs: {differing} in {runs}, so these numbers are not exact. {cure}");
            text.wrapped("", &words);
        }
        for note in self.all_notes() {
            text.wrapped("", &format!("note: {note}"));
        }
        text.into_string()
    }

    pub(super) fn json(&self) -> String {
        let row = |row: &[Outcome; 5]| -> Value {
            COLUMNS
                .iter()
                .zip(row)
                .map(|(name, figure)| (name.replace(' ', "_"), value(figure)))
                .collect()
        };
        let report = json!({
            "schema": 1,
            "verdict": if self.differing().is_empty() { "pass" } else { "differs" },
            "runs": self.runs,
            "message": row(&self.message),
            "connection": row(&self.connection),
            "idle_connection": { "held_bytes": value(&self.held) },
            "notes": self.all_notes(),
        });
        format!("{report:#}\n")
    }

    /// The quantities that the runs do not agree on.
    fn differing(&self) -> Vec<String> {
        let mut names = Vec::new();
        for (of, row) in [("message", &self.message), ("connection", &self.connection)] {
            let differ = COLUMNS.iter().zip(row).filter(|(_, figure)| differs(figure));
            names.extend(differ.map(|(name, _)| format!("{name} of a {of}")));
        }
        if differs(&self.held) {
            names.push("held bytes of an idle connection".to_owned());
        }
        names
    }

    fn all_notes(&self) -> Vec<String> {
        let mut notes = self.notes.clone();
        let transfers = self.message[2..4].iter().chain(&self.connection[2..4]);
        if transfers.into_iter().any(|figure| *figure == Outcome::NotMeasured) {
            let words = "reads and writes that do not go through the C library (io_uring, system calls of the \
                         program's own) are not measured";
            notes.push(words.to_owned());
        }
        if self.held == Outcome::NotMeasured {
            notes.push(
                "held bytes are not measured: the program has started more than 65,534 processes"
                    .to_owned(),
            );
        }
        notes
    }
}

fn differs(figure: &Outcome) -> bool {
    matches!(figure, Outcome::Differs(..))
}

fn cell(figure: &Outcome) -> String {
    match figure {
        Outcome::Exact(exact) => count(*exact),
        Outcome::Differs(least, most) => format!("{} to {}", count(*least), count(*most)),
        Outcome::NotMeasured => NOT_MEASURED.to_owned(),
    }
}

fn value(figure: &Outcome) -> Value {
    match figure {
        Outcome::Exact(exact) => number(*exact),
        Outcome::Differs(least, most) => json!({ "least": number(*least), "most": number(*most) }),
        Outcome::NotMeasured => json!(NOT_MEASURED),
    }
}

/// A whole number without a point.
fn number(value: f64) -> Value {
    if value.fract() == 0.0 { json!(value as i64) } else { json!(value) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn runs(blocks: [f64; 2], reads: Option<f64>) -> Report {
        let run = |blocks| Run {
            message: [Some(0.0), Some(0.0), reads, Some(1.0), Some(0.0)],
            connection: [Some(blocks), Some(28_834.0), Some(2.0), Some(2.0), Some(0.0)],
            held: Some(10_240.0),
            notes: vec!["it ticks: 3 blocks".to_owned()],
        };
        Report::of(&blocks.map(run))
    }

    #[test]
    fn runs_that_agree_are_a_table_of_numbers() {
        let report = runs([26.0, 26.0], Some(1.0));
        insta::assert_snapshot!(report.text());
        assert_eq!(report.verdict(), Verdict::Pass);
    }

    #[test]
    fn runs_that_differ_show_their_range_and_what_to_do() {
        let report = runs([26.0, 26.5], Some(1.0));
        insta::assert_snapshot!(report.text());
        assert_eq!(report.verdict(), Verdict::Nondeterministic);
        assert!(report.json().contains("\"verdict\": \"differs\""));
    }

    #[test]
    fn a_collector_is_why_runs_differ() {
        let mut report = runs([26.0, 26.5], Some(1.0));
        report.notes.push(format!("{} V8 is not counted", blind::COLLECTED));
        assert!(report.text().contains("A garbage collector"));
        assert!(!report.text().contains("--messages"));
    }

    #[test]
    fn reads_that_nothing_saw_are_not_measured_and_never_0() {
        let report = runs([26.0, 26.0], None);
        insta::assert_snapshot!(report.json());
        assert!(report.text().contains("not measured"));
    }

    #[test]
    fn a_program_without_a_block_is_not_believed() {
        assert!(runs([0.0, 0.0], Some(1.0)).is_empty());
        assert!(!runs([0.0, 1.0], Some(1.0)).is_empty());
    }
}
