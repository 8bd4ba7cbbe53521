//! When the messages of a virtual user are due. Pure: times are nanoseconds since the run's start.

use std::collections::VecDeque;

use bench_kit::random::SplitMix64;
use load_plan::profile::{Arrival, Pace};

use super::schedule::uniform;

/// Fractional part of the golden ratio: its multiples spread evenly over a period for any number of users.
const GOLDEN: f64 = 0.618_033_988_749_894_9;

/// The messages of one virtual user in open loops. They are due whether or not it has a connection.
#[derive(Debug)]
pub(super) struct Arrivals {
    user: u32,
    seed: u64,
    next: Queue,
    /// Where [`Arrivals::count`] has come to, if messages are due that were not taken.
    seen: Queue,
    counted: u64,
}

/// Messages in order of time.
#[derive(Clone, Debug)]
struct Queue {
    /// The first is that of the next message. Another follows where the pace changes.
    series: VecDeque<Series>,
    due_ns: u64,
    taken: u64,
}

/// Messages of one pace, from `begin_ns` to before `end_ns`.
#[derive(Clone, Debug)]
struct Series {
    begin_ns: u64,
    end_ns: u64,
    period_ns: f64,
    /// Periods of a constant rate since `begin_ns`, the phase included. Times are products, so that errors do not add up.
    periods: f64,
    poisson: Option<SplitMix64>,
    due_ns: u64,
}

impl Arrivals {
    /// None, until there is a pace to follow.
    pub(super) const fn new(user: u32, seed: u64) -> Self {
        Self { user, seed, next: Queue::new(), seen: Queue::new(), counted: 0 }
    }

    /// When the next message is due; [`u64::MAX`] without one.
    pub(super) fn due_ns(&self) -> u64 {
        self.next.due_ns
    }

    /// Goes on to the next message.
    pub(super) fn advance(&mut self) {
        self.next.advance();
    }

    /// Follows `pace`, that of `stage`, from `begin_ns` on. Messages that were due before stay due.
    pub(super) fn follow(&mut self, pace: Pace, stage: usize, begin_ns: u64) {
        // The time is no part of the seed: runs repeat, and connections open when they do.
        let seed = self.seed ^ (u64::from(self.user) << 32) ^ stage as u64;
        let series = Series::new(pace, self.user, seed, begin_ns);
        for queue in [&mut self.next, &mut self.seen] {
            queue.end(begin_ns);
            queue.series.extend(series.clone());
            queue.settle();
        }
    }

    /// Nothing more is due from `at_ns` on.
    pub(super) fn end(&mut self, at_ns: u64) {
        self.follow(Pace::Idle, 0, at_ns);
    }

    /// Everything is due `ns` later: the user is away on purpose.
    pub(super) fn postpone(&mut self, ns: u64) {
        self.next.postpone(ns);
        self.seen.postpone(ns);
    }

    /// Messages that are due before `until_ns` and were not counted before.
    pub(super) fn count(&mut self, until_ns: u64) -> u64 {
        let mut all = self.next.taken;
        if self.next.due_ns < until_ns {
            if self.seen.taken < self.next.taken {
                self.seen.clone_from(&self.next);
            }
            while self.seen.due_ns < until_ns {
                self.seen.advance();
            }
            all = all.max(self.seen.taken);
        }
        let more = all.saturating_sub(self.counted);
        self.counted += more;
        more
    }

    /// Messages that were counted and not taken.
    pub(super) fn unsent(&self) -> u64 {
        self.counted.saturating_sub(self.next.taken)
    }
}

impl Queue {
    const fn new() -> Self {
        Self { series: VecDeque::new(), due_ns: u64::MAX, taken: 0 }
    }

    fn advance(&mut self) {
        if let Some(first) = self.series.front_mut() {
            self.taken += 1;
            first.advance();
            self.due_ns = first.due_ns;
            if first.due_ns >= first.end_ns {
                self.settle();
            }
        }
    }

    fn end(&mut self, at_ns: u64) {
        for series in &mut self.series {
            series.end_ns = series.end_ns.min(at_ns);
        }
    }

    /// Forgets series that have ended.
    fn settle(&mut self) {
        while self.series.pop_front_if(|first| first.due_ns >= first.end_ns).is_some() {}
        self.due_ns = self.series.front().map_or(u64::MAX, |first| first.due_ns);
    }

    fn postpone(&mut self, ns: u64) {
        for series in &mut self.series {
            for time in [&mut series.begin_ns, &mut series.end_ns, &mut series.due_ns] {
                *time = time.saturating_add(ns);
            }
        }
        self.settle();
    }
}

impl Series {
    /// `None` where the clock does not decide when to send.
    fn new(pace: Pace, user: u32, seed: u64, begin_ns: u64) -> Option<Self> {
        let Pace::Open { rate, arrival } = pace else { return None };
        let phase = (f64::from(user) * GOLDEN).fract();
        let poisson = (arrival == Arrival::Poisson).then(|| SplitMix64::new(seed));
        let (period_ns, end_ns) = (1e9 / rate, u64::MAX);
        let mut series =
            Self { begin_ns, end_ns, period_ns, periods: phase, poisson, due_ns: begin_ns };
        match series.poisson {
            Some(_) => series.advance(),
            None => series.due_ns = series.at(phase),
        }
        Some(series)
    }

    fn advance(&mut self) {
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

/// Exponentially distributed with mean 1, by the inverse of the distribution function.
fn exponential(rng: &mut SplitMix64) -> f64 {
    -(1.0 - uniform(rng)).ln()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn following(pace: Pace, user: u32, begin_ns: u64) -> Arrivals {
        let mut arrivals = Arrivals::new(user, 7);
        arrivals.follow(pace, 0, begin_ns);
        arrivals
    }

    /// The times of what is due before `until_ns`.
    fn until(arrivals: &mut Arrivals, until_ns: u64) -> Vec<u64> {
        std::iter::from_fn(|| {
            let due_ns = arrivals.due_ns();
            (due_ns < until_ns).then(|| arrivals.advance()).map(|()| due_ns)
        })
        .collect()
    }

    const TENTHS: Pace = Pace::Open { rate: 1e8, arrival: Arrival::Constant };

    #[test]
    fn messages_that_were_due_before_the_pace_changes_stay_due() {
        let mut arrivals = following(TENTHS, 0, 0);
        arrivals.follow(Pace::Open { rate: 5e7, arrival: Arrival::Constant }, 1, 25);
        assert_eq!(until(&mut arrivals, 70), [0, 10, 20, 25, 45, 65]);
        arrivals.end(90);
        assert_eq!(until(&mut arrivals, 200), [85]);
        assert_eq!(arrivals.due_ns(), u64::MAX);
    }

    #[test]
    fn messages_are_counted_once_whether_or_not_they_were_taken() {
        let mut arrivals = following(TENTHS, 0, 0);
        assert_eq!(until(&mut arrivals, 35).len(), 4);
        assert_eq!([arrivals.count(40), arrivals.count(60), arrivals.count(60)], [4, 2, 0]);
        assert_eq!(until(&mut arrivals, 85).len(), 5);
        assert_eq!([arrivals.count(80), arrivals.count(100)], [3, 1]);
        arrivals.end(130);
        assert_eq!([arrivals.count(200), arrivals.count(300)], [3, 0]);
        assert_eq!(until(&mut arrivals, 200), [90, 100, 110, 120]);
        assert_eq!(arrivals.count(300), 0);
    }

    #[test]
    fn what_is_postponed_is_due_later_and_not_twice() {
        let mut arrivals = following(TENTHS, 0, 0);
        assert_eq!(until(&mut arrivals, 25).len(), 3);
        arrivals.postpone(1_000);
        assert_eq!((arrivals.count(1_000), arrivals.count(1_050)), (3, 2));
        assert_eq!(until(&mut arrivals, 1_050), [1_030, 1_040]);
    }

    fn dues(pace: Pace, user: u32, count: usize) -> Vec<u64> {
        let mut arrivals = following(pace, user, 1_000);
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
    fn poisson_arrivals_repeat_with_their_seed_whenever_they_begin() {
        let pace = Pace::Open { rate: 1000.0, arrival: Arrival::Poisson };
        let begun = |begin_ns| until(&mut following(pace, 3, begin_ns), begin_ns + 1_000_000_000);
        let (early, late) = (begun(0), begun(7_123));
        assert!(early.len() > 800, "{}", early.len());
        assert!(early.iter().zip(&late).all(|(early, late)| early + 7_123 == *late));
        let mut changed = following(pace, 3, 0);
        changed.follow(pace, 1, 1);
        assert_ne!(
            until(&mut changed, 1_000_000_001)[0],
            early[0] + 1,
            "another stage, another draw"
        );
    }

    #[test]
    fn poisson_arrivals_have_the_mean_and_spread_of_their_rate() {
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
        assert_eq!(following(Pace::Closed { depth: 4 }, 0, 0).due_ns(), u64::MAX);
        assert_eq!(following(Pace::Idle, 0, 0).due_ns(), u64::MAX);
    }
}
