//! The public names of the library, in review: a change of them is a change for everyone who uses it. Each has an
//! example that `cargo test --doc` runs.

use std::fs;
use std::path::Path;

/// Words that begin a public item behind `pub`. Fields have a colon and no keyword.
const ITEMS: [&str; 10] =
    ["fn", "async", "struct", "enum", "trait", "mod", "use", "const", "static", "type"];

/// Words behind the fence of an example that is not run.
const NOT_RUN: [&str; 4] = ["no_run", "ignore", "compile_fail", "text"];

/// A source file: its module's path, and its lines without indentation.
struct Source {
    module: String,
    lines: Vec<String>,
}

/// All files below `folder`, in the order of their names.
fn sources(folder: &Path, under: &str, found: &mut Vec<Source>) {
    let mut entries: Vec<_> = fs::read_dir(folder)
        .expect("the sources are there")
        .map(|entry| entry.expect("the folder can be read").path())
        .collect();
    entries.sort();
    for path in entries {
        let name = path.file_name().expect("it has a name").to_string_lossy().into_owned();
        if path.is_dir() {
            sources(&path, &format!("{under}{name}/"), found);
        } else if let Some(module) = name.strip_suffix(".rs") {
            let text = fs::read_to_string(&path).expect("it is text");
            let lines = text.lines().map(|line| line.trim().to_owned()).collect();
            found.push(Source { module: format!("{under}{module}"), lines });
        }
    }
}

fn all_sources() -> Vec<Source> {
    let mut found = Vec::new();
    sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), "", &mut found);
    found
}

impl Source {
    /// The lines that begin a public item, by their numbers.
    fn items(&self) -> impl Iterator<Item = (usize, &str)> {
        let lines = self.lines.iter().map(String::as_str).enumerate();
        lines.filter(|(at, line)| match line.strip_prefix("pub ") {
            Some(item) => ITEMS.contains(&item.split(' ').next().unwrap_or_default()),
            None => line.starts_with("macro_rules!") && self.lines[at - 1] == "#[macro_export]",
        })
    }

    /// How an item is shown.
    fn name(&self, item: &str) -> String {
        format!("{}: {}", self.module, item.trim_end_matches([' ', '{', '(', ';', ',']))
    }

    /// The doc comment right above line `at`.
    fn docs_above(&self, at: usize) -> Vec<&str> {
        let above = self.lines[..at].iter().rev().map(String::as_str);
        let above = above.skip_while(|line| line.starts_with("#["));
        let mut docs: Vec<_> = above.map_while(|line| line.strip_prefix("///")).collect();
        docs.reverse();
        docs
    }

    /// The doc comment at the top of the file.
    fn docs_inside(&self) -> Vec<&str> {
        self.lines.iter().map_while(|line| line.strip_prefix("//!")).collect()
    }
}

/// Whether one of the examples in `docs` runs.
fn has_example(docs: &[&str]) -> bool {
    let mut fences = docs.iter().filter_map(|line| line.trim().strip_prefix("```")).step_by(2);
    fences.any(|words| NOT_RUN.iter().all(|word| !words.contains(word)))
}

/// Whether `path` of a `pub use` in `module` names an item of this crate, which has its own example.
fn is_own(path: &str, module: &str, all: &[Source]) -> bool {
    let first = path.split("::").next().unwrap_or_default();
    let of_module = if module == "lib" { first.to_owned() } else { format!("{module}/{first}") };
    first == "crate" || all.iter().any(|source| source.module == of_module)
}

#[test]
fn a_change_of_the_public_names_is_read_in_review() {
    let all = all_sources();
    let names = all.iter().flat_map(|source| source.items().map(|(_, item)| source.name(item)));
    insta::assert_snapshot!(names.collect::<Vec<_>>().join("\n"));
}

#[test]
fn every_public_item_has_an_example_that_runs() {
    let all = all_sources();
    let mut missing = Vec::new();
    for source in &all {
        for (at, item) in source.items() {
            let file = item.strip_prefix("pub mod ").and_then(|item| item.strip_suffix(';'));
            let docs = match file {
                Some(file) => {
                    let file = all.iter().find(|one| one.module == file);
                    file.expect("a module has a file").docs_inside()
                }
                None => source.docs_above(at),
            };
            let is_elsewhere = item
                .strip_prefix("pub use ")
                .is_some_and(|path| is_own(path, &source.module, &all));
            if !is_elsewhere && !has_example(&docs) {
                missing.push(source.name(item));
            }
        }
    }
    assert!(missing.is_empty(), "without an example that runs:\n{}", missing.join("\n"));
}

#[test]
fn no_example_is_left_out_of_the_run() {
    let is_left_out = |line: &&String| {
        let docs = line.strip_prefix("///").or_else(|| line.strip_prefix("//!"));
        let words = docs.and_then(|docs| docs.trim().strip_prefix("```"));
        words.is_some_and(|words| NOT_RUN.iter().any(|word| words.contains(word)))
    };
    let all = all_sources();
    let of_file = |source: &Source| {
        let left_out = source.lines.iter().filter(is_left_out);
        left_out.map(|line| source.name(line)).collect::<Vec<_>>()
    };
    let left_out: Vec<_> = all.iter().flat_map(of_file).collect();
    assert!(left_out.is_empty(), "not run:\n{}", left_out.join("\n"));
}

/// rustdoc merges examples into one program. With two allocators it does not compile, and each of a hundred examples
/// becomes a program of its own; without one every suite in them is blind.
#[test]
fn the_merged_examples_have_one_allocator() {
    let mut found = Vec::new();
    for source in all_sources() {
        let mut fence = "";
        for line in &source.lines {
            let docs = line.strip_prefix("///").or_else(|| line.strip_prefix("//!"));
            let docs = docs.unwrap_or_default().trim();
            fence = docs.strip_prefix("```").unwrap_or(fence);
            if docs.ends_with("plimsoll::allocator!();") && fence != "standalone_crate" {
                found.push(source.module.clone());
            }
        }
    }
    assert_eq!(found, ["lib"], "write ```standalone_crate where another example has an allocator");
}

#[test]
fn an_example_that_is_not_run_is_no_example() {
    let cases = [
        (vec![" A number.", " ```", " assert_eq!(1, 1);", " ```"], true),
        (vec![" ```standalone_crate", " fn main() {}", " ```"], true),
        (vec![" A number."], false),
        (vec![" ```no_run", " ```"], false),
        (vec![" ```text", " ```", " ```", " ```"], true),
    ];
    for (docs, expected) in cases {
        assert_eq!(has_example(&docs), expected, "{docs:?}");
    }
}
