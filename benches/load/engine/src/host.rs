//! Where a run takes time, processor time and threads from: the machine, or a test.

use std::future::Future;
use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, anyhow};
use tokio::runtime;
use tokio::task::LocalSet;

#[cfg(feature = "testing")]
use crate::virtual_time::VirtualTime;

/// The surroundings of a run.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Host {
    /// This machine; every worker has a thread of its own.
    Machine,
    /// The paused clock of the current tokio runtime; workers are tasks of that runtime.
    #[cfg(feature = "testing")]
    Virtual(VirtualTime),
}

impl Host {
    /// Wall-clock time since 1970.
    pub(crate) fn unix(self) -> Duration {
        match self {
            Self::Machine => SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default(),
            #[cfg(feature = "testing")]
            Self::Virtual(time) => time.unix(),
        }
    }

    /// Processor time that the generator has used so far.
    pub(crate) fn cpu_time(self) -> Duration {
        match self {
            Self::Machine => {
                let clock = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
                Duration::new(clock.tv_sec.cast_unsigned(), clock.tv_nsec as u32)
            }
            #[cfg(feature = "testing")]
            Self::Virtual(time) => time.cpu_time(),
        }
    }

    /// Starts `task`, on a thread called `name` or beside the caller.
    ///
    /// # Errors
    ///
    /// If the machine has no thread or no runtime left.
    pub(crate) fn spawn<F>(
        self,
        name: String,
        task: impl FnOnce() -> F + Send + 'static,
    ) -> Result<Running>
    where
        F: Future<Output = ()> + 'static,
    {
        match self {
            Self::Machine => {
                let runtime = runtime::Builder::new_current_thread().enable_all().build();
                let runtime = runtime.context("cannot start a runtime")?;
                let thread = thread::Builder::new()
                    .name(name)
                    .spawn(move || LocalSet::new().block_on(&runtime, task()));
                Ok(Running::Thread(thread.context("cannot start a worker")?))
            }
            #[cfg(feature = "testing")]
            Self::Virtual(_) => Ok(Running::Task(tokio::task::spawn_local(task()))),
        }
    }
}

/// A worker that was started.
#[derive(Debug)]
pub(crate) enum Running {
    Thread(thread::JoinHandle<()>),
    #[cfg(feature = "testing")]
    Task(tokio::task::JoinHandle<()>),
}

impl Running {
    /// Waits for its end. A thread blocks the caller meanwhile.
    ///
    /// # Errors
    ///
    /// If it panicked.
    pub(crate) async fn join(self) -> Result<()> {
        let is_ok = match self {
            Self::Thread(thread) => thread.join().is_ok(),
            #[cfg(feature = "testing")]
            Self::Task(task) => task.await.is_ok(),
        };
        if is_ok { Ok(()) } else { Err(anyhow!("a worker panicked")) }
    }
}
