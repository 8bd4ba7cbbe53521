//! The file of a call site. dhat keeps the last three parts of its path: the folder of the crate may be missing, or be there
//! although it is the workspace's root.

use std::path::{Path, PathBuf};

use crate::setup::Crate;

impl Crate {
    /// `place`, a file and a line in dhat's words, from the workspace's root on, where it is known.
    pub(crate) fn below_root(&self, place: &str) -> String {
        let (file, line) = place.rsplit_once(':').unwrap_or((place, ""));
        let sources = self.root.join(&self.folder).join("src");
        let mut found = below(&sources).into_iter().filter(|path| path.ends_with(file));
        let only = found.next().filter(|_| found.next().is_none());
        match only.as_deref().and_then(|path| path.strip_prefix(&self.root).ok()) {
            Some(path) => format!("{}:{line}", path.display()),
            None if file.starts_with("src/") => format!("{}{place}", self.folder),
            None => place.to_owned(),
        }
    }
}

/// Every file below `folder`.
fn below(folder: &Path) -> Vec<PathBuf> {
    let (mut files, mut open) = (Vec::new(), vec![folder.to_owned()]);
    while let Some(folder) = open.pop() {
        // A folder that cannot be read leaves the place as it is.
        for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
            let path = entry.path();
            let list = if path.is_dir() { &mut open } else { &mut files };
            list.push(path);
        }
    }
    files
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The place of `printed` in a crate in `folder` of a workspace that is called `chat` and has `files`.
    #[track_caller]
    fn check(files: &[&str], folder: &str, printed: &str, expected: &str) {
        let parent = tempfile::tempdir().expect("there is room");
        let root = parent.path().join("chat");
        for file in files {
            let path = root.join(file);
            std::fs::create_dir_all(path.parent().expect("it is in a folder"))
                .expect("there is room");
            std::fs::write(path, "").expect("there is room");
        }
        let own = Crate { name: "chat".to_owned(), folder: folder.to_owned(), root };
        assert_eq!(own.below_root(printed), expected);
    }

    #[test]
    fn a_place_in_the_package_at_the_root_has_no_folder_of_it() {
        check(&["src/lib.rs"], "", "chat/src/lib.rs:13", "src/lib.rs:13");
        check(&["src/net/echo.rs"], "", "src/net/echo.rs:7", "src/net/echo.rs:7");
    }

    #[test]
    fn a_place_in_a_member_has_all_of_its_folders() {
        check(
            &["crates/chat/src/lib.rs"],
            "crates/chat/",
            "chat/src/lib.rs:1",
            "crates/chat/src/lib.rs:1",
        );
        check(&["a/src/net/ws/echo.rs"], "a/", "net/ws/echo.rs:1", "a/src/net/ws/echo.rs:1");
    }

    #[test]
    fn a_place_that_fits_no_file_or_several_stays() {
        check(&[], "chat/", "src/net/echo.rs:7", "chat/src/net/echo.rs:7");
        check(&["a/src/x/b/c/d.rs", "a/src/y/b/c/d.rs"], "a/", "b/c/d.rs:1", "b/c/d.rs:1");
    }
}
