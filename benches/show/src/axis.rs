//! The scales of the charts in both HTML reports. Pure.

/// Ends of an axis, times a power of ten, whose quarters are round numbers too.
const QUARTERED: [f64; 5] = [1.0, 2.0, 4.0, 6.0, 8.0];

/// How values become heights.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Scale {
    /// Equal steps from 0 to `top`.
    Linear {
        /// The upper end.
        top: f64,
    },
    /// Whole decades from `bottom` to `top`.
    Log {
        /// The lower end, a power of ten.
        bottom: f64,
        /// The upper end, a power of ten.
        top: f64,
    },
}

impl Scale {
    /// From 0 to a round number at or above `highest`.
    pub fn linear(highest: f64) -> Self {
        Self::Linear { top: round_up(highest.max(f64::MIN_POSITIVE), &QUARTERED) }
    }

    /// From 0 to a number at or above `highest` whose quarters are whole numbers.
    pub fn counts(highest: u64) -> Self {
        match highest {
            0..40 => Self::Linear { top: (highest.div_ceil(4).max(1) * 4) as f64 },
            _ => Self::linear(highest as f64),
        }
    }

    /// Whole decades around the positive `values`; one decade without any.
    pub fn log(values: impl Iterator<Item = f64>) -> Self {
        let (mut bottom, mut top) = (f64::INFINITY, 0.0_f64);
        for value in values.filter(|value| value.is_finite() && *value > 0.0) {
            (bottom, top) = (bottom.min(value), top.max(value));
        }
        if top == 0.0 {
            return Self::Log { bottom: 1.0, top: 10.0 };
        }
        let (low, high) = (bottom.log10().floor(), top.log10().ceil());
        Self::Log { bottom: 10f64.powf(low), top: 10f64.powf(high.max(low + 1.0)) }
    }

    /// Distance from the top as a share of the height; values beyond the scale are placed at its edge.
    pub fn place(self, value: f64) -> f64 {
        let share = match self {
            Self::Linear { top } => value / top,
            Self::Log { bottom, top } => (value / bottom).ln() / (top / bottom).ln(),
        };
        1.0 - share.clamp(0.0, 1.0)
    }

    /// The labelled values.
    pub fn ticks(self) -> Vec<f64> {
        match self {
            Self::Linear { top } => (1..=4).map(|quarter| top * f64::from(quarter) / 4.0).collect(),
            Self::Log { bottom, top } => {
                let decades = (top / bottom).log10().round() as i32;
                (0..=decades).map(|decade| bottom * 10f64.powi(decade)).collect()
            }
        }
    }
}

/// The next of `ends`, ascending from 1 and below 10, times a power of ten.
pub fn round_up(value: f64, ends: &[f64]) -> f64 {
    let unit = 10f64.powf(value.log10().floor());
    // With slack for rounding: 0.06 is 6.000000000000001 units.
    let end = ends.iter().find(|end| **end * unit >= value * 0.999_999);
    end.unwrap_or(&10.0) * unit
}

/// A length in pixels, with one decimal unless it is whole.
pub fn px(value: f64) -> String {
    let text = format!("{value:.1}");
    text.strip_suffix(".0").map_or_else(|| text.clone(), str::to_owned)
}

/// A position or length in percent of the width.
pub fn pct(value: f64) -> String {
    format!("{value:.2}%")
}

/// The `text-anchor` of a label at a position in percent of the width: the first and the last label stay on the page.
pub fn anchor(percent: f64) -> &'static str {
    match percent {
        ..3.0 => "start",
        ..97.0 => "middle",
        _ => "end",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_axis_ends_at_a_round_number() {
        for (highest, top) in [(1.0, 1.0), (1.01, 2.0), (37.0, 40.0), (81.0, 100.0), (0.06, 0.06)] {
            assert_eq!(Scale::linear(highest), Scale::Linear { top }, "{highest}");
        }
        assert_eq!(Scale::counts(5), Scale::Linear { top: 8.0 });
    }

    #[test]
    fn a_logarithmic_axis_has_whole_decades() {
        let scale = Scale::log([0.0, 30.0, f64::NAN, 2_000.0].into_iter());
        assert_eq!(scale, Scale::Log { bottom: 10.0, top: 10_000.0 });
        assert_eq!(scale.ticks().len(), 4);
        assert_eq!([10.0, 10_000.0, 1.0].map(|value| scale.place(value)), [1.0, 0.0, 1.0]);
    }
}
