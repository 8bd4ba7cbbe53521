//! Reads and writes whole files.

use std::fs::{self, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use tempfile::NamedTempFile;

use crate::Error;

/// Reads `path` as UTF-8 text.
pub(crate) fn read(path: &Path) -> Result<String, Error> {
    let bytes = fs::read(path).map_err(|cause| match cause.kind() {
        io::ErrorKind::NotFound => Error::Missing { path: path.to_owned() },
        _ => Error::Io { path: path.to_owned(), cause },
    })?;
    String::from_utf8(bytes)
        .map_err(|error| refuse(path, format!("not UTF-8 text: {}", error.utf8_error())))
}

/// Replaces `path` by `text` and creates its folder. The change is atomic: a reader, or a crash, sees the old file or
/// the new one.
pub(crate) fn write(path: &Path, text: &str) -> Result<(), Error> {
    replace(path, text.as_bytes()).map_err(|cause| Error::Io { path: path.to_owned(), cause })
}

/// Removes `path`, if it exists.
pub(crate) fn remove(path: &Path) -> Result<(), Error> {
    match fs::remove_file(path) {
        Err(cause) if cause.kind() != io::ErrorKind::NotFound => {
            Err(Error::Io { path: path.to_owned(), cause })
        }
        _ => Ok(()),
    }
}

/// An existing file that must not be compared with.
pub(crate) fn refuse(path: &Path, reason: impl Into<String>) -> Error {
    Error::NotComparable { path: path.to_owned(), reason: reason.into() }
}

fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    fs::create_dir_all(folder)?;
    // In the same folder, because a rename is atomic only within one file system.
    let mut file = NamedTempFile::new_in(folder)?;
    file.write_all(bytes)?;
    // Temporary files are private; 0644 is the mode that git gives a file.
    file.as_file().set_permissions(Permissions::from_mode(0o644))?;
    file.as_file().sync_all()?;
    file.persist(path).map_err(|error| error.error)?;
    // The rename reaches the disk with its folder.
    fs::File::open(folder)?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_file_is_missing() {
        let root = tempfile::tempdir().unwrap();
        assert!(matches!(read(&root.path().join("none.json")), Err(Error::Missing { .. })));
    }

    #[test]
    fn a_folder_instead_of_a_file_is_an_io_error() {
        let root = tempfile::tempdir().unwrap();
        assert!(matches!(read(root.path()), Err(Error::Io { .. })));
        assert!(matches!(write(root.path(), "text"), Err(Error::Io { .. })));
    }

    #[test]
    fn bytes_that_are_not_text_are_not_comparable() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("t.json");
        fs::write(&path, [b'{', 0xff]).unwrap();
        assert!(matches!(read(&path), Err(Error::NotComparable { .. })));
    }

    #[test]
    fn a_write_creates_the_folder_and_replaces_the_whole_file() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("alloc/sites/a.txt");
        write(&path, "a longer first text").unwrap();
        write(&path, "short").unwrap();
        assert_eq!(read(&path).unwrap(), "short");
    }

    #[test]
    fn a_write_that_fails_leaves_nothing_behind() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("taken");
        fs::create_dir(&path).unwrap();
        fs::write(path.join("inside"), "").unwrap();
        assert!(write(&path, "text").is_err());
        let left: Vec<_> =
            fs::read_dir(root.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(left, ["taken"]);
    }

    #[test]
    fn a_written_file_is_readable_by_all() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("t.json");
        write(&path, "text").unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o644);
    }
}
