//! Totals of windows → the cost of one operation, and whether runs agree on it; pure.

/// Windows of N and of 2N operations: the totals of one quantity.
#[derive(Clone, Debug, Default)]
pub(super) struct Samples {
    pub(super) once: Vec<i64>,
    pub(super) twice: Vec<i64>,
}

/// Farthest that a slope may be from the whole number that it is taken for, in a program that does something by itself.
const STRAY: f64 = 0.05;

impl Samples {
    /// Whether the smallest totals have been seen twice: a timer or the machine adds to some windows, never takes away.
    pub(super) fn are_steady(&self) -> bool {
        is_steady(&self.once) && is_steady(&self.twice)
    }

    /// The cost of one of `operations`: the slope of the smallest totals, with three significant digits, or whole from 100
    /// on. Unless the program is `quiet` while nothing happens, it becomes a whole number if it is within [`STRAY`] of one.
    pub(super) fn figure(&self, operations: u64, quiet: bool) -> Option<f64> {
        let (once, twice) = (self.once.iter().min()?, self.twice.iter().min()?);
        let slope = (*twice as f64 - *once as f64) / operations as f64;
        let whole = slope.round();
        let is_whole = !quiet && (slope - whole).abs() <= STRAY;
        let parts = match slope.abs() {
            _ if is_whole => 1.0,
            ..10.0 => 100.0,
            ..100.0 => 10.0,
            _ => 1.0,
        };
        // A zero without a sign.
        Some((slope * parts).round() / parts + 0.0)
    }
}

fn is_steady(totals: &[i64]) -> bool {
    let least = totals.iter().min();
    totals.iter().filter(|total| Some(*total) == least).count() >= 2
}

/// The figures of all runs for one quantity.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Outcome {
    /// All runs say it.
    Exact(f64),
    /// From the least to the most that a run says.
    Differs(f64, f64),
    /// It does not go through the functions that the library sees.
    NotMeasured,
}

impl Outcome {
    /// What `figures`, one for each run, say together.
    pub(super) fn of(figures: &[Option<f64>]) -> Self {
        let known: Option<Vec<f64>> = figures.iter().copied().collect();
        let Some(known) = known.filter(|known| !known.is_empty()) else { return Self::NotMeasured };
        let least = known.iter().copied().fold(f64::INFINITY, f64::min);
        let most = known.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        if least == most { Self::Exact(least) } else { Self::Differs(least, most) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(once: &[i64], twice: &[i64], quiet: bool, expected: f64) {
        let samples = Samples { once: once.to_vec(), twice: twice.to_vec() };
        assert_eq!(samples.figure(1000, quiet), Some(expected), "{samples:?}");
    }

    #[test]
    fn the_cost_of_an_operation_is_the_slope_between_n_and_2n() {
        check(&[57, 57], &[57, 57], true, 0.0);
        check(&[3031, 3031], &[6031, 6031], true, 3.0);
        check(&[40, 40], &[110, 110], true, 0.07);
    }

    #[test]
    fn the_smallest_total_is_the_one_without_a_stray_tick() {
        check(&[68, 57, 57], &[57, 79, 57], false, 0.0);
        check(&[1057, 1099, 1057], &[2099, 2057, 2057], true, 1.0);
    }

    #[test]
    fn a_tick_in_every_long_window_is_no_cost_of_a_message() {
        check(&[57, 57], &[68, 68], false, 0.0);
        check(&[57, 57], &[46, 46], false, 0.0);
        check(&[1057, 1060], &[2068, 2071], false, 1.0);
    }

    #[test]
    fn a_small_cost_in_a_quiet_program_is_not_rounded_away() {
        check(&[57, 57], &[73, 73], true, 0.02);
        check(&[57, 59], &[101, 99], true, 0.04);
    }

    #[test]
    fn a_cost_far_from_a_whole_number_is_told_as_it_is() {
        check(&[500, 501], &[1000, 998], false, 0.5);
        check(&[25_500, 25_501], &[51_060, 51_060], true, 25.6);
        check(&[849_000, 849_001], &[1_698_210, 1_698_333], false, 849.0);
        check(&[-100, -100], &[-200, -200], true, -0.1);
        check(&[100, 102], &[160, 170], false, 0.06);
    }

    #[test]
    fn totals_are_steady_once_the_smallest_was_seen_twice() {
        let samples = |once: &[i64]| Samples { once: once.to_vec(), twice: vec![9, 8, 8] };
        assert!(samples(&[7, 5, 5]).are_steady());
        assert!(!samples(&[5, 5, 4]).are_steady());
        assert!(!samples(&[]).are_steady());
        assert_eq!(samples(&[]).figure(1000, true), None);
    }

    #[test]
    fn runs_that_say_the_same_are_exact_and_others_have_a_range() {
        assert_eq!(Outcome::of(&[Some(26.0); 3]), Outcome::Exact(26.0));
        let differs = Outcome::of(&[Some(26.0), Some(25.5), Some(27.0)]);
        assert_eq!(differs, Outcome::Differs(25.5, 27.0));
        assert_eq!(Outcome::of(&[Some(1.0), None]), Outcome::NotMeasured);
        assert_eq!(Outcome::of(&[]), Outcome::NotMeasured);
    }
}
