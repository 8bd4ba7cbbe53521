//! Changes in words, as every report prints them.

use crate::compare::Change;
use crate::sites::SiteChange;

/// `blocks 212 → 1212 at 1000, 212 → 2212 at 2000: +1 per message`.
#[must_use]
pub fn change(change: &Change, ops: [u64; 2], unit: &str) -> String {
    let ([old, old_double], [new, new_double]) = (change.recorded, change.measured);
    let [n, double] = ops;
    let delta = change.per_op_delta(ops).unwrap_or_default();
    let delta = if delta == 0.0 {
        format!("{} in all", signed(new as f64 - old as f64))
    } else {
        format!("{} per {unit}", signed(delta))
    };
    let name = change.metric.name();
    format!("  {name} {old} → {new} at {n}, {old_double} → {new_double} at {double}: {delta}")
}

/// `+1 blocks, +64 bytes per message  server/src/echo.rs:134`, or the totals if only the fixed cost changed.
#[must_use]
pub fn site(site: &SiteChange, ops: [u64; 2], unit: &str) -> String {
    let (recorded, measured) =
        (site.recorded.unwrap_or_default(), site.measured.unwrap_or_default());
    let place = match (site.place.as_deref(), site.measured) {
        (Some(place), _) if !place.is_empty() => place,
        (_, None) => "gone",
        _ => "place unknown",
    };
    let delta = |old: [u64; 2], new: [u64; 2]| {
        let at = |n: usize| new[n] as f64 - old[n] as f64;
        let slope = (at(1) - at(0)) / (ops[1] - ops[0]) as f64;
        (slope, at(0) - slope * ops[0] as f64)
    };
    let (blocks, fixed_blocks) = delta(recorded.blocks, measured.blocks);
    let (bytes, fixed_bytes) = delta(recorded.bytes, measured.bytes);
    let (blocks, bytes, per) = if blocks == 0.0 && bytes == 0.0 {
        (fixed_blocks, fixed_bytes, "in all".to_owned())
    } else {
        (blocks, bytes, format!("per {unit}"))
    };
    format!("  {} blocks, {} bytes {per}  {place}", signed(blocks), signed(bytes))
}

/// A whole number without digits after the point, any other with two.
#[must_use]
pub fn number(value: f64) -> String {
    // A small negative value would print as -0.
    let value = if value.abs() < 0.005 { 0.0 } else { value };
    let digits = if (value - value.round()).abs() < 0.005 { 0 } else { 2 };
    format!("{value:.digits$}")
}

/// [`number`], with its sign.
#[must_use]
pub fn signed(value: f64) -> String {
    let text = number(value);
    if text.starts_with('-') { text } else { format!("+{text}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_no_digits_that_say_nothing() {
        for (value, shown) in [(1.0, "1"), (0.066, "0.07"), (-0.001, "0"), (-2.5, "-2.50")] {
            assert_eq!(number(value), shown);
        }
        assert_eq!([signed(1.0), signed(0.0), signed(-1.0)], ["+1", "+0", "-1"]);
    }
}
