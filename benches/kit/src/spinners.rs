//! Threads that do nothing, as hard as they can.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;

/// Spinning threads, until this is dropped. They run where the thread that started them may run.
#[derive(Debug)]
pub struct Spinners {
    stop: Arc<AtomicBool>,
    threads: Vec<JoinHandle<()>>,
}

impl Spinners {
    /// As many as `count` with the priority of everybody else: a neighbour's work.
    #[must_use]
    pub fn neighbours(count: u32) -> Self {
        Self::start(count, || ())
    }

    /// One that runs only while nobody else would, and keeps the processor from falling asleep: how long that takes to
    /// wake up is the largest part of the time of a server that has little to do, and the most erratic.
    #[must_use]
    pub fn awake() -> Self {
        Self::start(1, || {
            if let Err(error) = yield_to_all() {
                eprintln!("noisier than it could be: cannot spin below everybody else: {error}");
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
fn yield_to_all() -> io::Result<()> {
    let parameters = libc::sched_param { sched_priority: 0 };
    // SAFETY: the pointer is to a live sched_param, which the function only reads; 0 is the calling thread.
    match unsafe { libc::sched_setscheduler(0, libc::SCHED_IDLE, &raw const parameters) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}
