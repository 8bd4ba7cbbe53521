//! Memory that a program maps itself: an allocator of its own lives there, or a garbage-collected heap. What the C library
//! maps for `malloc` and for threads does not come through here.

use core::ffi::{CStr, c_int, c_void};
use core::mem::transmute;
use core::ptr;
use core::sync::atomic::{AtomicPtr, Ordering::Relaxed};

use crate::layout::MAPPED;
use crate::{fail, sockets, word};

const PROT_WRITE: c_int = 2;
const MAP_ANONYMOUS: c_int = 0x20;
const MAP_FAILED: *mut c_void = ptr::without_provenance_mut(usize::MAX);
const ENOSYS: c_int = 38;

/// Shorter mappings are stacks of signal handlers and the like, one in each thread of a Rust program.
const SHORTEST: usize = 64 * 1024;

type Protection = c_int;

macro_rules! interpose {
    ($($name:ident, $symbol:literal, $offset:ty;)*) => {$(
        #[unsafe(no_mangle)]
        unsafe extern "C" fn $name(
            at: *mut c_void,
            len: usize,
            protection: Protection,
            flags: c_int,
            fd: c_int,
            offset: $offset,
        ) -> *mut c_void {
            type Next = unsafe extern "C" fn(
                *mut c_void, usize, Protection, c_int, c_int, $offset,
            ) -> *mut c_void;
            static NEXT: AtomicPtr<c_void> = AtomicPtr::new(ptr::null_mut());
            const SYMBOL: &CStr = $symbol;
            let next = sockets::next(SYMBOL, &NEXT);
            if next.is_null() {
                fail(ENOSYS);
                return MAP_FAILED;
            }
            // SAFETY: the function of this name has this type.
            let mapped = unsafe {
                transmute::<*mut c_void, Next>(next)(at, len, protection, flags, fd, offset)
            };
            let is_memory = flags & MAP_ANONYMOUS != 0 && protection & PROT_WRITE != 0;
            if mapped != MAP_FAILED && is_memory && len >= SHORTEST && let Some(bytes) = word(MAPPED) {
                bytes.fetch_add(len as u64, Relaxed);
            }
            mapped
        }
    )*};
}

interpose! {
    mmap, c"mmap", isize;
    mmap64, c"mmap64", i64;
}

#[unsafe(no_mangle)]
unsafe extern "C" fn munmap(at: *mut c_void, len: usize) -> c_int {
    type Next = unsafe extern "C" fn(*mut c_void, usize) -> c_int;
    static NEXT: AtomicPtr<c_void> = AtomicPtr::new(ptr::null_mut());
    let next = sockets::next(c"munmap", &NEXT);
    if next.is_null() {
        fail(ENOSYS);
        return -1;
    }
    // SAFETY: the function of this name has this type.
    let unmapped = unsafe { transmute::<*mut c_void, Next>(next)(at, len) };
    // A mapped file is taken off too, so that the sum may fall below 0.
    if unmapped == 0
        && len >= SHORTEST
        && let Some(bytes) = word(MAPPED)
    {
        bytes.fetch_sub(len as u64, Relaxed);
    }
    unmapped
}
