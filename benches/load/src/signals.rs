//! Stopping a run from outside.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use anyhow::{Context, Result};
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

/// A flag that the first SIGINT or SIGTERM sets. The second one ends the process with 130.
///
/// # Errors
///
/// If the handlers cannot be installed.
pub fn stop_on_signals() -> Result<Arc<AtomicBool>> {
    let stop = Arc::new(AtomicBool::new(false));
    let mut signals = Signals::new([SIGINT, SIGTERM]).context("cannot handle signals")?;
    let fired = Arc::clone(&stop);
    std::thread::spawn(move || {
        for _ in signals.forever() {
            if fired.swap(true, Relaxed) {
                std::process::exit(130);
            }
            eprintln!("stopping: waiting for open answers; send the signal again to stop at once");
        }
    });
    Ok(stop)
}
