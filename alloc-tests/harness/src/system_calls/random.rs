//! Random numbers that are the same in every window: SplitMix64 (Steele, Lea, Flood 2014, doi 10.1145/2660193.2660195) over
//! a counter. Only for tests: keys made of them are known to everyone.

use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;

/// The number of words drawn by the server's threads in this window, and by the driver in this process. They do not share
/// one, because the driver draws in its first window only.
static DRAWN: [AtomicU64; 2] = [const { AtomicU64::new(0) }; 2];

/// The server's numbers begin again.
pub(super) fn restart() {
    DRAWN[0].store(0, Relaxed);
}

/// Fills the buffer of a stopped `getrandom`, and returns its answer: the number of bytes.
pub(super) fn fill(call: &libc::seccomp_data, is_of_server: bool) -> i64 {
    let (address, length) = (call.args[0] as usize, call.args[1] as usize);
    let drawn = &DRAWN[usize::from(!is_of_server)];
    for at in (0..length).step_by(size_of::<u64>()) {
        let word = split_mix(drawn.fetch_add(1, Relaxed)).to_le_bytes();
        let size = word.len().min(length - at);
        // SAFETY: the stopped thread, of this process, gave the buffer to the kernel for writing, and waits.
        unsafe {
            std::ptr::copy_nonoverlapping(word.as_ptr(), (address + at) as *mut u8, size);
        }
    }
    i64::try_from(length).unwrap_or(i64::MAX)
}

/// The word at `index`, from 0 on.
fn split_mix(index: u64) -> u64 {
    let mut z = (index + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// From Sebastiano Vigna's reference implementation, <https://prng.di.unimi.it/splitmix64.c>, with the seed 0.
    #[test]
    fn the_words_are_those_of_the_reference() {
        let words = [0, 1, 2].map(split_mix);
        assert_eq!(words, [0xe220_a839_7b1d_cdaf, 0x6e78_9e6a_a1b9_65f4, 0x06c4_5d18_8009_454f]);
    }
}
