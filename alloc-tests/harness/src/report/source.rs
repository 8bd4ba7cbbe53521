//! The line of code at a call site, as rustc quotes it.

use std::fs;
use std::path::Path;

/// Widest line of a report.
const WIDTH: usize = 80;

/// `      119 | self.send(message.to_vec())` for `server/src/echo.rs:119`, a place below `root`, cut to 80 columns. `None` if
/// there is no such line.
pub(super) fn quote(root: &Path, place: &str) -> Option<String> {
    let (file, line) = place.rsplit_once(':')?;
    let number: usize = line.parse().ok()?;
    let text = fs::read_to_string(root.join(file)).ok()?;
    let code = text.lines().nth(number.checked_sub(1)?)?.trim();
    let before = format!("      {number} | ");
    let shown: String = code.chars().take(WIDTH.saturating_sub(before.len())).collect();
    (!code.is_empty()).then(|| before + &shown)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_of_a_place_is_quoted_without_its_indentation() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let first = "      1 | //! The line of code at a call site, as rustc quotes it.";
        assert_eq!(quote(root, "src/report/source.rs:1").as_deref(), Some(first));
        let long = quote(root, "src/report/source.rs:9").expect("there is a line");
        assert!(long.starts_with("      9 | /// `") && long.chars().count() == WIDTH, "{long}");
    }

    #[test]
    fn a_place_without_a_line_is_not_quoted() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        for place in ["", "gone", "src/report/source.rs", "src/nowhere.rs:1", "src/lib.rs:0"] {
            assert_eq!(quote(root, place), None, "{place}");
        }
        assert_eq!(quote(root, "src/report/source.rs:2"), None, "an empty line");
    }
}
