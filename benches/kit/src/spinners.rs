//! Threads that keep processors busy.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;

use crate::scheduling::Policy;

/// Threads that spin until this is dropped. They may run on the cores of the thread that started them.
#[derive(Debug)]
pub struct Spinners {
    stop: Arc<AtomicBool>,
    threads: Vec<JoinHandle<()>>,
}

impl Spinners {
    /// `count` threads of normal priority, as other programs have them.
    #[must_use]
    pub fn neighbours(count: u32) -> Self {
        Self::start(count, || ())
    }

    /// One thread that runs only while its processor would be idle, and so keeps it from sleeping: waking up is the largest
    /// and most variable part of the time of a server that has little to do.
    #[must_use]
    pub fn awake() -> Self {
        Self::start(1, || {
            if let Err(error) = Policy::Idle.apply() {
                eprintln!("the timings are noisier: cannot start an idle-priority thread: {error}");
            }
        })
    }

    fn start(count: u32, begin: fn()) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let spin = |_| {
            let stop = Arc::clone(&stop);
            std::thread::spawn(move || {
                begin();
                while !stop.load(Ordering::Relaxed) {
                    std::hint::spin_loop();
                }
            })
        };
        let threads = (0..count).map(spin).collect();
        Self { stop, threads }
    }
}

impl Drop for Spinners {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        for thread in self.threads.drain(..) {
            thread.join().expect("an empty loop does not panic");
        }
    }
}
