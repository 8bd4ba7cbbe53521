//! The current step and its progress, on stderr.

use std::io::{IsTerminal, Write};

use indicatif::{ProgressBar, ProgressStyle};

/// A bar on a terminal, or else a line for each step that begins.
#[derive(Debug)]
pub struct Progress {
    bar: Option<ProgressBar>,
}

impl Progress {
    /// Nothing is shown yet.
    #[expect(clippy::new_without_default, reason = "it looks at stderr")]
    #[must_use]
    pub fn new() -> Self {
        if !std::io::stderr().is_terminal() {
            return Self { bar: None };
        }
        let style = ProgressStyle::with_template("{spinner} {wide_msg} {bar:24} {pos}/{len}")
            .expect("the template is constant");
        Self { bar: Some(ProgressBar::new(1).with_style(style)) }
    }

    /// Whether there is a bar, on a terminal.
    pub fn is_bar(&self) -> bool {
        self.bar.is_some()
    }

    /// Begins a step of unknown length.
    pub fn say(&self, what: &str) {
        self.step(what, 0, 1);
    }

    /// `done` of `of` parts of `what` are finished.
    pub fn step(&self, what: &str, done: usize, of: usize) {
        match &self.bar {
            Some(bar) => {
                bar.set_length(of as u64);
                bar.set_position(done as u64);
                bar.set_message(what.to_owned());
                bar.tick();
            }
            // A closed stderr must not stop the program.
            None if done == 0 => drop(writeln!(std::io::stderr(), "{what}…")),
            None => {}
        }
    }

    /// Removes the bar from the terminal.
    pub fn clear(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
