//! Values of flags that several programs have.

use std::path::PathBuf;

use clap::ValueEnum;

use super::report::Format;

/// Parses the format and the file in `markdown=summary.md`.
///
/// # Errors
///
/// If there is no file, or no such format.
pub fn also(text: &str) -> Result<(Format, PathBuf), String> {
    let (format, file) = text.split_once('=').unwrap_or((text, ""));
    if file.is_empty() {
        return Err("expected a format and a file, as in markdown=summary.md".to_owned());
    }
    Ok((Format::from_str(format, false)?, file.into()))
}

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_format_without_a_file_or_an_unknown_one_is_refused() {
        assert_eq!(also("json=a=b"), Ok((Format::Json, "a=b".into())));
        for text in ["json", "json=", "pdf=a"] {
            assert!(also(text).is_err(), "{text}");
        }
    }
}
