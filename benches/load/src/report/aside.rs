//! A file that replaces another as a whole, so that a reader never finds half of one.

use std::io::{self, Write as _};
use std::path::Path;

use tempfile::NamedTempFile;

/// Prefix of the names of files that were not renamed yet.
pub(super) const PREFIX: &str = ".ws-load-";

/// `bytes` in a new file in the folder `dir`, so that only a rename is missing. They are not synced.
///
/// # Errors
///
/// If the folder cannot be written to, or the disk is full.
pub fn write(dir: &Path, bytes: &[u8]) -> io::Result<NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(PREFIX);
    // By default, temporary files are private. The umask still applies.
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    let mut file = builder.tempfile_in(dir)?;
    // By the file itself: an error of the other names the temporary file.
    file.as_file_mut().write_all(bytes)?;
    Ok(file)
}
