//! What a comparison has measured when a signal ends it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bench_show::colour::plain;
use bench_show::progress::Progress;

use crate::cleanup::Guard;
use crate::model::{Comparison, Part, Provenance, Side, Timing};
use crate::report::{self, Format};

/// Shows, on a signal, what is known, and that it is no verdict. Nothing is shown once this is dropped.
pub(super) struct SoFar {
    state: Arc<Mutex<State>>,
    _guard: Guard,
}

/// What is known.
#[derive(Default)]
pub(super) struct State {
    /// `2 of 5, building head`; `None` before the first step and after the last one.
    pub(super) step: Option<String>,
    /// The parts that are finished; `None` before the sides are known.
    pub(super) comparison: Option<Comparison>,
    /// The timings until now of a part that is not finished.
    pub(super) timing: Option<Timing>,
}

impl SoFar {
    /// Nothing is known yet. A report in `format` would have gone to stdout: in its place, other programs get no text.
    pub(super) fn new(format: Format, progress: &Progress) -> Self {
        let state = Arc::new(Mutex::new(State::default()));
        let (on_signal, progress) = (Arc::clone(&state), progress.clone());
        let guard = Guard::new(move || {
            let known = lock(&on_signal);
            if let Some(step) = &known.step {
                progress.clear();
                show(&known, step, format);
            }
        });
        Self { state, _guard: guard }
    }

    /// Changes what is known.
    pub(super) fn update(&self, change: impl FnOnce(&mut State)) {
        change(&mut lock(&self.state));
    }

    /// The sides of the next service, and nothing of it measured.
    pub(super) fn open(&self, [base, head]: [Side; 2], suite: &str) {
        self.update(|state| {
            state.timing = None;
            state.comparison = Some(Comparison {
                base,
                head,
                suite: suite.to_owned(),
                timing: not_reached(),
                exact: not_reached(),
                instructions: not_reached(),
                exit_code: 1,
                provenance: Provenance::default(),
            });
        });
    }

    /// Notes a part that is finished.
    pub(super) fn finished(&self, note: impl FnMut(&mut Comparison)) {
        self.update(|state| state.comparison.as_mut().into_iter().for_each(note));
    }
}

impl Drop for SoFar {
    fn drop(&mut self) {
        // The guard acts when it is dropped.
        self.update(|state| state.step = None);
    }
}

fn not_reached<T>() -> Part<T> {
    Part::NotMeasured("the comparison was stopped before".to_owned())
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

fn show(known: &State, step: &str, format: Format) {
    let text = match &known.comparison {
        Some(comparison) => report::stopped(comparison, known.timing.as_ref(), step),
        None => format!("stopped in step {step}: nothing was measured, so there is no verdict\n"),
    };
    // A process that a signal ends has no one to report an error to.
    if format == Format::Table {
        drop(bench_show::output::print(&text));
    } else {
        eprint!("{}", plain(&text));
    }
}
