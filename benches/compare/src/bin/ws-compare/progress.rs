use std::io::{IsTerminal, Write};

use indicatif::{ProgressBar, ProgressStyle};

/// A bar on a terminal, a line for every new thing in a pipe; always on stderr.
pub(crate) struct Progress {
    bar: Option<ProgressBar>,
}

impl Progress {
    pub(crate) fn new() -> Self {
        if !std::io::stderr().is_terminal() {
            return Self { bar: None };
        }
        let style = ProgressStyle::with_template("{spinner} {wide_msg} {bar:24} {pos}/{len}")
            .expect("the template is constant");
        Self { bar: Some(ProgressBar::new(1).with_style(style)) }
    }

    /// Something that takes as long as it takes.
    pub(crate) fn say(&self, what: &str) {
        self.step(what, 0, 1);
    }

    pub(crate) fn step(&self, what: &str, done: usize, of: usize) {
        match &self.bar {
            Some(bar) => {
                bar.set_length(of as u64);
                bar.set_position(done as u64);
                bar.set_message(what.to_owned());
                bar.tick();
            }
            None if done == 0 => drop(writeln!(std::io::stderr(), "{what}…")),
            None => {}
        }
    }

    pub(crate) fn clear(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
