//! Threads that keep processors busy.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;

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
            if let Err(error) = run_when_idle() {
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

/// `SCHED_IDLE` for this thread; see `sched(7)`.
fn run_when_idle() -> io::Result<()> {
    let parameters = libc::sched_param { sched_priority: 0 };
    // SAFETY: the pointer is to a live sched_param, which the function only reads; 0 is the calling thread.
    match unsafe { libc::sched_setscheduler(0, libc::SCHED_IDLE, &raw const parameters) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}
