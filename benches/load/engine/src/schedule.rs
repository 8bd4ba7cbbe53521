//! When connections open, and open again. Pure: times are nanoseconds since the run's start.

use bench_kit::random::SplitMix64;

/// Uniform in 0 (included) to 1.
pub(super) fn uniform(rng: &mut SplitMix64) -> f64 {
    // A double holds 53 bits.
    (rng.draw() >> 11) as f64 / (1_u64 << 53) as f64
}

/// A move of a user in a ramp.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Move {
    /// When.
    pub(super) at_ns: u64,
    /// Who.
    pub(super) user: u32,
    /// Whether the connection is opened, or closed.
    pub(super) opens: bool,
}

/// The moves of a ramp from `from` connections to `to`, evenly spread over `ramp_ns` from `begin_ns` on, in order of time.
pub(super) fn ramp(from: u32, to: u32, begin_ns: u64, ramp_ns: u64) -> impl Iterator<Item = Move> {
    let count = from.abs_diff(to);
    (0..count).map(move |nth| Move {
        at_ns: begin_ns + (u128::from(ramp_ns) * u128::from(nth) / u128::from(count)) as u64,
        user: if to > from { from + nth } else { from - 1 - nth },
        opens: to > from,
    })
}

/// The delay before attempt `tries` after failures, in nanoseconds: full jitter over a ceiling that doubles, from a
/// quarter of a second to five seconds (RFC 6455 §7.2.3 asks for both).
pub(super) fn back_off_ns(tries: u32, rng: &mut SplitMix64) -> u64 {
    let ceiling = (250_000_000_u64 << tries.min(8)).min(5_000_000_000);
    (uniform(rng) * ceiling as f64) as u64
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{SplitMix64, *};

    proptest! {
        #[test]
        fn a_ramp_moves_every_user_once_and_in_order(from in 0_u32..500, to in 0_u32..500, ramp_ns in 0_u64..1 << 40) {
            let moves: Vec<Move> = ramp(from, to, 7, ramp_ns).collect();
            prop_assert_eq!(moves.len() as u32, from.abs_diff(to));
            prop_assert!(moves.is_sorted_by_key(|next| next.at_ns));
            prop_assert!(moves.iter().all(|next| (7..7 + ramp_ns.max(1)).contains(&next.at_ns)));
            let mut users: Vec<u32> = moves.iter().map(|next| next.user).collect();
            users.sort_unstable();
            prop_assert_eq!(users, (from.min(to)..from.max(to)).collect::<Vec<_>>());
        }

        #[test]
        fn a_back_off_is_never_longer_than_five_seconds(tries in 0_u32..100, seed: u64) {
            prop_assert!(back_off_ns(tries, &mut SplitMix64::new(seed)) <= 5_000_000_000);
        }
    }
}
