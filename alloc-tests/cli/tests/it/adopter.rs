//! Another repository, and `plimsoll` typed in it.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

/// A folder with files, which goes with this value. Its path has a space.
pub(crate) struct Adopter {
    folder: TempDir,
}

/// What a command printed, and its exit code.
#[derive(Debug)]
pub(crate) struct Said {
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    pub(crate) code: Option<i32>,
}

impl Adopter {
    /// A git repository without a commit, with these files.
    pub(crate) fn new(files: &[(&str, &str)]) -> Self {
        let adopter = Self::without_git(files);
        adopter.git(&["init", "--quiet"]);
        adopter
    }

    pub(crate) fn without_git(files: &[(&str, &str)]) -> Self {
        let folder =
            tempfile::Builder::new().prefix("an adopter").tempdir().expect("there is room");
        let adopter = Self { folder };
        for (path, text) in files {
            adopter.write(path, text);
        }
        adopter
    }

    pub(crate) fn root(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn write(&self, path: &str, text: &str) {
        let path = self.root().join(path);
        fs::create_dir_all(path.parent().expect("it is in a folder")).expect("there is room");
        fs::write(path, text).expect("there is room");
    }

    pub(crate) fn read(&self, path: &str) -> String {
        fs::read_to_string(self.root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
    }

    pub(crate) fn git(&self, arguments: &[&str]) {
        let mut git = Command::new("git");
        git.args(["-c", "user.name=adopter", "-c", "user.email=adopter@localhost"]);
        let output = git.args(arguments).current_dir(self.root()).output().expect("there is git");
        assert!(output.status.success(), "git {arguments:?}: {output:?}");
    }

    /// `plimsoll` with `arguments`, without a terminal, in the root.
    pub(crate) fn plimsoll(&self, arguments: &[&str]) -> Said {
        self.plimsoll_in("", arguments)
    }

    pub(crate) fn plimsoll_in(&self, folder: &str, arguments: &[&str]) -> Said {
        self.said(self.start(folder, arguments))
    }

    /// `plimsoll` with the lines of `input` on stdin.
    pub(crate) fn plimsoll_with(&self, input: &str, arguments: &[&str]) -> Said {
        let mut plimsoll = self.start("", arguments);
        let stdin = plimsoll.stdin.as_mut().expect("it is piped");
        // One that is refused reads no answers.
        drop(stdin.write_all(input.as_bytes()));
        self.said(plimsoll)
    }

    pub(crate) fn start(&self, folder: &str, arguments: &[&str]) -> Child {
        let mut plimsoll = Command::new(env!("CARGO_BIN_EXE_plimsoll"));
        plimsoll.args(arguments).current_dir(self.root().join(folder)).stdin(Stdio::piped());
        plimsoll.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it was built")
    }

    /// What a program said when it has ended.
    pub(crate) fn said(&self, program: Child) -> Said {
        let output = program.wait_with_output().expect("it runs");
        let root = self.root().display().to_string();
        let text = |bytes: Vec<u8>| {
            String::from_utf8(bytes).expect("it prints text").replace(&root, "ROOT")
        };
        Said {
            stdout: text(output.stdout),
            stderr: text(output.stderr),
            code: output.status.code(),
        }
    }

    /// Every file outside of `.git`, with its text.
    pub(crate) fn files(&self) -> Vec<(PathBuf, String)> {
        let (mut files, mut open) = (Vec::new(), vec![self.root().to_owned()]);
        while let Some(folder) = open.pop() {
            for entry in fs::read_dir(folder).expect("it is a folder") {
                let path = entry.expect("it can be read").path();
                if path.is_dir() {
                    open.extend(Some(path).filter(|path| !path.ends_with(".git")));
                } else {
                    let text = fs::read_to_string(&path).expect("it is a text");
                    files.push((path, text));
                }
            }
        }
        files.sort();
        files
    }
}
