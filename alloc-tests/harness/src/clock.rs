//! The clocks of the server's threads, which can be stopped. Rust reads the time by the C function `clock_gettime`; this one
//! takes its place in the program, and asks the real one.

use std::cell::Cell;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::atomic::{AtomicI64, AtomicU8};
use std::time::{Instant, SystemTime};

/// The clocks that stand still.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stopped {
    None,
    /// That of the date. Timers go on.
    Date,
    /// Every clock. Timers never fire.
    All,
}

static STOPPED: AtomicU8 = AtomicU8::new(Stopped::None as u8);

/// The second at which the date stands still.
static SECOND: AtomicI64 = AtomicI64::new(0);

thread_local! {
    static RUNS_HERE: Cell<bool> = const { Cell::new(false) };
}

/// Stops clocks at the second that has begun, for all threads but this one.
pub(crate) fn stop(stopped: Stopped) {
    run_here();
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    SECOND.store(i64::try_from(now.as_secs()).unwrap_or_default(), Relaxed);
    STOPPED.store(stopped as u8, Relaxed);
}

/// The clocks of this thread do not stop.
pub(crate) fn run_here() {
    RUNS_HERE.set(true);
}

/// Whether other threads see exactly these clocks stand still.
pub(crate) fn is(stopped: Stopped) -> bool {
    if cfg!(not(target_env = "gnu")) {
        return stopped != Stopped::All;
    }
    let read = || (SystemTime::now(), Instant::now());
    let reads = std::thread::scope(|scope| [0; 2].map(|_| scope.spawn(read).join()));
    let [Ok((date, time)), Ok((next_date, next_time))] = reads else { return false };
    let seen = (date == next_date, time == next_time);
    seen == (stopped != Stopped::None, stopped == Stopped::All)
}

#[cfg(target_env = "gnu")]
mod real {
    use std::sync::atomic::AtomicPtr;
    use std::sync::atomic::Ordering::Relaxed;

    use libc::{c_int, c_void, clockid_t, timespec};

    use super::{RUNS_HERE, SECOND, STOPPED, Stopped};

    type ClockGettime = unsafe extern "C" fn(clockid_t, *mut timespec) -> c_int;

    static REAL: AtomicPtr<c_void> = AtomicPtr::new(std::ptr::null_mut());

    /// # Safety
    ///
    /// As for the C function: `time` can be written.
    #[unsafe(no_mangle)]
    unsafe extern "C" fn clock_gettime(clock: clockid_t, time: *mut timespec) -> c_int {
        let stopped = STOPPED.load(Relaxed);
        let is_date = matches!(clock, libc::CLOCK_REALTIME | libc::CLOCK_REALTIME_COARSE);
        let stands = stopped == Stopped::All as u8 || (stopped == Stopped::Date as u8 && is_date);
        if stands && !RUNS_HERE.get() {
            // SAFETY: promised by the caller.
            unsafe { time.write(timespec { tv_sec: SECOND.load(Relaxed), tv_nsec: 0 }) };
            return 0;
        }
        let mut real = REAL.load(Relaxed);
        if real.is_null() {
            // SAFETY: a constant name; the next definition is that of the C library.
            real = unsafe { libc::dlsym(libc::RTLD_NEXT, c"clock_gettime".as_ptr()) };
            REAL.store(real, Relaxed);
        }
        // SAFETY: the C library has the function, with this type.
        unsafe { std::mem::transmute::<*mut c_void, ClockGettime>(real)(clock, time) }
    }
}
