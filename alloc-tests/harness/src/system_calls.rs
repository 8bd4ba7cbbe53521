//! Counts the system calls of the server's threads. The kernel stops a thread at such a call and notifies a supervisor, a
//! thread without the filter: seccomp's user notification, which needs no privilege and no tool.
//!
//! [`UNCOUNTED`] calls are neither counted nor stopped: their number depends on the time at which bytes arrive, on the
//! thread that is the last to let go of a descriptor, or on the state of the allocator's own heap.

use std::collections::BTreeMap;
use std::io;
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};
use std::sync::atomic::{AtomicBool, AtomicI32, AtomicI64, AtomicU64};

use serde::{Deserialize, Serialize};

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

/// Reads and writes of streams, which the streams count themselves; waits, also for locks; accepts, which may find no
/// connection or several (each is registered with epoll_ctl); closes; growth of the allocator's heap.
const UNCOUNTED: &[libc::c_long] = &[
    libc::SYS_recvfrom,
    libc::SYS_sendto,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_epoll_wait,
    libc::SYS_epoll_pwait,
    libc::SYS_futex,
    libc::SYS_accept4,
    libc::SYS_sched_yield,
    libc::SYS_close,
    libc::SYS_brk,
    libc::SYS_mprotect,
    libc::SYS_madvise,
];

/// The calls of one run.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Calls {
    /// Number of calls by name.
    pub(crate) by_name: BTreeMap<String, u64>,
    /// Bytes mapped and not unmapped.
    pub(crate) mapped: i64,
}

impl Calls {
    /// The number of calls of `name`.
    pub(crate) fn of(&self, name: &str) -> u64 {
        self.by_name.get(name).copied().unwrap_or_default()
    }

    /// The number of all calls.
    pub(crate) fn sum(&self) -> u64 {
        self.by_name.values().sum()
    }

    /// The smaller number of each call, and of the bytes.
    pub(crate) fn least(self, other: &Self) -> Self {
        let mapped = self.mapped.min(other.mapped);
        let both = self.by_name.into_iter().map(|(name, count)| {
            let least = count.min(other.of(&name));
            (name, least)
        });
        Self { by_name: both.filter(|(_, count)| *count > 0).collect(), mapped }
    }
}

/// Observes every thread that this one starts from now on, and this one while the server runs on it. It cannot be
/// undone, and every call is slower from then on.
pub(crate) fn observe() -> io::Result<()> {
    settle_allocator();
    let driver = rustix::thread::gettid().as_raw_nonzero().get();
    std::thread::Builder::new()
        .name("supervisor".to_owned())
        .spawn(move || supervise(driver.cast_unsigned()))?;
    // The start of a thread allocates. The supervisor must not wait for a lock of a thread that it has stopped.
    while LISTENER.load(Acquire) == ABSENT {
        std::thread::yield_now();
    }
    let listener = install();
    // The supervisor polls: a call that wakes it would wait for the supervisor itself.
    LISTENER.store(*listener.as_ref().unwrap_or(&REFUSED), Release);
    listener.map(drop)
}

/// The counts since the last call of this function; `None` if nothing is observed.
pub(crate) fn take() -> Option<Calls> {
    let counts = COUNTS.iter().enumerate().map(|(number, count)| (number, count.swap(0, Relaxed)));
    let counted = counts.filter(|(_, count)| *count > 0);
    let by_name = counted.map(|(number, count)| (name(number), count)).collect();
    let mapped = MAPPED.swap(0, Relaxed);
    (LISTENER.load(Relaxed) >= 0).then_some(Calls { by_name, mapped })
}

/// The GNU allocator reads a file of the kernel when a thread returns memory for the first time in a process. It maps large
/// blocks alone, from a size on that grows with those that are freed; a fixed size makes runs alike.
fn settle_allocator() {
    const BLOCK: usize = 64 * 1024;
    #[cfg(target_env = "gnu")]
    {
        /// The allocator's own upper bound.
        const LARGEST: libc::c_int = 32 * 1024 * 1024;
        // SAFETY: no pointers; other threads do not allocate yet.
        unsafe { libc::mallopt(libc::M_MMAP_THRESHOLD, LARGEST) };
    }
    let use_much = || drop(std::hint::black_box(vec![vec![0u8; BLOCK]; 64]));
    std::thread::scope(|scope| _ = scope.spawn(use_much).join());
}

/// Says whether the server runs on the driver's thread.
pub(crate) fn server_is_here(here: bool) {
    SERVER_IS_HERE.store(here, Relaxed);
}

fn install() -> io::Result<i32> {
    const NUMBER: usize = std::mem::offset_of!(libc::seccomp_data, nr);
    let step = |code: u32, k: u32, jt: u8| libc::sock_filter { code: code as u16, jt, jf: 0, k };
    let mut filter = vec![step(libc::BPF_LD | libc::BPF_W | libc::BPF_ABS, NUMBER as u32, 0)];
    for (at, call) in UNCOUNTED.iter().enumerate() {
        // To the last instruction, over the other comparisons and the notification.
        let ahead = (UNCOUNTED.len() - at) as u8;
        filter.push(step(libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K, *call as u32, ahead));
    }
    filter.push(step(libc::BPF_RET | libc::BPF_K, libc::SECCOMP_RET_USER_NOTIF, 0));
    filter.push(step(libc::BPF_RET | libc::BPF_K, libc::SECCOMP_RET_ALLOW, 0));
    let program = libc::sock_fprog { len: filter.len() as u16, filter: filter.as_mut_ptr() };
    // SAFETY: the first call has no pointer; the second reads `program` and its instructions, which outlive it.
    let listener = unsafe {
        if libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 {
            return Err(io::Error::last_os_error());
        }
        libc::syscall(
            libc::SYS_seccomp,
            libc::SECCOMP_SET_MODE_FILTER,
            libc::SECCOMP_FILTER_FLAG_NEW_LISTENER,
            &raw const program,
        )
    };
    match i32::try_from(listener) {
        Ok(listener) if listener >= 0 => Ok(listener),
        _ => Err(io::Error::last_os_error()),
    }
}

/// Counts and continues each call. It ends with the process.
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
            if call.pid != driver || SERVER_IS_HERE.load(Relaxed) {
                let number = usize::try_from(call.data.nr).unwrap_or(NUMBERS).min(NUMBERS - 1);
                COUNTS[number].fetch_add(1, Relaxed);
                MAPPED.fetch_add(mapped(&call.data), Relaxed);
            }
            let mut answer: libc::seccomp_notif_resp = std::mem::zeroed();
            answer.id = call.id;
            answer.flags = libc::SECCOMP_USER_NOTIF_FLAG_CONTINUE as u32;
            libc::ioctl(listener, libc::SECCOMP_IOCTL_NOTIF_SEND, &raw const answer);
        }
    }
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

fn name(number: usize) -> String {
    let known = NAMES.iter().find(|(known, _)| usize::try_from(*known) == Ok(number));
    known.map_or_else(|| format!("call {number}"), |(_, name)| (*name).to_owned())
}

/// The calls that a server makes; others are shown by their number.
const NAMES: &[(libc::c_long, &str)] = &[
    (libc::SYS_bind, "bind"),
    (libc::SYS_clock_nanosleep, "clock_nanosleep"),
    (libc::SYS_clone3, "clone3"),
    (libc::SYS_clock_gettime, "clock_gettime"),
    (libc::SYS_connect, "connect"),
    (libc::SYS_dup, "dup"),
    (libc::SYS_epoll_create1, "epoll_create1"),
    (libc::SYS_epoll_ctl, "epoll_ctl"),
    (libc::SYS_eventfd2, "eventfd2"),
    (libc::SYS_exit, "exit"),
    (libc::SYS_fcntl, "fcntl"),
    (libc::SYS_getpeername, "getpeername"),
    (libc::SYS_getpid, "getpid"),
    (libc::SYS_getppid, "getppid"),
    (libc::SYS_getrandom, "getrandom"),
    (libc::SYS_getsockname, "getsockname"),
    (libc::SYS_getsockopt, "getsockopt"),
    (libc::SYS_gettid, "gettid"),
    (libc::SYS_ioctl, "ioctl"),
    (libc::SYS_listen, "listen"),
    (libc::SYS_mmap, "mmap"),
    (libc::SYS_mremap, "mremap"),
    (libc::SYS_munmap, "munmap"),
    (libc::SYS_nanosleep, "nanosleep"),
    (libc::SYS_openat, "openat"),
    (libc::SYS_pipe2, "pipe2"),
    (libc::SYS_prctl, "prctl"),
    (libc::SYS_pread64, "pread64"),
    (libc::SYS_read, "read"),
    (libc::SYS_readv, "readv"),
    (libc::SYS_recvmsg, "recvmsg"),
    (libc::SYS_rseq, "rseq"),
    (libc::SYS_rt_sigaction, "rt_sigaction"),
    (libc::SYS_rt_sigprocmask, "rt_sigprocmask"),
    (libc::SYS_sched_getaffinity, "sched_getaffinity"),
    (libc::SYS_sendmsg, "sendmsg"),
    (libc::SYS_set_robust_list, "set_robust_list"),
    (libc::SYS_setsockopt, "setsockopt"),
    (libc::SYS_shutdown, "shutdown"),
    (libc::SYS_sigaltstack, "sigaltstack"),
    (libc::SYS_socket, "socket"),
    (libc::SYS_socketpair, "socketpair"),
    (libc::SYS_statx, "statx"),
    (libc::SYS_timerfd_create, "timerfd_create"),
    (libc::SYS_timerfd_settime, "timerfd_settime"),
    (libc::SYS_uname, "uname"),
    (libc::SYS_write, "write"),
    (libc::SYS_writev, "writev"),
    #[cfg(target_arch = "x86_64")]
    (libc::SYS_open, "open"),
    #[cfg(target_arch = "x86_64")]
    (libc::SYS_poll, "poll"),
];
