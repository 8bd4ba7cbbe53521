use std::cell::RefCell;
use std::fs;
use std::process::Command;

use object::{Object, ObjectSection};
use tempfile::TempDir;

use super::*;

/// A throw-away clone with a workspace of the shape of this one, and nothing in it.
struct Repository(TempDir);

const SERVER: &str = "fn main() { println!(\"{}\", env!(\"CARGO_MANIFEST_DIR\")); }\n";

impl Repository {
    fn new() -> Self {
        let repository = Self(tempfile::tempdir().expect("there is room"));
        repository.git(&["init", "--quiet", "--initial-branch=main"]);
        repository.write(".gitignore", "/target\n*.ignored\n");
        repository.write("Cargo.toml", "[workspace]\nmembers = [\"server\"]\nresolver = \"3\"\n");
        repository.write(
            "Cargo.lock",
            "version = 4\n\n[[package]]\nname = \"server\"\nversion = \"0.0.0\"\n",
        );
        let server = "[package]\nname = \"server\"\nedition = \"2024\"\n[[bin]]\nname = \"ws-server\"\npath = \"main.rs\"\n";
        repository.write("server/Cargo.toml", server);
        repository.write("server/main.rs", SERVER);
        repository.commit("a server");
        repository
    }

    fn add_scenarios(&self) {
        let manifest = "[package]\nname = \"alloc-tests\"\nedition = \"2024\"\n[features]\ndefault = [\"hooks\"]\n\
                        hooks = []\n[[test]]\nname = \"alloc\"\nharness = false\n";
        self.write(
            "Cargo.toml",
            "[workspace]\nmembers = [\"alloc-tests\", \"server\"]\nresolver = \"3\"\n",
        );
        let packages = ["alloc-tests", "server"]
            .map(|name| format!("\n[[package]]\nname = \"{name}\"\nversion = \"0.0.0\"\n"));
        self.write("Cargo.lock", &format!("version = 4\n{}", packages.concat()));
        self.write("alloc-tests/Cargo.toml", manifest);
        self.write("alloc-tests/src/lib.rs", "");
        self.write(
            "alloc-tests/tests/alloc.rs",
            "fn main() { println!(\"{}\", cfg!(feature = \"hooks\")); }\n",
        );
        self.commit("scenarios");
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn target(&self) -> PathBuf {
        self.path().join("target")
    }

    fn write(&self, file: &str, text: &str) {
        let path = self.path().join(file);
        fs::create_dir_all(path.parent().expect("it is in the folder")).expect("there is room");
        fs::write(path, text).expect("there is room");
    }

    fn git(&self, args: &[&str]) -> String {
        let mut git = Git::at(self.path()).command();
        git.args([
            "-c",
            "user.name=Test",
            "-c",
            "user.email=test@localhost",
            "-c",
            "commit.gpgsign=false",
        ]);
        git::answer(git.args(args)).expect("git does as it is told")
    }

    fn commit(&self, message: &str) {
        self.git(&["add", "--all"]);
        self.git(&["commit", "--quiet", "--message", message]);
    }

    fn open(&self, base: &str, head: Option<&str>) -> Result<Arms> {
        let mut arms = Arms::open_in(self.path(), &self.target(), base, head)?;
        arms.on_terminal = false;
        Ok(arms)
    }

    #[track_caller]
    fn refuses(&self, base: &str) -> String {
        format!("{:#}", self.open(base, None).expect_err("it is refused"))
    }

    /// Nothing is left: no files, no record, no lock.
    #[track_caller]
    fn is_clean(&self) {
        assert!(!self.target().join("compare/tree").exists());
        assert!(!self.target().join("compare/index").exists());
        assert_eq!(self.git(&["worktree", "list"]).lines().count(), 1);
        assert_eq!(
            self.git(&["status", "--porcelain", "--branch"]).lines().next(),
            Some("## main")
        );
    }
}

fn files(tree: &Path) -> Vec<String> {
    let git = Git::at(tree);
    let all = git.run(&["ls-files", "--cached", "--others"]).expect("git lists files");
    all.lines().map(str::to_owned).collect()
}

fn silent(_: &str) {}

#[test]
fn an_unknown_revision_comes_with_the_nearest_and_what_to_type() {
    let repository = Repository::new();
    let words = repository.refuses("mian");
    assert!(
        words.starts_with("no revision is called mian; the nearest is main; git branch --all"),
        "{words}"
    );
    let words = repository.refuses("--all");
    assert!(words.starts_with("no revision is called --all; git branch --all"), "{words}");
    repository.git(&["update-ref", "refs/remotes/origin/topic", "HEAD"]);
    let words = repository.refuses("topic");
    assert!(words.contains("the nearest is origin/topic"), "{words}");
    let words = repository.refuses("HEAD:server/main.rs");
    assert!(words.starts_with("no revision is called HEAD:server/main.rs; "), "{words}");
    repository.is_clean();
}

#[test]
fn a_shallow_clone_is_told_to_fetch_the_rest() {
    let origin = Repository::new();
    let first = origin.git(&["rev-parse", "HEAD"]);
    origin.write("more", "");
    origin.commit("more");
    let clone = Repository(tempfile::tempdir().expect("there is room"));
    let url = format!("file://{}", origin.path().display());
    clone.git(&["clone", "--quiet", "--depth", "1", &url, "."]);
    let words = clone.refuses(&first);
    assert!(
        words.contains("shallow") && words.ends_with("git fetch --unshallow --tags"),
        "{words}"
    );
}

#[test]
fn a_folder_without_git_is_told_what_else_there_is() {
    let folder = Repository(tempfile::tempdir().expect("there is room"));
    let words = folder.refuses("main");
    assert!(words.contains("git clone") && words.contains("not a git repository"), "{words}");
}

#[test]
fn a_revision_is_called_by_its_name_and_its_commit() {
    let repository = Repository::new();
    repository.git(&["tag", "--annotate", "--message", "one", "v1"]);
    let commit = repository.git(&["rev-parse", "HEAD"]);
    let arms = repository.open("v1", Some(&commit)).expect("both are known");
    let short = repository.git(&["rev-parse", "--short", "HEAD"]);
    let [base, head] = &arms.revisions;
    assert_eq!((base.to_string(), head.to_string()), (format!("v1, {short}"), short.clone()));
    assert_eq!((&base.commit, &base.tree), (&commit, &head.tree));
    assert_eq!(arms.sides().map(|side| side.commit), [Some(short.clone()), Some(short)]);
}

#[test]
fn the_working_tree_is_what_is_in_the_folder_and_stays_as_it_is() {
    let repository = Repository::new();
    repository.write("staged", "");
    repository.git(&["add", "staged"]);
    repository.write("new/file", "");
    repository.write("new/file.ignored", "");
    repository.write("server/main.rs", "changed");
    fs::remove_file(repository.path().join("Cargo.lock")).expect("it is there");
    let before = repository.git(&["status", "--porcelain"]);
    let index = || fs::read(repository.path().join(".git/index")).expect("it is there");
    let index_before = index();
    let mut arms = repository.open("main", None).expect("main is known");
    assert!(index() == index_before);
    let head = arms.revisions[1].clone();
    assert_eq!((head.to_string().as_str(), head.side().commit), (WORKING_TREE, None));
    let tree = arms.checkout.check_out(&head).expect("there is room");
    let expected =
        [".gitignore", "Cargo.toml", "new/file", "server/Cargo.toml", "server/main.rs", "staged"];
    assert_eq!(files(&tree), expected);
    assert_eq!(fs::read_to_string(tree.join("server/main.rs")).expect("it is there"), "changed");
    assert_eq!(repository.git(&["status", "--porcelain"]), before);
    drop(arms);
    let again = repository.open("main", None).expect("main is known");
    assert_eq!(again.revisions[1], head);
    drop(again);
    repository.is_clean();
}

#[test]
fn one_folder_holds_the_files_of_one_revision_after_the_other() {
    let repository = Repository::new();
    repository.git(&["tag", "first"]);
    repository.write("added", "");
    fs::remove_file(repository.path().join("server/main.rs")).expect("it is there");
    repository.commit("more");
    let mut arms = repository.open("first", Some("main")).expect("both are known");
    let [first, second] = arms.revisions.clone();
    let tree = arms.checkout.check_out(&first).expect("there is room");
    let of_first = files(&tree);
    fs::write(tree.join("left by a build.ignored"), "").expect("there is room");
    fs::write(tree.join("Cargo.toml"), "written over").expect("there is room");
    assert_eq!(arms.checkout.check_out(&second).expect("there is room"), tree);
    assert_eq!(
        files(&tree),
        [".gitignore", "Cargo.lock", "Cargo.toml", "added", "server/Cargo.toml"]
    );
    arms.checkout.check_out(&first).expect("there is room");
    assert_eq!(files(&tree), of_first);
    drop(arms);
    repository.is_clean();
}

#[test]
fn what_a_killed_run_left_is_cleared() {
    let repository = Repository::new();
    let tree = repository.target().join("compare/tree");
    let path = tree.to_str().expect("it is text");
    for left in ["a locked tree", "a record without a tree", "a tree without a record"] {
        repository.git(&["worktree", "add", "--quiet", "--detach", path]);
        match left {
            "a locked tree" => drop(repository.git(&["worktree", "lock", path])),
            "a record without a tree" => fs::remove_dir_all(&tree).expect("it is there"),
            _ => fs::remove_dir_all(repository.path().join(".git/worktrees")).expect("it is there"),
        }
        repository.write("target/compare/index.lock", "");
        let mut arms = repository.open("main", None).expect(left);
        assert!(!tree.exists(), "{left}");
        let main = arms.revisions[0].clone();
        arms.checkout.check_out(&main).expect(left);
        drop(arms);
        repository.is_clean();
    }
}

#[test]
fn a_second_comparison_is_refused_until_the_first_has_ended() {
    let repository = Repository::new();
    let first = repository.open("main", None).expect("main is known");
    let words = repository.refuses("main");
    assert!(words.starts_with("another comparison is running in this checkout; "), "{words}");
    assert!(words.ends_with(&format!("kill {}", std::process::id())), "{words}");
    drop(first);
    repository.open("main", None).expect("the first has ended");
}

#[test]
fn a_tree_that_does_not_build_names_its_arm_and_shows_why() {
    let repository = Repository::new();
    repository.write("server/main.rs", "fn main() { let number: u8 = \"planted\"; }");
    let mut arms = repository.open("main", None).expect("main is known");
    let words = arms.build(&silent).expect_err("it does not build").to_string();
    assert!(words.starts_with("head (working tree) does not build:\n"), "{words}");
    assert!(words.contains("mismatched types") && words.contains("server/main.rs:1:"), "{words}");
    assert!(
        words.ends_with("try: cargo build --release --locked --package server --bin ws-server"),
        "{words}"
    );
    drop(arms);
    repository.commit("broken");
    let mut arms = repository.open("main", None).expect("main is known");
    let words = arms.build(&silent).expect_err("it does not build").to_string();
    let short = repository.git(&["rev-parse", "--short", "HEAD"]);
    assert!(words.starts_with(&format!("base (main, {short}) does not build:\n")), "{words}");
    drop(arms);
    repository.write("Cargo.toml", "[workspace");
    let mut arms = repository.open("main~1", None).expect("main has a parent");
    let words = arms.build(&silent).expect_err("it does not build").to_string();
    assert!(words.starts_with("head (working tree) does not build:\n"), "{words}");
    drop(arms);
    repository.is_clean();
}

#[test]
fn a_base_without_scenarios_still_has_a_server() {
    let repository = Repository::new();
    let mut arms = repository.open("main", None).expect("main is known");
    let [base, head] = arms.build(&silent).expect("it builds");
    assert!(base.server.is_file());
    let short = repository.git(&["rev-parse", "--short", "HEAD"]);
    let why =
        format!("base (main, {short}) has no allocation scenarios; compare with a later revision");
    assert_eq!(base.runner, Err(why));
    assert!(head.bare_runner.expect_err("there is none").contains("without dhat"));
}

#[test]
fn equal_trees_make_equal_programs_and_are_built_once() {
    let repository = Repository::new();
    repository.add_scenarios();
    let said = RefCell::new(Vec::new());
    let say = |words: &str| said.borrow_mut().push(words.to_owned());
    let mut arms = repository.open("main", Some("HEAD")).expect("both are known");
    let built = arms.build(&say).expect("it builds");
    let [base, head] = &built;
    let short = repository.git(&["rev-parse", "--short", "HEAD"]);
    let expected =
        [format!("building base (main, {short})"), format!("building head (HEAD, {short})")];
    assert_eq!(said.take(), expected);
    assert_ne!(base, head);
    let read = |path: &Result<PathBuf, String>| {
        fs::read(path.as_ref().expect("it was built")).expect("it is there")
    };
    assert!(
        fs::read(&base.server).expect("it is there")
            == fs::read(&head.server).expect("it is there")
    );
    let server = fs::read(&base.server).expect("it is there");
    let server = object::File::parse(&*server).expect("it is a program");
    let code = server.section_by_name(".text").expect("it has code");
    assert_eq!(code.align(), 64, "a function begins a cache line");
    assert!(read(&base.runner) == read(&head.runner));
    assert!(read(&base.bare_runner) == read(&head.bare_runner));
    let prints = |program: &Result<PathBuf, String>| {
        let program = program.as_ref().expect("it was built");
        let output = Command::new(program).output().expect("it runs");
        String::from_utf8(output.stdout).expect("it prints text")
    };
    assert_eq!(
        (prints(&base.runner), prints(&base.bare_runner)),
        ("true\n".to_owned(), "false\n".to_owned())
    );
    // What a program finds where it was built is there as long as the arms are.
    let remembered = prints(&Ok(head.server.clone()));
    assert!(Path::new(remembered.trim()).join("main.rs").is_file());
    drop(arms);
    assert!(!Path::new(remembered.trim()).exists());

    let mut arms = repository.open("HEAD", None).expect("it is known");
    assert_eq!(arms.build(&say).expect("it is built"), built);
    assert_eq!(said.take(), [""; 0]);
    fs::remove_file(&base.server).expect("it is there");
    assert_eq!(arms.build(&say).expect("it builds"), built);
    assert_eq!(said.take().len(), 1);
    drop(arms);
    repository.is_clean();
}
