//! When connections open and when they send. Pure: times are nanoseconds since the run's start.

use bench_kit::random::SplitMix64;
use load_plan::profile::{Arrival, Pace};

/// Fractional part of the golden ratio: its multiples spread evenly over a period for any number of connections.
const GOLDEN: f64 = 0.618_033_988_749_894_9;

/// The times at which the messages of one connection are due in an open loop.
#[derive(Clone, Debug)]
pub(super) struct Arrivals {
    begin_ns: u64,
    period_ns: f64,
    /// Periods of a constant rate since `begin_ns`, the phase included. Times are products, so that errors do not add up.
    periods: f64,
    poisson: Option<SplitMix64>,
    due_ns: u64,
}

impl Arrivals {
    /// Those of `user` from `begin_ns` on; `None` where the clock does not decide when to send.
    pub(super) fn new(pace: Pace, user: u32, seed: u64, begin_ns: u64) -> Option<Self> {
        let Pace::Open { rate, arrival } = pace else { return None };
        let phase = (f64::from(user) * GOLDEN).fract();
        let poisson = (arrival == Arrival::Poisson)
            .then(|| SplitMix64::new(seed ^ (u64::from(user) << 32) ^ begin_ns));
        let mut arrivals =
            Self { begin_ns, period_ns: 1e9 / rate, periods: phase, poisson, due_ns: begin_ns };
        match arrivals.poisson {
            Some(_) => arrivals.advance(),
            None => arrivals.due_ns = arrivals.at(phase),
        }
        Some(arrivals)
    }

    /// When the next message is due.
    pub(super) fn due_ns(&self) -> u64 {
        self.due_ns
    }

    /// Goes on to the next message.
    pub(super) fn advance(&mut self) {
        self.due_ns = match &mut self.poisson {
            Some(rng) => self.due_ns.saturating_add((exponential(rng) * self.period_ns) as u64),
            None => {
                self.periods += 1.0;
                self.at(self.periods)
            }
        };
    }

    fn at(&self, periods: f64) -> u64 {
        self.begin_ns.saturating_add((periods * self.period_ns) as u64)
    }
}

/// Uniform in 0 (included) to 1.
pub(super) fn uniform(rng: &mut SplitMix64) -> f64 {
    // A double holds 53 bits.
    (rng.draw() >> 11) as f64 / (1_u64 << 53) as f64
}

/// Exponentially distributed with mean 1, by the inverse of the distribution function.
fn exponential(rng: &mut SplitMix64) -> f64 {
    -(1.0 - uniform(rng)).ln()
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

    fn dues(pace: Pace, user: u32, count: usize) -> Vec<u64> {
        let mut arrivals = Arrivals::new(pace, user, 7, 1_000).expect("an open loop");
        std::iter::repeat_with(|| {
            let due = arrivals.due_ns();
            arrivals.advance();
            due
        })
        .take(count)
        .collect()
    }

    #[test]
    fn arrivals_of_a_constant_rate_do_not_drift() {
        let pace = Pace::Open { rate: 3.0, arrival: Arrival::Constant };
        let due = dues(pace, 0, 3_000_001);
        assert_eq!(due[0], 1_000);
        assert_eq!(due[3_000_000], 1_000_000_000_000_000 + 1_000);
    }

    #[test]
    fn arrivals_of_connections_are_out_of_phase() {
        let pace = Pace::Open { rate: 1.0, arrival: Arrival::Constant };
        let mut first: Vec<u64> = (0..100).map(|user| dues(pace, user, 1)[0]).collect();
        first.sort_unstable();
        let gaps = first.windows(2).map(|pair| pair[1] - pair[0]);
        assert!(gaps.max() < Some(25_000_000), "a hundred in a second leave no hole of 25 ms");
    }

    #[test]
    fn poisson_arrivals_have_the_mean_and_spread_of_their_rate_and_repeat_with_their_seed() {
        let pace = Pace::Open { rate: 1000.0, arrival: Arrival::Poisson };
        let due = dues(pace, 3, 100_001);
        assert_eq!(due, dues(pace, 3, 100_001));
        assert_ne!(due, dues(pace, 4, 100_001));
        let gaps: Vec<f64> = due.windows(2).map(|pair| (pair[1] - pair[0]) as f64 / 1e6).collect();
        let mean = gaps.iter().sum::<f64>() / gaps.len() as f64;
        let variance = gaps.iter().map(|gap| (gap - mean).powi(2)).sum::<f64>() / gaps.len() as f64;
        assert!((mean - 1.0).abs() < 0.02, "mean {mean}");
        assert!(
            (variance - 1.0).abs() < 0.05,
            "an exponential's variance is its mean squared: {variance}"
        );
    }

    #[test]
    fn a_closed_loop_has_no_arrivals() {
        assert!(Arrivals::new(Pace::Closed { depth: 4 }, 0, 1, 0).is_none());
        assert!(Arrivals::new(Pace::Idle, 0, 1, 0).is_none());
    }

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
