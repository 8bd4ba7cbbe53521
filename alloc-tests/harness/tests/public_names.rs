//! The public names of the library, in review: a change of them is a change for everyone who uses it.

use std::fs;
use std::path::Path;

/// Every line that begins a public item or method, by file.
fn public_names(folder: &Path, under: &str, names: &mut Vec<String>) {
    let mut entries: Vec<_> = fs::read_dir(folder)
        .expect("the sources are there")
        .map(|entry| entry.expect("the folder can be read").path())
        .collect();
    entries.sort();
    for path in entries {
        let name = path.file_name().expect("it has a name").to_string_lossy().into_owned();
        if path.is_dir() {
            public_names(&path, &format!("{under}{name}/"), names);
        } else if let Some(module) = name.strip_suffix(".rs") {
            let text = fs::read_to_string(&path).expect("it is text");
            let public = text.lines().map(str::trim).filter(|line| line.starts_with("pub "));
            let item = |line: &str| {
                format!("{under}{module}: {}", line.trim_end_matches([' ', '{', '(', ';', ',']))
            };
            // Fields have a colon and no keyword.
            const ITEMS: [&str; 9] =
                ["fn", "async", "struct", "enum", "trait", "mod", "use", "const", "static"];
            let is_item = |line: &&str| ITEMS.contains(&line.split(' ').nth(1).unwrap_or_default());
            names.extend(public.filter(is_item).map(item));
        }
    }
}

#[test]
fn a_change_of_the_public_names_is_read_in_review() {
    let mut names = Vec::new();
    let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    public_names(&sources, "", &mut names);
    insta::assert_snapshot!(names.join("\n"));
}
