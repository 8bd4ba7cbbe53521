//! A benchmark and its floor in turns of about a millisecond, so that whatever slows the machine slows both.

use std::time::Duration;

use bench_kit::statistics::median;

use crate::pairs::Pair;

/// Length of a turn. A longer one lets the machine change between the two; of a shorter one, the change from one to the
/// other is a larger part.
const TURN: Duration = Duration::from_millis(1);

/// The turns of one benchmark and its floor.
#[derive(Debug)]
pub struct Turns<N> {
    /// The time since any fixed moment.
    now: N,
    /// Iterations of the next turn.
    iterations: u64,
    /// Nanoseconds per iteration of the benchmark and of the floor, for each pair of turns.
    times: Vec<[f64; 2]>,
}

impl<N: FnMut() -> Duration> Turns<N> {
    /// No turn has been taken.
    pub fn new(now: N) -> Self {
        Self { now, iterations: 1, times: Vec::new() }
    }

    /// Runs `benchmark` and `floor` so many times each; returns the time of the benchmark alone.
    pub fn take(
        &mut self,
        iterations: u64,
        benchmark: &mut dyn FnMut(),
        floor: &mut dyn FnMut(),
    ) -> Duration {
        let (mut left, mut whole) = (iterations, Duration::ZERO);
        while left > 0 {
            let count = self.iterations.min(left);
            left -= count;
            // Each is first in every other pair.
            let [slow, fast] = if self.times.len().is_multiple_of(2) {
                let slow = self.turn(count, benchmark);
                [slow, self.turn(count, floor)]
            } else {
                let fast = self.turn(count, floor);
                [self.turn(count, benchmark), fast]
            };
            whole += slow;
            let each = |time: Duration| time.as_nanos() as f64 / count as f64;
            self.times.push([each(slow), each(fast)]);
            let fit = TURN.as_nanos() as f64 / each(slow).max(1.0);
            self.iterations = (fit as u64).max(1);
        }
        whole
    }

    fn turn(&mut self, count: u64, run: &mut dyn FnMut()) -> Duration {
        let begin = (self.now)();
        (0..count).for_each(|_| run());
        (self.now)() - begin
    }

    /// The middle of all turns; `None` without any, or if the clock did not move.
    pub fn pair(&self) -> Option<Pair> {
        let moved = self.times.iter().filter(|times| times.iter().all(|time| *time > 0.0));
        let middle = |of: fn(&[f64; 2]) -> f64| median(&moved.clone().map(of).collect::<Vec<_>>());
        let pair = Pair {
            median_ns: middle(|[slow, _]| *slow)?,
            floor_ns: middle(|[_, fast]| *fast)?,
            ratio: middle(|[slow, fast]| slow / fast)?,
        };
        pair.is_valid().then_some(pair)
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    const MICROSECOND: u64 = 1_000;

    /// Runs `iterations` of a benchmark and a floor that take so many nanoseconds on a clock that they move.
    fn check(iterations: u64, slow_ns: u64, fast_ns: u64) -> (Duration, u64, Option<Pair>) {
        let (clock, runs) = (Cell::new(0), Cell::new(0));
        let mut turns = Turns::new(|| Duration::from_nanos(clock.get()));
        let step = |ns| {
            clock.set(clock.get() + ns);
            runs.set(runs.get() + 1);
        };
        let time = turns.take(iterations, &mut || step(slow_ns), &mut || step(fast_ns));
        (time, runs.get(), turns.pair())
    }

    #[test]
    fn a_benchmark_and_its_floor_run_equally_often_and_only_the_benchmark_is_returned() {
        let (time, runs, pair) = check(2_500, 20 * MICROSECOND, 10 * MICROSECOND);
        assert_eq!(time, Duration::from_millis(50));
        assert_eq!(runs, 5_000);
        assert_eq!(pair, Some(Pair { median_ns: 20_000.0, floor_ns: 10_000.0, ratio: 2.0 }));
    }

    #[test]
    fn turns_last_a_millisecond_or_one_iteration() {
        let count = |slow_ns| {
            let clock = Cell::new(0);
            let mut turns = Turns::new(|| Duration::from_nanos(clock.get()));
            turns.take(1_001, &mut || clock.set(clock.get() + slow_ns), &mut || {});
            turns.times.len()
        };
        // The first turn is one iteration long, the others a hundred.
        assert_eq!(count(10 * MICROSECOND), 1 + 10);
        assert_eq!(count(5_000 * MICROSECOND), 1_001);
    }

    #[test]
    fn a_disturbance_of_a_turn_moves_no_ratio() {
        let clock = Cell::new(0_u64);
        let mut turns = Turns::new(|| Duration::from_nanos(clock.get()));
        let runs = Cell::new(0);
        let mut slow = || {
            runs.set(runs.get() + 1);
            let stall = if runs.get() == 150 { 80_000_000 } else { 0 };
            clock.set(clock.get() + 30_000 + stall);
        };
        turns.take(1_000, &mut slow, &mut || clock.set(clock.get() + 10_000));
        assert_eq!(turns.pair().map(|pair| pair.ratio), Some(3.0));
    }

    #[test]
    fn a_clock_that_stands_still_gives_no_pair() {
        assert_eq!(check(10, 0, 0).2, None);
        assert_eq!(Turns::new(|| Duration::ZERO).pair(), None);
    }
}
