//! Counts the heap blocks of a process, its mappings, and its reads and writes of sockets, in a file that its parent has mapped too.
//!
//! The dynamic linker loads it before every other library of a program (`LD_PRELOAD`). No function in here allocates,
//! panics, takes a lock or has thread-local state. Processes add to the same file: children inherit the environment.
//! What was allocated before [`start`] counts nowhere.

#![cfg_attr(bare, no_std)]

use core::ffi::{CStr, c_char, c_int, c_void};
use core::ptr;
use core::sync::atomic::{AtomicPtr, AtomicU64, AtomicUsize, Ordering::Relaxed};

mod heap;
pub mod layout;
mod mappings;
mod sockets;

use layout::{FIRST_SLOT, LENGTH, PROCESSES, SLOT_WORDS, SLOTS};

#[link(name = "c")]
unsafe extern "C" {
    fn __errno_location() -> *mut c_int;
    fn __register_atfork(
        prepare: Option<unsafe extern "C" fn()>,
        parent: Option<unsafe extern "C" fn()>,
        child: Option<unsafe extern "C" fn()>,
        library: *const c_void,
    ) -> c_int;
    fn close(fd: c_int) -> c_int;
    fn getenv(name: *const c_char) -> *const c_char;
    fn getpid() -> c_int;
    fn lseek(fd: c_int, offset: isize, whence: c_int) -> isize;
    fn mmap(
        at: *mut c_void,
        len: usize,
        protection: c_int,
        flags: c_int,
        fd: c_int,
        offset: isize,
    ) -> *mut c_void;
    fn open(path: *const c_char, flags: c_int, ...) -> c_int;
}

const VARIABLE: &CStr = c"PLIMSOLL_COUNTS";
const O_RDWR_CLOEXEC: c_int = 0o2 | 0o2_000_000;
const SEEK_END: c_int = 2;
const PROT_READ_WRITE: c_int = 1 | 2;
const MAP_SHARED: c_int = 1;
const MAP_FAILED: usize = usize::MAX;

/// The words of the file; null until it is mapped, and always if there is none.
static WORDS: AtomicPtr<AtomicU64> = AtomicPtr::new(ptr::null_mut());

/// The slot of this process; 0 is none.
static SLOT: AtomicUsize = AtomicUsize::new(0);

#[used]
#[unsafe(link_section = ".init_array")]
static START: unsafe extern "C" fn() = start;

/// Maps the file, and begins to count.
unsafe extern "C" fn start() {
    // SAFETY: all strings end with a zero, and the mapping is as long as the file is.
    unsafe {
        let path = getenv(VARIABLE.as_ptr());
        if path.is_null() {
            return;
        }
        let fd = open(path, O_RDWR_CLOEXEC);
        if fd < 0 {
            return;
        }
        // A shorter file would end the program with SIGBUS.
        if lseek(fd, 0, SEEK_END) == LENGTH as isize {
            let words = mmap(ptr::null_mut(), LENGTH, PROT_READ_WRITE, MAP_SHARED, fd, 0);
            if words.addr() != MAP_FAILED {
                forget_predecessor(words.cast());
                WORDS.store(words.cast(), Relaxed);
                take_slot();
                __register_atfork(None, None, Some(take_slot), ptr::null());
            }
        }
        close(fd);
    }
}

/// A program that this process ran before `exec` holds nothing any more.
unsafe fn forget_predecessor(words: *const AtomicU64) {
    // SAFETY: the mapping has all words.
    unsafe {
        let begun = (*words.add(PROCESSES)).load(Relaxed) as usize;
        for slot in 1..=begun.min(SLOTS - 1) {
            let slot = words.add(FIRST_SLOT + slot * SLOT_WORDS);
            if (*slot).load(Relaxed) == getpid() as u64 {
                (*slot.add(1)).store(0, Relaxed);
            }
        }
    }
}

/// Gives this process, new or just forked, a slot of its own. A forked process frees blocks that its parent still holds:
/// they carry the parent's slot.
unsafe extern "C" fn take_slot() {
    SLOT.store(0, Relaxed);
    if let Some(processes) = word(PROCESSES) {
        let slot = processes.fetch_add(1, Relaxed) as usize + 1;
        if slot < SLOTS {
            if let Some(pid) = word(FIRST_SLOT + slot * SLOT_WORDS) {
                // SAFETY: it always succeeds.
                pid.store(unsafe { getpid() } as u64, Relaxed);
            }
            SLOT.store(slot, Relaxed);
        }
    }
}

/// The word number `at`; none while nothing is counted.
fn word(at: usize) -> Option<&'static AtomicU64> {
    let words = WORDS.load(Relaxed);
    // SAFETY: the mapping has the words of all constants and slots, and stays until the process ends.
    (!words.is_null()).then(|| unsafe { &*words.add(at) })
}

/// Adds one to the word number `at`, and `bytes` to the next one.
fn count(at: usize, bytes: usize) {
    if let (Some(number), Some(sum)) = (word(at), word(at + 1)) {
        number.fetch_add(1, Relaxed);
        sum.fetch_add(bytes as u64, Relaxed);
    }
}

/// The bytes that are alive in this process, and its slot.
fn live() -> Option<(&'static AtomicU64, u16)> {
    match SLOT.load(Relaxed) {
        0 => None,
        slot => Some((word(FIRST_SLOT + slot * SLOT_WORDS + 1)?, slot as u16)),
    }
}

/// Sets `errno`.
fn fail(error: c_int) {
    // SAFETY: the C library gives each thread one.
    unsafe { *__errno_location() = error };
}

#[cfg(bare)]
#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    unsafe extern "C" {
        fn abort() -> !;
    }
    // SAFETY: nothing in here panics.
    unsafe { abort() }
}
