//! The files of numbers that are not accepted yet: which runs write them, and which remove them. A release build is
//! needed, because others judge no totals.

use std::ffi::OsStr;
use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use baselines::{Pending, Verdict, pending};
use libtest_mimic::{Failed, Trial};
use plimsoll::{Scenario, Suite};
use tempfile::TempDir;

#[cfg(feature = "hooks")]
plimsoll::allocator!();

const ID: &str = "say_10_words";
const LIMIT: &str = "MAX_ALLOCS_ALLOWED_say_10_words";
const UPDATE: [&str; 5] = ["suite", ID, "--update", "--reason", "a test"];

/// Variables of the runs below: the folder of the numbers, and the blocks of a word.
const ROOT: &str = "PENDING_TEST_ROOT";
const BLOCKS: &str = "PENDING_TEST_BLOCKS";

/// A word, in as many blocks as the environment says.
fn say() {
    let blocks = std::env::var(BLOCKS).map_or(1, |blocks| blocks.parse().expect("it is a number"));
    (0..blocks).for_each(|_: usize| drop(black_box(vec![0u8; 64])));
}

fn words() -> Scenario {
    Scenario::new("word", 10, |n| {
        move |_| {
            (0..n).for_each(|_| say());
            Ok(())
        }
    })
}

/// A folder of numbers, and runs of this program on it.
struct Tree(TempDir);

impl Tree {
    fn recorded() -> Result<Self, Failed> {
        let tree = Self(TempDir::new()?);
        tree.run(&UPDATE, &[], 0, "1 added")?;
        Ok(tree)
    }

    /// Checks the exit code and the words of a run.
    fn run(
        &self,
        arguments: &[&str],
        variables: &[(&str, &OsStr)],
        code: i32,
        words: &str,
    ) -> Result<(), Failed> {
        let mut command = Command::new(std::env::current_exe()?);
        command.args(arguments).env_remove("CI").env(ROOT, self.0.path());
        command.envs(variables.iter().copied());
        let output = command.output()?;
        let said = [output.stdout, output.stderr].concat();
        let said = String::from_utf8_lossy(&said);
        if output.status.code() == Some(code) && said.contains(words) {
            return Ok(());
        }
        Err(format!("{} instead of {code}, or without {words:?}:\n{said}", output.status).into())
    }

    fn check(&self, expected: &[Verdict]) -> Result<Vec<(PathBuf, Pending)>, Failed> {
        check(&pending::folder(self.0.path()), expected)
    }
}

fn check(folder: &Path, expected: &[Verdict]) -> Result<Vec<(PathBuf, Pending)>, Failed> {
    let found = pending::find(folder)?;
    let verdicts: Vec<_> = found.iter().map(|(_, one)| one.verdict).collect();
    if verdicts == expected {
        Ok(found)
    } else {
        Err(format!("{found:?}, not {expected:?}").into())
    }
}

fn two() -> (&'static str, &'static OsStr) {
    (BLOCKS, OsStr::new("2"))
}

fn red_is_kept_until_it_passes() -> Result<(), Failed> {
    let tree = Tree::recorded()?;
    tree.check(&[])?;
    tree.run(&["suite"], &[two()], 3, "justified: cargo plimsoll review, or cargo test --release")?;
    let found = tree.check(&[Verdict::Regressed])?;
    let (path, one) = &found[0];
    let names = [&one.id, &one.package, &one.test].map(String::as_str);
    let place = one.sites_changed.first().and_then(|site| site.place.as_deref());
    let has_line = place.is_some_and(|place| place.contains("tests/pending.rs:"));
    if !path.ends_with(format!("pending/{}/{ID}.json", plimsoll::TARGET))
        || names != [ID, "plimsoll", "pending"]
        || one.sites.is_empty()
        || !has_line
    {
        return Err(format!("{path:?}: {one:?}").into());
    }
    tree.run(&["suite"], &[], 0, "1 passed")?;
    tree.check(&[]).map(drop)
}

fn missing_is_kept_and_an_update_removes_it() -> Result<(), Failed> {
    let tree = Tree(TempDir::new()?);
    let words = "if the new numbers are justified: cargo plimsoll review, or PLIMSOLL_UPDATE=";
    tree.run(&[], &[], 101, words)?;
    tree.check(&[Verdict::Missing])?;
    tree.run(&UPDATE, &[], 0, "1 added")?;
    tree.check(&[]).map(drop)
}

fn the_tests_record_with_a_reason() -> Result<(), Failed> {
    let tree = Tree(TempDir::new()?);
    let with = |reason| [("PLIMSOLL_UPDATE", OsStr::new(reason))];
    tree.run(&[], &with("1"), 2, "PLIMSOLL_UPDATE=1 is no reason")?;
    tree.run(&[], &with(""), 2, "or unset it")?;
    let in_ci = [with("the first words")[0], ("CI", OsStr::new("true"))];
    tree.run(&[], &in_ci, 2, "is set in CI, where every test would pass")?;
    tree.run(&[], &[], 101, "missing")?;
    tree.run(&[], &with("the first words"), 0, "the first words")?;
    tree.check(&[])?;
    tree.run(&[], &[two(), ("PLIMSOLL_UPDATE", OsStr::new("two words"))], 0, "loosened")?;
    tree.run(&[], &[], 101, "improved")?;
    tree.check(&[Verdict::Improved]).map(drop)
}

fn a_limit_keeps_nothing() -> Result<(), Failed> {
    let tree = Tree::recorded()?;
    tree.run(&["suite"], &[two(), (LIMIT, OsStr::new("1"))], 3, "regressed")?;
    tree.check(&[]).map(drop)
}

fn numbers_of_another_folder_and_the_doctor_keep_nothing() -> Result<(), Failed> {
    let (tree, other) = (Tree(TempDir::new()?), TempDir::new()?);
    let folder = other.path().to_str().ok_or("a temporary folder has a plain name")?;
    tree.run(&["suite", "--baselines", folder], &[], 5, "record it: cargo test")?;
    tree.run(&["suite", "--doctor", ID], &[], 0, "the same")?;
    tree.check(&[])?;
    check(other.path(), &[]).map(drop)
}

fn a_folder_outside_of_the_tree_is_named() -> Result<(), Failed> {
    let (tree, outside) = (Tree(TempDir::new()?), TempDir::new()?);
    let with = |folder| [("PLIMSOLL_PENDING", folder)];
    tree.run(&["suite"], &with(outside.path().as_os_str()), 5, "cargo plimsoll review")?;
    tree.check(&[])?;
    check(&outside.path().join("plimsoll/pending"), &[Verdict::Missing])?;
    tree.run(&["suite"], &with(OsStr::new("here")), 5, "PLIMSOLL_PENDING=here is no absolute path")
}

fn a_tree_that_cannot_be_written_is_said() -> Result<(), Failed> {
    let tree = Tree(TempDir::new()?);
    std::fs::write(pending::folder(tree.0.path()), "a file")?;
    tree.run(&["suite"], &[], 5, "no pending numbers are kept: cannot use ")
}

type Fact = (&'static str, fn() -> Result<(), Failed>);

const FACTS: [Fact; 7] = [
    ("red_is_kept_until_it_passes", red_is_kept_until_it_passes),
    ("missing_is_kept_and_an_update_removes_it", missing_is_kept_and_an_update_removes_it),
    ("the_tests_record_with_a_reason", the_tests_record_with_a_reason),
    ("a_limit_keeps_nothing", a_limit_keeps_nothing),
    (
        "numbers_of_another_folder_and_the_doctor_keep_nothing",
        numbers_of_another_folder_and_the_doctor_keep_nothing,
    ),
    ("a_folder_outside_of_the_tree_is_named", a_folder_outside_of_the_tree_is_named),
    ("a_tree_that_cannot_be_written_is_said", a_tree_that_cannot_be_written_is_said),
];

fn a_debug_build_keeps_nothing() -> Result<(), Failed> {
    let tree = Tree(TempDir::new()?);
    tree.run(&["suite"], &[], 5, "debug assertions")?;
    tree.run(&[], &[("PLIMSOLL_UPDATE", OsStr::new("a test"))], 1, "nothing recorded")?;
    tree.check(&[]).map(drop)
}

fn main() -> ExitCode {
    let suite = Suite::new(env!("CARGO_MANIFEST_DIR")).crates(&["pending"]);
    let suite = suite.planted("planted_words", words);
    if let Some(root) = std::env::var_os(ROOT) {
        return suite.baselines(root).scenario(ID, words).main();
    }
    let facts: &[Fact] = match () {
        () if !cfg!(feature = "hooks") => &[],
        () if cfg!(debug_assertions) => {
            &[("a_debug_build_keeps_nothing", a_debug_build_keeps_nothing)]
        }
        () => &FACTS,
    };
    facts.iter().fold(suite, |suite, (name, fact)| suite.test(Trial::test(*name, *fact))).main()
}
