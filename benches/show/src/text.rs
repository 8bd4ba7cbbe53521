//! Lines that fit a terminal.

use crate::colour::Tone;
use comfy_table::{CellAlignment, Table, presets};

/// Lines without white space at their ends.
pub struct Text {
    lines: String,
    width: usize,
}

impl Text {
    /// No lines; later ones have at most `width` columns.
    pub fn new(width: usize) -> Self {
        Self { lines: String::new(), width }
    }

    /// The lines, each with its line break.
    pub fn into_string(self) -> String {
        self.lines
    }

    /// Adds `line`, whatever its length.
    pub fn line(&mut self, line: &str) {
        self.lines.push_str(line.trim_end());
        self.lines.push('\n');
    }

    /// Adds an empty line, and a heading.
    pub fn heading(&mut self, words: &str) {
        self.line("");
        self.wrapped("", words);
    }

    /// Adds `verdict` with the mark and the colour of `tone`, and `words` right behind it.
    pub fn verdict(&mut self, tone: Tone, verdict: &str, words: &str) {
        let start = self.lines.len();
        let marked = format!("{} {verdict}", tone.mark());
        self.wrapped("", &format!("{marked}{words}"));
        let added = self.lines.split_off(start);
        self.lines.push_str(&added.replacen(&marked, &tone.paint_bold(&marked), 1));
    }

    /// Adds `words`, broken at spaces and line breaks, but not between a number and its unit. A word is broken if it alone
    /// is wider than a line. The first line begins with `indent`, the others with `indent` and two spaces.
    pub fn wrapped(&mut self, indent: &str, words: &str) {
        let further = format!("{indent}  ");
        let mut line = indent.to_owned();
        let mut width = indent.chars().count();
        let mut empty = width;
        for word in unbroken(words) {
            let letters = word.chars().count();
            if width > empty && width + 1 + letters > self.width {
                self.line(&std::mem::replace(&mut line, further.clone()));
                empty = further.chars().count();
                width = empty;
            } else if width > empty {
                line.push(' ');
                width += 1;
            }
            for letter in word.chars() {
                if letter == '\n' || width >= self.width && width > empty {
                    self.line(&std::mem::replace(&mut line, further.clone()));
                    empty = further.chars().count();
                    width = empty;
                }
                if letter != '\n' {
                    line.push(letter);
                    width += 1;
                }
            }
        }
        self.line(&line);
    }

    /// Adds a table, with two spaces between columns, or one if two are too wide. The first column and those in `left` are
    /// aligned to the left.
    pub fn table<'a, R: AsRef<[String]> + AsMut<[String]>>(
        &mut self,
        header: impl AsRef<[&'a str]>,
        rows: Vec<R>,
        left: &[usize],
    ) {
        self.table_with_outcomes(header, rows, left, &[]);
    }

    /// Adds a table as [`Text::table`] does. The last cell of each row has the mark and the colour of a tone.
    pub fn table_with_outcomes<'a, R: AsRef<[String]> + AsMut<[String]>>(
        &mut self,
        header: impl AsRef<[&'a str]>,
        mut rows: Vec<R>,
        left: &[usize],
        tones: &[Tone],
    ) {
        if rows.is_empty() {
            return;
        }
        for (row, tone) in rows.iter_mut().zip(tones) {
            if let Some(outcome) = row.as_mut().last_mut() {
                *outcome = format!("{} {outcome}", tone.mark());
            }
        }
        let mut table = Table::new();
        table.load_style(presets::NOTHING).set_header(header.as_ref());
        table.add_rows(rows.iter().map(AsRef::as_ref));
        self.set(&mut table, |index| index > 0 && !left.contains(&index));
        for (at, line) in table.lines().enumerate() {
            let outcome = at.checked_sub(1).and_then(|at| tones.get(at).zip(rows.get(at)));
            let painted = outcome.and_then(|(tone, row)| {
                let outcome = row.as_ref().last()?;
                Some(format!("{}{}", line.trim_end().strip_suffix(outcome)?, tone.paint(outcome)))
            });
            self.line(&painted.unwrap_or(line));
        }
    }

    /// Aligns the columns of `table`; those that `is_number` selects to the right.
    pub fn set(&self, table: &mut Table, is_number: impl Fn(usize) -> bool) {
        for (index, column) in table.column_iter_mut().enumerate() {
            column.set_padding((0, 2));
            if is_number(index) {
                column.set_cell_alignment(CellAlignment::Right);
            }
        }
        let wide = |line: String| line.trim_end().chars().count() > self.width;
        if table.lines().any(wide) {
            table.column_iter_mut().for_each(|column| _ = column.set_padding((0, 1)));
        }
    }
}

const UNITS: [&str; 11] = ["ns", "µs", "ms", "s", "min", "%", "B", "KiB", "MiB", "GiB", "Mbps"];

/// The words of a text; a number and its unit are one word.
fn unbroken(words: &str) -> Vec<String> {
    let mut unbroken: Vec<String> = Vec::new();
    for word in words.split(' ') {
        let is_unit = UNITS.contains(&word.trim_end_matches([',', ';', ':', '.', ')']));
        match unbroken.last_mut() {
            Some(last) if is_unit && last.ends_with(|c: char| c.is_ascii_digit()) => {
                last.push(' ');
                last.push_str(word);
            }
            _ => unbroken.push(word.to_owned()),
        }
    }
    unbroken
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(width: usize, words: &str, expected: &str) {
        let mut text = Text::new(width);
        text.wrapped("", words);
        assert_eq!(text.into_string(), expected);
    }

    #[test]
    fn lines_break_between_words_and_later_ones_are_indented() {
        check(9, "one two three", "one two\n  three\n");
    }

    #[test]
    fn a_number_stays_with_its_unit() {
        check(9, "it was 12 ms, once", "it was\n  12 ms,\n  once\n");
        check(9, "it was 12 msec", "it was 12\n  msec\n");
    }

    #[test]
    fn double_spaces_and_line_breaks_are_kept() {
        check(20, "one  two\nthree", "one  two\n  three\n");
    }

    #[test]
    fn an_outcome_has_a_mark_and_a_colour_that_take_no_column() {
        let mut text = Text::new(20);
        let rows = [["p99", "met"], ["errors", "violated"]].map(|row| row.map(str::to_owned));
        let tones = [Tone::Good, Tone::Bad];
        text.table_with_outcomes(["limit", ""], rows.to_vec(), &[1], &tones);
        let expected = "limit\np99     \x1b[32m✓ met\x1b[0m\nerrors  \x1b[31m✗ violated\x1b[0m\n";
        assert_eq!(text.into_string(), expected);
    }

    #[test]
    fn a_verdict_is_bold_and_the_words_behind_it_are_not() {
        let mut text = Text::new(12);
        text.verdict(Tone::Doubtful, "INVALID", ": the machine");
        assert_eq!(text.into_string(), "\x1b[1m\x1b[33m? INVALID\x1b[0m:\n  the\n  machine\n");
    }

    #[test]
    fn a_word_wider_than_a_line_is_broken() {
        check(6, "a ws://host/", "a\n  ws:/\n  /hos\n  t/\n");
    }
}
