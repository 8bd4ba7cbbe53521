//! seccomp's user notifications: the filter, and the supervisor that counts and continues each call.

use std::io::{self, Write as _};
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};
use std::sync::atomic::{AtomicBool, AtomicI32, AtomicI64, AtomicU64};

use super::filter::{self, Step, UNCOUNTED};
use super::random;

/// The calls at which threads stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Observed {
    /// Only those for random numbers, which become the same in every window.
    Random,
    /// All but the uncounted ones; every call is slower.
    All,
    /// All but the uncounted ones, with the kernel's own random numbers.
    AllUnpinned,
}

/// One more than the largest number of a system call that is counted by itself.
const NUMBERS: usize = 512;

static COUNTS: [AtomicU64; NUMBERS] = [const { AtomicU64::new(0) }; NUMBERS];

/// Bytes that the server's threads mapped, less those that they unmapped.
static MAPPED: AtomicI64 = AtomicI64::new(0);

/// Whether the server runs on the driver's thread, so that the calls of that thread are the server's.
static SERVER_IS_HERE: AtomicBool = AtomicBool::new(false);

/// The supervisor's descriptor, or why there is none.
static LISTENER: AtomicI32 = AtomicI32::new(ABSENT);
const REFUSED: i32 = -3;
const ABSENT: i32 = -2;
const READY: i32 = -1;

static COUNTS_ALL: AtomicBool = AtomicBool::new(false);
static PINS_RANDOM: AtomicBool = AtomicBool::new(false);

/// Whether all calls are counted.
pub(super) fn counts_all() -> bool {
    COUNTS_ALL.load(Relaxed)
}

/// Whether random numbers are the same in every window.
pub(crate) fn pins_random() -> bool {
    PINS_RANDOM.load(Relaxed)
}

/// The number of calls by their number, and the mapped bytes, since the last call of this function.
pub(super) fn take() -> (Vec<u64>, i64) {
    (COUNTS.iter().map(|count| count.swap(0, Relaxed)).collect(), MAPPED.swap(0, Relaxed))
}

/// Whether the server runs on the driver's thread.
#[cfg(target_arch = "x86_64")]
pub(super) fn is_server_here() -> bool {
    SERVER_IS_HERE.load(Relaxed)
}

/// Says whether the server runs on the driver's thread.
pub(crate) fn server_is_here(here: bool) {
    SERVER_IS_HERE.store(here, Relaxed);
}

/// Starts the supervisor, and stops this thread and those that it starts at the observed calls.
pub(super) fn start(observed: Observed) -> io::Result<()> {
    let driver = rustix::thread::gettid().as_raw_nonzero().get().cast_unsigned();
    std::thread::Builder::new().name("supervisor".to_owned()).spawn(move || supervise(driver))?;
    // The start of a thread allocates. The supervisor must not wait for a lock of a thread that it has stopped.
    while LISTENER.load(Acquire) == ABSENT {
        std::thread::yield_now();
    }
    let listener = filter::install(&steps(observed), libc::SECCOMP_FILTER_FLAG_NEW_LISTENER);
    COUNTS_ALL.store(listener.is_ok() && observed != Observed::Random, Relaxed);
    PINS_RANDOM.store(listener.is_ok() && observed != Observed::AllUnpinned, Relaxed);
    // The supervisor polls: a call that wakes it would wait for the supervisor itself.
    LISTENER.store(*listener.as_ref().unwrap_or(&REFUSED), Release);
    listener.map(drop)
}

/// The filter: its answer is a notification or none.
fn steps(observed: Observed) -> Vec<Step> {
    let mut steps = vec![Step::load(filter::NUMBER)];
    if observed == Observed::Random {
        let random = u32::try_from(libc::SYS_getrandom).unwrap_or_default();
        steps.extend([Step::unless(random, 1), Step::NOTIFY, Step::ALLOW]);
    } else {
        steps.extend(Step::allow_all(UNCOUNTED.iter(), Step::NOTIFY));
    }
    steps
}

/// Counts each call, and continues it. It ends with the process.
fn supervise(driver: u32) {
    LISTENER.store(READY, Release);
    let listener = loop {
        match LISTENER.load(Acquire) {
            READY => std::thread::yield_now(),
            REFUSED => return,
            listener => break listener,
        }
    };
    loop {
        // SAFETY: the kernel demands a zeroed notification, fills it, and reads the response; both outlive the calls.
        unsafe {
            let mut call: libc::seccomp_notif = std::mem::zeroed();
            // An error means that the thread was killed while it waited.
            if libc::ioctl(listener, libc::SECCOMP_IOCTL_NOTIF_RECV, &raw mut call) != 0 {
                continue;
            }
            let is_of_server = call.pid != driver || SERVER_IS_HERE.load(Relaxed);
            if is_of_server && !is_wake(&call) {
                let number = usize::try_from(call.data.nr).unwrap_or(NUMBERS).min(NUMBERS - 1);
                COUNTS[number].fetch_add(1, Relaxed);
                MAPPED.fetch_add(mapped(&call.data), Relaxed);
            }
            let mut answer: libc::seccomp_notif_resp = std::mem::zeroed();
            answer.id = call.id;
            let is_random = libc::c_long::from(call.data.nr) == libc::SYS_getrandom;
            if is_random && pins_random() && is_ours(call.pid) {
                answer.val = random::fill(&call.data, is_of_server);
            } else {
                answer.flags = libc::SECCOMP_USER_NOTIF_FLAG_CONTINUE as u32;
            }
            libc::ioctl(listener, libc::SECCOMP_IOCTL_NOTIF_SEND, &raw const answer);
        }
    }
}

/// Whether a call only wakes a runtime: tokio writes to its own eventfd if a new timer is due before the one it waits for,
/// which depends on the millisecond.
fn is_wake(call: &libc::seccomp_notif) -> bool {
    const EVENTFD: &[u8] = b"anon_inode:[eventfd]";
    let [descriptor, _, length, ..] = call.data.args;
    if libc::c_long::from(call.data.nr) != libc::SYS_write || length != 8 || !is_ours(call.pid) {
        return false;
    }
    // Nothing here may allocate: it would be counted.
    let (mut path, mut target) = ([0_u8; 32], [0_u8; EVENTFD.len() + 1]);
    let written = write!(&mut path[..31], "/proc/self/fd/{descriptor}");
    // SAFETY: the path ends with a zero, and the target is as long as it says.
    let length =
        unsafe { libc::readlink(path.as_ptr().cast(), target.as_mut_ptr().cast(), target.len()) };
    written.is_ok() && usize::try_from(length).is_ok_and(|length| target[..length] == *EVENTFD)
}

/// Whether a thread is one of this process, not of a program that it started: only then its memory is ours.
fn is_ours(thread: u32) -> bool {
    // SAFETY: no pointers; the signal 0 is not delivered.
    unsafe { libc::syscall(libc::SYS_tgkill, libc::getpid(), thread, 0) == 0 }
}

/// Bytes that a call maps, less those that it unmaps.
fn mapped(call: &libc::seccomp_data) -> i64 {
    let size = |at: usize| call.args[at].cast_signed();
    match libc::c_long::from(call.nr) {
        libc::SYS_mmap => size(1),
        libc::SYS_munmap => -size(1),
        libc::SYS_mremap => size(2) - size(1),
        _ => 0,
    }
}
