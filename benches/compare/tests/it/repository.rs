//! A temporary git repository with a workspace that has the packages of this one, and almost no code.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

pub(crate) struct Repository(TempDir);

impl Repository {
    /// A repository with a server and no allocation scenarios.
    pub(crate) fn new() -> Self {
        let repository = Self::empty();
        repository.git(&["init", "--quiet", "--initial-branch=main"]);
        repository.write(".gitignore", "/target\n*.ignored\n");
        repository.write("Cargo.toml", "[workspace]\nmembers = [\"server\"]\nresolver = \"3\"\n");
        repository.write(
            "Cargo.lock",
            "version = 4\n\n[[package]]\nname = \"server\"\nversion = \"0.0.0\"\n",
        );
        let manifest = "[package]\nname = \"server\"\nedition = \"2024\"\n[[bin]]\nname = \"ws-server\"\npath = \"main.rs\"\n";
        repository.write("server/Cargo.toml", manifest);
        let server = "fn main() { println!(\"{}\", env!(\"CARGO_MANIFEST_DIR\")); }\n";
        repository.write("server/main.rs", server);
        repository.commit("a server");
        repository
    }

    /// A folder without a repository.
    pub(crate) fn empty() -> Self {
        Self(tempfile::tempdir().expect("there is room"))
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    pub(crate) fn target(&self) -> PathBuf {
        self.path().join("target")
    }

    pub(crate) fn write(&self, file: &str, text: &str) {
        let path = self.path().join(file);
        fs::create_dir_all(path.parent().expect("it is in the folder")).expect("there is room");
        fs::write(path, text).expect("there is room");
    }

    /// What git prints, without the last line break.
    #[track_caller]
    pub(crate) fn git(&self, args: &[&str]) -> String {
        let mut git = Command::new("git");
        git.current_dir(self.path());
        // A hook that runs the tests sets GIT_DIR and others.
        for (name, _) in
            std::env::vars_os().filter(|(name, _)| name.as_encoded_bytes().starts_with(b"GIT_"))
        {
            git.env_remove(name);
        }
        for setting in [
            "user.name=Test",
            "user.email=test@localhost",
            "commit.gpgsign=false",
            "core.hooksPath=/dev/null",
        ] {
            git.args(["-c", setting]);
        }
        let output = git.args(args).output().expect("git runs");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).expect("git prints text").trim_end().to_owned()
    }

    pub(crate) fn commit(&self, message: &str) {
        self.git(&["add", "--all"]);
        self.git(&["commit", "--quiet", "--message", message]);
    }

    /// Asserts that no files, no worktree and no index of a comparison are left.
    #[track_caller]
    pub(crate) fn is_clean(&self) {
        assert!(!self.target().join("compare/tree").exists());
        assert!(!self.target().join("compare/index").exists());
        assert_eq!(self.git(&["worktree", "list"]).lines().count(), 1);
        let status = self.git(&["status", "--porcelain", "--branch"]);
        assert_eq!(status.lines().next(), Some("## main"));
    }
}
