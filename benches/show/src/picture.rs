//! A picture of what a terminal shows.

use anstyle_svg::{Term, WIN10_CONSOLE};

/// Columns of the terminal.
const COLUMNS: usize = 80;

/// Begins a colour, or ends it.
const ESCAPE: char = '\x1b';

/// An SVG of a terminal of 80 columns after `typed`, which printed `shown`, ANSI colours included. It has a background of its
/// own, so it is read on light and dark pages, and its title is `typed`.
#[must_use]
pub fn svg(typed: &str, shown: &str) -> String {
    let mut palette = WIN10_CONSOLE;
    // The bright red, green and blue: the others are too dark for small letters on black.
    for colour in [1, 2, 4] {
        palette.0[colour] = palette.0[colour + 8];
    }
    let screen = broken(&format!("\x1b[1m$ {typed}\x1b[0m\n{}", shown.trim_end()));
    let picture = Term::new().palette(palette).render_svg(&screen);
    let title = typed.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    picture.replacen('\n', &format!("\n  <title>{title}</title>\n"), 1)
}

/// What `picture` says was typed, if it is one of [`svg`].
#[must_use]
pub fn typed(picture: &str) -> Option<String> {
    let title = picture.split_once("<title>")?.1.split_once("</title>")?.0;
    Some(title.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&"))
}

/// The words of a command line, which may stand in single quotes.
#[must_use]
pub fn words(typed: &str) -> Vec<String> {
    let parts = typed.split('\'').enumerate();
    let words = parts.flat_map(|(at, part)| match at % 2 {
        0 => part.split_whitespace().map(str::to_owned).collect(),
        _ => vec![part.to_owned()],
    });
    words.collect()
}

/// `screen` with lines that end where a terminal begins a new one.
fn broken(screen: &str) -> String {
    let mut text = String::new();
    let (mut column, mut escaped) = (0, false);
    for letter in screen.chars() {
        if escaped || letter == ESCAPE {
            escaped = letter != 'm';
        } else if letter == '\n' {
            column = 0;
        } else {
            if column == COLUMNS {
                text.push('\n');
                column = 0;
            }
            column += 1;
        }
        text.push(letter);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_tells_the_words_that_were_typed() {
        let picture = svg("ws-load URL --threshold 'latency_p99 < 5ms'", "PASS");
        let typed = typed(&picture).expect("it has a title");
        assert_eq!(words(&typed), ["ws-load", "URL", "--threshold", "latency_p99 < 5ms"]);
    }

    #[test]
    fn a_picture_is_80_columns_wide_and_keeps_colours() {
        let wide = format!("\x1b[31m{}\x1b[0m{}", "a".repeat(80), "b".repeat(80));
        let picture = svg("cat", &wide);
        for letters in ["a", "b"] {
            assert!(picture.contains(&format!(">{}</tspan>", letters.repeat(80))), "{picture}");
        }
        assert!(picture.contains("fg-red") && !picture.contains("#C50F1F"), "{picture}");
    }
}
