//! Words in colour. Everything that is shown may have colours; [`crate::output::print`] leaves them out unless stdout is a
//! terminal and `NO_COLOR` is unset, or `CLICOLOR_FORCE` is set. The colours repeat what words say, and say nothing alone.

use anstyle::{AnsiColor, Style};

/// What a word says to a reader who only glances at it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    /// As it should be.
    Good,
    /// Not as it should be.
    Bad,
    /// Not known, or not to be trusted.
    Doubtful,
    /// Less important than what is around it.
    Faint,
}

impl Tone {
    /// One column that says the same without colours: `✓`, `✗`, `?`; a space for [`Tone::Faint`].
    #[must_use]
    pub const fn mark(self) -> char {
        match self {
            Self::Good => '✓',
            Self::Bad => '✗',
            Self::Doubtful => '?',
            Self::Faint => ' ',
        }
    }

    /// `text` in the colour of this tone.
    #[must_use]
    pub fn paint(self, text: &str) -> String {
        painted(text, self.style())
    }

    /// `text` in the colour of this tone, and bold: a verdict on everything.
    #[must_use]
    pub fn paint_bold(self, text: &str) -> String {
        painted(text, self.style().bold())
    }

    const fn style(self) -> Style {
        match self {
            Self::Good => AnsiColor::Green.on_default(),
            Self::Bad => AnsiColor::Red.on_default(),
            Self::Doubtful => AnsiColor::Yellow.on_default(),
            Self::Faint => Style::new().dimmed(),
        }
    }
}

/// `text` without colours.
#[must_use]
pub fn plain(text: &str) -> String {
    anstream::adapter::strip_str(text).to_string()
}

fn painted(text: &str, style: Style) -> String {
    if text.is_empty() { String::new() } else { format!("{style}{text}{style:#}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_colours_the_words_and_a_mark_are_left() {
        for tone in [Tone::Good, Tone::Bad, Tone::Doubtful, Tone::Faint] {
            assert_ne!(tone.paint("met"), "met");
            assert_ne!(tone.paint_bold("met"), tone.paint("met"));
            assert_eq!(plain(&tone.paint("met")), "met");
            assert_eq!(tone.paint(""), "");
        }
        let marks = [Tone::Good, Tone::Bad, Tone::Doubtful, Tone::Faint].map(Tone::mark);
        assert_eq!(marks, ['✓', '✗', '?', ' ']);
    }
}
