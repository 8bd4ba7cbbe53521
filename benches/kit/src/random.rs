//! Random numbers that a seed repeats.

/// `SplitMix64` (Steele, Lea & Flood 2014), written out here because a seed in a report has to give the same numbers
/// after every update of a dependency.
#[derive(Clone, Debug)]
pub struct SplitMix64(u64);

impl SplitMix64 {
    /// All seeds are equally good, 0 too.
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// 64 uniform bits.
    pub fn draw(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// Puts `items` in any of their orders with the same probability, but for one part in 2^64 / `items.len()`
    /// (Durstenfeld 1964).
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            let scaled = u128::from(self.draw()) * (last as u128 + 1);
            items.swap(last, (scaled >> 64) as usize);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    /// The first draws of the reference implementation, `splitmix64.c` by Vigna.
    #[test]
    fn a_seed_gives_the_numbers_of_the_reference_implementation() {
        let mut rng = SplitMix64::new(1_234_567);
        let drawn = [rng.draw(), rng.draw(), rng.draw()];
        assert_eq!(drawn, [6457827717110365317, 3203168211198807973, 9817491932198370423]);
        let mut arms = ["base", "copy of base", "head"];
        SplitMix64::new(7).shuffle(&mut arms);
        assert_eq!(arms, ["head", "base", "copy of base"]);
    }

    #[test]
    fn a_shuffle_gives_every_order_equally_often() {
        let mut rng = SplitMix64::new(3);
        let mut times = BTreeMap::new();
        for _ in 0..6000 {
            let mut arms = [0, 1, 2];
            rng.shuffle(&mut arms);
            *times.entry(arms).or_insert(0) += 1;
        }
        assert_eq!(times.len(), 6);
        for (order, times) in times {
            // Four standard deviations of 1000 expected.
            assert!((885..=1115).contains(&times), "{order:?} {times} times");
        }
    }

    proptest! {
        #[test]
        fn a_shuffle_keeps_all_items(
            mut items in proptest::collection::vec(any::<u8>(), 0..50),
            seed: u64,
        ) {
            let mut mixed = items.clone();
            SplitMix64::new(seed).shuffle(&mut mixed);
            mixed.sort_unstable();
            items.sort_unstable();
            prop_assert_eq!(mixed, items);
        }
    }
}
