//! The heap: each block has a header before it, so that the bytes that are alive are exact, as they were requested.

use core::ffi::{c_int, c_void};
use core::ptr;
use core::sync::atomic::Ordering::Relaxed;

use crate::layout::BLOCKS;
use crate::{count, fail, live, sockets};

type Block = *mut c_void;

unsafe extern "C" {
    fn __libc_calloc(number: usize, size: usize) -> Block;
    fn __libc_free(block: Block);
    fn __libc_malloc(size: usize) -> Block;
    fn __libc_memalign(align: usize, size: usize) -> Block;
    fn __libc_realloc(block: Block, size: usize) -> Block;
    fn getpagesize() -> c_int;
}

const ENOMEM: c_int = 12;
const EINVAL: c_int = 22;

/// What lies before a block. Its 16 bytes keep the alignment that `malloc` promises.
#[repr(C)]
struct Header {
    size: u64,
    magic: u32,
    /// The slot of the process that counted the block as alive; 0 if none did.
    slot: u16,
    /// The logarithm of the bytes between the start of the C library's block and this one.
    shift: u8,
}

const SHIFT: u8 = 4;
const HEADER: usize = 1 << SHIFT;
const _: () = assert!(size_of::<Header>() == HEADER);

/// Marks a block of ours. It depends on the address, so that a copy of a header is no header.
fn magic(block: Block) -> u32 {
    (block.addr() >> SHIFT) as u32 ^ 0x9e37_79b9
}

/// The header of `block`; none if another allocator made it.
unsafe fn header(block: Block) -> Option<&'static mut Header> {
    // SAFETY: before a block of the C library lies its own header, and every other one begins behind a page's begin.
    let header = unsafe { &mut *block.byte_sub(HEADER).cast::<Header>() };
    (header.magic == magic(block)).then_some(header)
}

/// Counts a new block of `size` bytes that lies `1 << shift` bytes behind `start`, and writes its header.
unsafe fn made(start: Block, shift: u8, size: usize) -> Block {
    if start.is_null() {
        return start;
    }
    count(BLOCKS, size);
    let mut slot = 0;
    if let Some((bytes, number)) = live() {
        bytes.fetch_add(size as u64, Relaxed);
        slot = number;
    }
    // SAFETY: the C library's block is longer than `size` by `1 << shift` bytes, which are at least a header's.
    unsafe {
        let block = start.byte_add(1 << shift);
        let header = Header { size: size as u64, magic: magic(block), slot, shift };
        block.byte_sub(HEADER).cast::<Header>().write(header);
        block
    }
}

/// Takes a block back, if this process counted it as alive.
fn gone(header: &Header) {
    if let Some((bytes, slot)) = live()
        && slot == header.slot
    {
        bytes.fetch_sub(header.size, Relaxed);
    }
}

/// `size` and the room before it; none if that is more than the C library can have.
fn with_room(size: usize, room: usize) -> Option<usize> {
    let whole = size.checked_add(room).filter(|whole| *whole <= isize::MAX as usize);
    if whole.is_none() {
        fail(ENOMEM);
    }
    whole
}

#[unsafe(no_mangle)]
unsafe extern "C" fn malloc(size: usize) -> Block {
    let Some(whole) = with_room(size, HEADER) else { return ptr::null_mut() };
    // SAFETY: as in the C library.
    unsafe { made(__libc_malloc(whole), SHIFT, size) }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn calloc(number: usize, size: usize) -> Block {
    let size = number.saturating_mul(size);
    let Some(whole) = with_room(size, HEADER) else { return ptr::null_mut() };
    // SAFETY: as in the C library.
    unsafe { made(__libc_calloc(1, whole), SHIFT, size) }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn free(block: Block) {
    if block.is_null() {
        return;
    }
    // SAFETY: as in the C library.
    unsafe {
        let Some(header) = header(block) else { return __libc_free(block) };
        gone(header);
        // The C library reports a block that is freed twice.
        header.magic = 0;
        __libc_free(block.byte_sub(1 << header.shift));
    }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn realloc(block: Block, size: usize) -> Block {
    // SAFETY: as in the C library.
    unsafe {
        if block.is_null() {
            return malloc(size);
        }
        let Some(header) = header(block) else {
            let block = __libc_realloc(block, size);
            if !block.is_null() {
                count(BLOCKS, size);
            }
            return block;
        };
        if size == 0 {
            free(block);
            return ptr::null_mut();
        }
        let Some(whole) = with_room(size, HEADER) else { return ptr::null_mut() };
        let old = Header { ..*header };
        if old.shift == SHIFT {
            let start = __libc_realloc(block.byte_sub(HEADER), whole);
            if !start.is_null() {
                gone(&old);
            }
            return made(start, SHIFT, size);
        }
        // The C library would not keep the distance between its block and ours.
        let new = malloc(size);
        if !new.is_null() {
            ptr::copy_nonoverlapping::<u8>(block.cast(), new.cast(), size.min(old.size as usize));
            free(block);
        }
        new
    }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn reallocarray(block: Block, number: usize, size: usize) -> Block {
    let Some(size) = number.checked_mul(size) else {
        fail(ENOMEM);
        return ptr::null_mut();
    };
    // SAFETY: as in the C library.
    unsafe { realloc(block, size) }
}

/// A block of `size` bytes with `spare` bytes behind it. An alignment that is no power of two becomes the next one.
unsafe fn aligned(align: usize, size: usize, spare: usize) -> Block {
    let Some(align) = align.checked_next_power_of_two() else {
        fail(EINVAL);
        return ptr::null_mut();
    };
    let align = align.max(HEADER);
    let Some(whole) = with_room(size, align).and_then(|whole| with_room(whole, spare)) else {
        return ptr::null_mut();
    };
    // SAFETY: as in the C library.
    unsafe { made(__libc_memalign(align, whole), align.trailing_zeros() as u8, size) }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn memalign(align: usize, size: usize) -> Block {
    // SAFETY: as in the C library.
    unsafe { aligned(align, size, 0) }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn aligned_alloc(align: usize, size: usize) -> Block {
    // SAFETY: as in the C library.
    unsafe { aligned(align, size, 0) }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn posix_memalign(place: *mut Block, align: usize, size: usize) -> c_int {
    if !align.is_power_of_two() || !align.is_multiple_of(size_of::<Block>()) {
        return EINVAL;
    }
    // SAFETY: as in the C library.
    unsafe {
        let block = aligned(align, size, 0);
        if block.is_null() {
            return ENOMEM;
        }
        *place = block;
    }
    0
}

#[unsafe(no_mangle)]
unsafe extern "C" fn valloc(size: usize) -> Block {
    // SAFETY: as in the C library.
    unsafe { aligned(getpagesize() as usize, size, 0) }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn pvalloc(size: usize) -> Block {
    // SAFETY: as in the C library.
    unsafe {
        let page = getpagesize() as usize;
        aligned(page, size, size.wrapping_neg() % page)
    }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn malloc_usable_size(block: Block) -> usize {
    if block.is_null() {
        return 0;
    }
    // SAFETY: as in the C library. A program may use all bytes that it is told of, so it is told the requested ones.
    unsafe {
        match header(block) {
            Some(header) => header.size as usize,
            None => sockets::next_usable_size(block),
        }
    }
}
