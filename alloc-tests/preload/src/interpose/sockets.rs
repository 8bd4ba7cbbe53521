//! Reads and writes: those that move bytes of an IPv4 or IPv6 socket are counted. What each returns and leaves in `errno`
//! is the C library's.

use core::ffi::{CStr, c_char, c_int, c_uint, c_void};
use core::ptr;
use core::sync::atomic::{AtomicPtr, Ordering::Relaxed};

use crate::layout::{READS, WRITES};
use crate::{__errno_location, count, fail};

#[link(name = "dl")]
unsafe extern "C" {
    fn dlsym(library: *mut c_void, name: *const c_char) -> *mut c_void;
    fn getsockopt(
        fd: c_int,
        level: c_int,
        name: c_int,
        value: *mut c_void,
        length: *mut c_uint,
    ) -> c_int;
}

const RTLD_NEXT: *mut c_void = ptr::without_provenance_mut(usize::MAX);
const SOL_SOCKET: c_int = 1;
const SO_DOMAIN: c_int = 39;
const AF_INET: c_int = 2;
const AF_INET6: c_int = 10;
const MSG_PEEK: c_int = 2;
const ENOSYS: c_int = 38;

/// The function of this name in the next library, the C library; looked up once.
pub(crate) fn next(name: &CStr, cache: &AtomicPtr<c_void>) -> *mut c_void {
    let known = cache.load(Relaxed);
    if !known.is_null() {
        return known;
    }
    // SAFETY: the name ends with a zero.
    let found = unsafe { dlsym(RTLD_NEXT, name.as_ptr()) };
    cache.store(found, Relaxed);
    found
}

/// Whether `fd` is a socket of IPv4 or IPv6. It keeps `errno`.
fn is_internet(fd: c_int) -> bool {
    let (mut domain, mut length) = (0, size_of::<c_int>() as c_uint);
    // SAFETY: the value is as long as `length` says; each thread has an `errno`.
    unsafe {
        let errno = __errno_location();
        let before = *errno;
        let value = ptr::from_mut(&mut domain).cast();
        let asked = getsockopt(fd, SOL_SOCKET, SO_DOMAIN, value, &mut length);
        *errno = before;
        asked == 0 && (domain == AF_INET || domain == AF_INET6)
    }
}

/// Counts what `moved` bytes if it was a transfer of an internet socket.
fn transferred(at: usize, fd: c_int, moved: isize) {
    if moved > 0 && is_internet(fd) {
        count(at, moved as usize);
    }
}

/// Interposes a function that transfers bytes. With `unless flags`, a call that only peeks is not counted.
macro_rules! interpose {
    ($($at:ident $name:ident($($argument:ident: $type:ty),*) $(unless $flags:ident)?;)*) => {$(
        #[unsafe(no_mangle)]
        unsafe extern "C" fn $name(fd: c_int, $($argument: $type),*) -> isize {
            static NEXT: AtomicPtr<c_void> = AtomicPtr::new(ptr::null_mut());
            const NAME: &CStr = match CStr::from_bytes_with_nul(concat!(stringify!($name), "\0").as_bytes()) {
                Ok(name) => name,
                Err(_) => c"",
            };
            let next = next(NAME, &NEXT);
            if next.is_null() {
                fail(ENOSYS);
                return -1;
            }
            // SAFETY: the function of this name has this type.
            let moved = unsafe {
                let next = core::mem::transmute::<
                    *mut c_void,
                    unsafe extern "C" fn(c_int, $($type),*) -> isize,
                >(next);
                next(fd, $($argument),*)
            };
            $(if $flags & MSG_PEEK != 0 {
                return moved;
            })?
            transferred($at, fd, moved);
            moved
        }
    )*};
}

type Bytes = *mut c_void;

interpose! {
    READS read(buffer: Bytes, length: usize);
    READS __read(buffer: Bytes, length: usize);
    READS __read_chk(buffer: Bytes, length: usize, room: usize);
    READS readv(parts: Bytes, number: c_int);
    READS recv(buffer: Bytes, length: usize, flags: c_int) unless flags;
    READS __recv_chk(buffer: Bytes, length: usize, room: usize, flags: c_int) unless flags;
    READS recvfrom(buffer: Bytes, length: usize, flags: c_int, from: Bytes, room: Bytes) unless flags;
    READS __recvfrom_chk(buffer: Bytes, length: usize, size: usize, flags: c_int, from: Bytes, room: Bytes) unless flags;
    READS recvmsg(message: Bytes, flags: c_int) unless flags;
    WRITES write(buffer: Bytes, length: usize);
    WRITES __write(buffer: Bytes, length: usize);
    WRITES writev(parts: Bytes, number: c_int);
    WRITES send(buffer: Bytes, length: usize, flags: c_int);
    WRITES __send(buffer: Bytes, length: usize, flags: c_int);
    WRITES sendto(buffer: Bytes, length: usize, flags: c_int, to: Bytes, size: c_uint);
    WRITES sendmsg(message: Bytes, flags: c_int);
    WRITES sendfile(from: c_int, offset: Bytes, length: usize);
    WRITES sendfile64(from: c_int, offset: Bytes, length: usize);
}

/// The C library's own answer for a block that it made itself.
pub(crate) unsafe fn next_usable_size(block: *mut c_void) -> usize {
    static NEXT: AtomicPtr<c_void> = AtomicPtr::new(ptr::null_mut());
    let next = next(c"malloc_usable_size", &NEXT);
    if next.is_null() {
        return 0;
    }
    // SAFETY: the function of this name has this type.
    unsafe {
        core::mem::transmute::<*mut c_void, unsafe extern "C" fn(*mut c_void) -> usize>(next)(block)
    }
}
