//! Call stacks of system calls. At a counted call the kernel sends the thread a signal instead; the handler notes the stack,
//! and makes the call itself, from the one address that the filter lets through. seccomp(2), `SECCOMP_RET_TRAP`.

use std::cell::Cell;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::atomic::{AtomicU64, AtomicUsize};
use std::{io, ptr};

use super::filter::{self, Step, UNCOUNTED};
use super::notify::is_server_here;

/// Most frames of a stack. Async stacks are deep.
const FRAMES: usize = 64;

/// Most different stacks of a window; a server has some dozens.
const STACKS: usize = 2048;

/// A stack and the number of calls with it. The slot belongs to the first that writes its hash.
struct Slot {
    hash: AtomicU64,
    count: AtomicU64,
    number: AtomicUsize,
    frames: [AtomicUsize; FRAMES],
}

static SLOTS: [Slot; STACKS] = [const {
    Slot {
        hash: AtomicU64::new(0),
        count: AtomicU64::new(0),
        number: AtomicUsize::new(0),
        frames: [const { AtomicUsize::new(0) }; FRAMES],
    }
}; STACKS];

thread_local! {
    static IS_DRIVER: Cell<bool> = const { Cell::new(false) };
}

/// The calls of one stack: the call's number, its return addresses, innermost first, and how often it was made.
pub(super) type Stack = (usize, Vec<usize>, u64);

std::arch::global_asm!(
    ".globl plimsoll_call",
    "plimsoll_call:",
    "mov rax, rdi",
    "mov rdi, [rsi]",
    "mov rdx, [rsi + 16]",
    "mov r10, [rsi + 24]",
    "mov r8, [rsi + 32]",
    "mov r9, [rsi + 40]",
    "mov rsi, [rsi + 8]",
    "syscall",
    ".globl plimsoll_call_end",
    "plimsoll_call_end:",
    "ret",
);

unsafe extern "C" {
    /// Makes a call with six arguments, and returns the kernel's answer.
    fn plimsoll_call(number: i64, arguments: *const i64) -> i64;
    /// The address behind the instruction of the call.
    static plimsoll_call_end: u8;
}

/// Calls that a handler cannot make for its thread: those that end or start one, some of which are made while all signals
/// are blocked, and those of signals.
const NEVER: &[libc::c_long] = &[
    libc::SYS_clone,
    libc::SYS_clone3,
    libc::SYS_vfork,
    libc::SYS_fork,
    libc::SYS_execve,
    libc::SYS_exit,
    libc::SYS_exit_group,
    libc::SYS_set_robust_list,
    libc::SYS_rseq,
    libc::SYS_rt_sigaction,
    libc::SYS_rt_sigprocmask,
    libc::SYS_rt_sigreturn,
    libc::SYS_sigaltstack,
];

/// Notes the stack of every counted call of this thread and of those that it starts from now on. It cannot be undone, and
/// a program that they start is killed.
pub(super) fn start() -> io::Result<()> {
    IS_DRIVER.set(true);
    // The unwinder reads its tables once.
    note(0);
    drop(take());
    // SAFETY: the handler has the type that SA_SIGINFO demands; zeros are an empty mask.
    unsafe {
        let mut action: libc::sigaction = std::mem::zeroed();
        action.sa_sigaction = handle as *const () as usize;
        action.sa_flags = libc::SA_SIGINFO | libc::SA_NODEFER;
        if libc::sigaction(libc::SIGSYS, &raw const action, ptr::null_mut()) != 0 {
            return Err(io::Error::last_os_error());
        }
    }
    let end = &raw const plimsoll_call_end as u64;
    let (low, high) = (end as u32, (end >> 32) as u32);
    let mut steps = vec![
        Step::load(filter::INSTRUCTION),
        Step::unless(low, 3),
        Step::load(filter::INSTRUCTION + 4),
        Step::unless(high, 1),
        Step::ALLOW,
        Step::load(filter::NUMBER),
    ];
    // An accept is not counted, and opens a descriptor that may be left.
    let unseen = UNCOUNTED.iter().filter(|call| **call != libc::SYS_accept4);
    steps.extend(Step::allow_all(unseen.chain(NEVER), Step::TRAP));
    filter::install(&steps, 0).map(drop)
}

/// The stacks since the last call of this function.
pub(super) fn take() -> Vec<Stack> {
    let taken = SLOTS.iter().filter(|slot| slot.hash.swap(0, Relaxed) != 0).map(|slot| {
        let frames = slot.frames.iter().map(|frame| frame.swap(0, Relaxed));
        let frames = frames.filter(|frame| *frame != 0).collect();
        (slot.number.load(Relaxed), frames, slot.count.swap(0, Relaxed))
    });
    taken.collect()
}

/// The handler of SIGSYS. Nothing in it may allocate.
extern "C" fn handle(_: libc::c_int, _: *mut libc::siginfo_t, context: *mut libc::c_void) {
    // SAFETY: the kernel passes the registers of the call, which nothing else touches.
    let registers = unsafe { &mut (*context.cast::<libc::ucontext_t>()).uc_mcontext.gregs };
    let at = |register: libc::c_int| registers[register as usize];
    let number = at(libc::REG_RAX);
    let order =
        [libc::REG_RDI, libc::REG_RSI, libc::REG_RDX, libc::REG_R10, libc::REG_R8, libc::REG_R9];
    let arguments = order.map(at);
    if !IS_DRIVER.get() || is_server_here() {
        note(usize::try_from(number).unwrap_or_default());
    }
    // SAFETY: the call that the thread was about to make, with its arguments.
    registers[libc::REG_RAX as usize] = unsafe { plimsoll_call(number, arguments.as_ptr()) };
}

/// Counts the stack of this place.
fn note(number: usize) {
    let (mut frames, mut length) = ([0; FRAMES], 0);
    // SAFETY: no other thread resolves symbols, which alone would need the lock.
    unsafe {
        backtrace::trace_unsynchronized(|frame| {
            frames[length] = frame.ip() as usize;
            length += 1;
            length < FRAMES
        });
    }
    // FNV-1a, <http://www.isthe.com/chongo/tech/comp/fnv/>.
    let hash =
        frames[..length].iter().chain([&number]).fold(0xcbf2_9ce4_8422_2325, |hash, word| {
            (hash ^ *word as u64).wrapping_mul(0x0100_0000_01b3)
        });
    let hash = hash.max(1);
    for probe in 0..STACKS {
        let slot = &SLOTS[(hash as usize).wrapping_add(probe) % STACKS];
        match slot.hash.compare_exchange(0, hash, Relaxed, Relaxed) {
            Ok(_) => {
                slot.number.store(number, Relaxed);
                for (place, frame) in slot.frames.iter().zip(frames) {
                    place.store(frame, Relaxed);
                }
            }
            Err(other) if other == hash => {}
            Err(_) => continue,
        }
        slot.count.fetch_add(1, Relaxed);
        return;
    }
}
