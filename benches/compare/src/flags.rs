//! Values of flags that several programs have.

/// Parses a percentage, with or without `%`, into a share.
///
/// # Errors
///
/// If the percentage is not a number from 0.1 to 100.
pub fn percent(text: &str) -> Result<f64, String> {
    match text.strip_suffix('%').unwrap_or(text).trim().parse() {
        Ok(percent) if (0.1..=100.0).contains(&percent) => Ok(percent / 100.0),
        _ => Err("expected a percentage from 0.1 to 100, such as 3".to_owned()),
    }
}
