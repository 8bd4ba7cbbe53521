//! Values of flags that several programs take.

/// A share, typed as a percentage with or without its sign.
///
/// # Errors
///
/// If it is not a number from 0.1 to 100.
pub fn percent(text: &str) -> Result<f64, String> {
    match text.strip_suffix('%').unwrap_or(text).trim().parse() {
        Ok(percent) if (0.1..=100.0).contains(&percent) => Ok(percent / 100.0),
        _ => Err("a percentage from 0.1 to 100, e.g. 3".to_owned()),
    }
}
