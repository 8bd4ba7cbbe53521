//! The table in colours: verdicts, and the lines that are to blame. Pure; printing leaves the colours out where there is no
//! terminal.

use anstyle::{AnsiColor, Style};
use baselines::Verdict;

pub(crate) fn colour(table: &str) -> String {
    table.split_inclusive('\n').map(colour_line).collect()
}

fn colour_line(line: &str) -> String {
    let text = line.trim_end();
    let is_last = |verdict: &&Verdict| {
        let before = text.strip_suffix(verdict.as_str());
        before.is_some_and(|before| before.is_empty() || before.ends_with(' '))
    };
    // `stale` is no end of another verdict, but `comparable` is one of `not comparable`.
    let verdict = Verdict::ALL.iter().filter(is_last).max_by_key(|verdict| verdict.as_str().len());
    if let Some(verdict) = verdict {
        return styled(line, text.len() - verdict.as_str().len(), style_of(*verdict));
    }
    match text.rfind(' ') {
        Some(space) if is_place(&text[space + 1..]) => styled(line, space + 1, Style::new().bold()),
        _ => line.to_owned(),
    }
}

/// `server/src/echo.rs:95`.
fn is_place(word: &str) -> bool {
    let parts = word.rsplit_once(':');
    parts.is_some_and(|(file, line)| file.ends_with(".rs") && line.parse::<u32>().is_ok())
}

fn style_of(verdict: Verdict) -> Style {
    let colour = match verdict {
        Verdict::Pass => AnsiColor::Green,
        Verdict::Improved | Verdict::Missing | Verdict::Stale => AnsiColor::Yellow,
        _ => AnsiColor::Red,
    };
    colour.on_default()
}

/// `line` with the text from `start` to its end, without white space, in `style`.
fn styled(line: &str, start: usize, style: Style) -> String {
    let (before, rest) = line.split_at(start);
    let text = rest.trim_end();
    format!("{before}{style}{text}{style:#}{}", &rest[text.len()..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(line: &str, expected: &str) {
        assert_eq!(colour(line), expected);
    }

    #[test]
    fn a_verdict_at_the_end_of_a_line_has_its_colour() {
        check("echo 0 0 pass\n", "echo 0 0 \x1b[32mpass\x1b[0m\n");
        check("echo: regressed\n", "echo: \x1b[31mregressed\x1b[0m\n");
        check("echo 1 missing", "echo 1 \x1b[33mmissing\x1b[0m");
        check("a not comparable\n", "a \x1b[31mnot comparable\x1b[0m\n");
    }

    #[test]
    fn a_line_of_code_is_bold_and_other_text_stays() {
        check("  +1 blocks  src/lib.rs:9\n", "  +1 blocks  \x1b[1msrc/lib.rs:9\x1b[0m\n");
        check("12 passed (10 runs)\n", "12 passed (10 runs)\n");
        check("at 10:30\n", "at 10:30\n");
    }

    #[test]
    fn without_its_escapes_a_coloured_table_is_the_table() {
        let table = "scenario blocks verdict\necho 0 pass\n\necho: regressed\n  x  src/a.rs:1\n";
        assert_eq!(anstream::adapter::strip_str(&colour(table)).to_string(), table);
    }
}
