//! The current step and its progress, on stderr.

use std::io::{IsTerminal, Write};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

/// A step whose parts are counted, before and after the first of them.
const BEGUN: &str = "{spinner} {wide_msg} {bar:16} {pos}/{len}";
const COUNTED: &str = "{spinner} {wide_msg} {bar:16} {pos}/{len} {eta} left";

/// A step of which nothing is known until it ends.
const WAITING: &str = "{spinner} {wide_msg} {elapsed}";

/// Between two turns of the spinner of a step that does not report.
const TURN: Duration = Duration::from_millis(200);

/// A bar on a terminal, or else a line for each step that begins.
#[derive(Clone, Debug)]
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
        Self { bar: Some(ProgressBar::new(1).with_style(style(BEGUN))) }
    }

    /// Whether there is a bar, on a terminal.
    pub fn is_bar(&self) -> bool {
        self.bar.is_some()
    }

    /// Begins a step that takes long and does not report, such as a build: a thread turns its spinner. [`Self::step`] ends
    /// that thread, which would disturb a measurement.
    pub fn wait(&self, what: &str) {
        let Some(bar) = &self.bar else { return self.say(what) };
        bar.set_style(style(WAITING));
        bar.reset_elapsed();
        bar.set_message(what.to_owned());
        bar.enable_steady_tick(TURN);
    }

    /// Says on a terminal what a step does now, in the same line.
    pub fn detail(&self, what: &str) {
        if let Some(bar) = &self.bar {
            bar.set_message(what.to_owned());
        }
    }

    /// Begins a step of unknown length.
    pub fn say(&self, what: &str) {
        self.step(what, 0, 1);
    }

    /// `done` of `of` parts of `what` are finished.
    pub fn step(&self, what: &str, done: usize, of: usize) {
        match &self.bar {
            Some(bar) => {
                bar.disable_steady_tick();
                bar.set_style(style(if done == 0 { BEGUN } else { COUNTED }));
                if done == 0 {
                    bar.reset_eta();
                }
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

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).expect("the template is constant")
}
