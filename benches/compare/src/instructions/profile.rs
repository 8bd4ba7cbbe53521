//! Profiles of callgrind, read as each function's own instructions.

use std::collections::{BTreeMap, HashMap};

use anyhow::{Context, Result, ensure};

/// Own instructions by place.
pub(super) type Profile = BTreeMap<Place, u64>;

/// A function and the source file of its instructions. Inlined instructions come from other files, which in an optimised
/// build are most of them.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    /// As shortened by [`function`].
    pub(super) function: String,
    /// As shortened by [`file`]; `None` without debug information.
    pub(super) file: Option<String>,
    /// Whether the file is one of the tree that was checked out.
    pub(super) is_own: bool,
}

/// Reads a profile of the event `Ir` by line.
///
/// # Errors
///
/// If it is another kind of profile, or its lines do not add up to its total.
pub(super) fn parse(text: &str) -> Result<Profile> {
    let mut own: HashMap<(&str, &str), u64> = HashMap::new();
    let (mut functions, mut files) = (Names::default(), Names::default());
    let (mut in_function, mut in_file) = ("", "");
    let mut summary = None;
    let mut inclusive = false;
    for line in text.lines() {
        if line.starts_with(|first: char| first.is_ascii_digit() || "+-*".contains(first)) {
            // The line after `calls=` is the cost of the callee, which has lines of its own.
            if !std::mem::take(&mut inclusive) {
                let cost = line.split_ascii_whitespace().nth(1).unwrap_or("0");
                let cost: u64 = cost.parse().with_context(|| format!("no cost in {line:?}"))?;
                *own.entry((in_function, in_file)).or_default() += cost;
            }
            continue;
        }
        let Some((key, value)) = line.split_once(['=', ':']) else { continue };
        match key {
            "fn" => in_function = functions.resolve(value)?,
            "fl" | "fi" | "fe" => in_file = files.resolve(value)?,
            // A name may be spelled out here and be a number in later lines.
            "cfn" => {
                functions.resolve(value)?;
            }
            "cfl" | "cfi" => {
                files.resolve(value)?;
            }
            "calls" => inclusive = true,
            "events" => {
                ensure!(value.trim() == "Ir", "the profile counts {}, not Ir", value.trim())
            }
            "positions" => ensure!(value.trim() == "line", "the profile is not by line"),
            "totals" => summary = Some(value.trim().parse().context("the total is not a number")?),
            _ => {}
        }
    }
    let mut profile = Profile::new();
    for ((name, path), cost) in own {
        *profile
            .entry(Place {
                function: function(name),
                file: file(path),
                is_own: path.contains(TREE),
            })
            .or_default() += cost;
    }
    let summary: u64 = summary.context("the profile has no total, so callgrind did not finish")?;
    let counted: u64 = profile.values().sum();
    ensure!(counted == summary, "the lines add up to {counted}, but the total is {summary}");
    Ok(profile)
}

/// Names that are spelled out once, as `(12) server::echo::take`, and abbreviated to `(12)` from then on.
#[derive(Default)]
struct Names<'a>(HashMap<&'a str, &'a str>);

impl<'a> Names<'a> {
    fn resolve(&mut self, text: &'a str) -> Result<&'a str> {
        let number = text.strip_prefix('(').and_then(|rest| rest.split_once(')'));
        let Some((id, name)) = number.filter(|(id, _)| id.bytes().all(|b| b.is_ascii_digit()))
        else {
            return Ok(text);
        };
        match name.trim_start() {
            "" => self.0.get(id).copied().with_context(|| format!("name ({id}) is not defined")),
            name => {
                self.0.insert(id, name);
                Ok(name)
            }
        }
    }
}

/// Removes the parts of a name that differ between two builds of the same source: hashes, generic arguments, closures,
/// suffixes of copies, and the depth of a recursion.
fn function(name: &str) -> String {
    let name = name.split_once(".llvm.").map_or(name, |(name, _)| name);
    let name = name.rsplit_once('\'').map_or(name, |(name, _)| name).replace("->", "");
    let mut text = String::with_capacity(name.len());
    let mut depth = 0usize;
    // The first bracket of `<T as Trait>::method` names the type; those behind a path are its arguments.
    let mut qualified = name.starts_with('<');
    for character in name.chars() {
        match character {
            '<' if qualified && text.is_empty() => text.push('<'),
            '<' => depth += 1,
            '>' if depth > 0 => depth -= 1,
            _ if depth > 0 => {}
            '>' if qualified => {
                qualified = false;
                text.push('>');
            }
            _ => text.push(character),
        }
    }
    let text = text.replace("::{{closure}}", "").replace("::{closure#0}", "").replace("::::", "::");
    let text = text.trim_end_matches("::");
    match text.rsplit_once("::h") {
        Some((path, hash)) if hash.len() == 16 && hash.bytes().all(|b| b.is_ascii_hexdigit()) => {
            path.to_owned()
        }
        _ => text.to_owned(),
    }
}

/// Part of the path of the folder that base and head are checked out into.
const TREE: &str = "/compare/tree/";

/// `tokio/src/runtime/park.rs`: a path from the folder of the crate on, without the version. Trees are in different
/// folders.
fn file(path: &str) -> Option<String> {
    if path == "???" {
        return None;
    }
    if let Some((_, own)) = path.split_once(TREE) {
        return Some(own.to_owned());
    }
    let Some((before, inside)) = path.rsplit_once("/src/") else {
        return Some(path.rsplit('/').next().unwrap_or(path).to_owned());
    };
    let folder = before.rsplit('/').next().unwrap_or(before);
    let version = folder
        .match_indices('-')
        .find(|(at, _)| folder[at + 1..].starts_with(|next: char| next.is_ascii_digit()));
    let package = version.map_or(folder, |(at, _)| &folder[..at]);
    Some(format!("{package}/src/{inside}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The profile of a program whose `poll` contains an inlined loop and calls `send` twice.
    const SAMPLE: &str = include_str!("sample.callgrind");

    #[test]
    fn own_instructions_exclude_those_of_callees() {
        let profile = parse(SAMPLE).expect("callgrind wrote it");
        let own = |name: &str| {
            profile.iter().filter(|(place, _)| place.function == name).map(|(_, own)| own).sum()
        };
        let functions = ["(below main)", "<sample::Echo as sample::Session>::poll", "sample::send"];
        let costs: [u64; 3] = functions.map(own);
        assert_eq!(costs, [9, 72, 16]);
        assert_eq!(profile.values().sum::<u64>(), 97);
    }

    #[test]
    fn inlined_instructions_have_the_file_of_their_source() {
        let profile = parse(SAMPLE).expect("callgrind wrote it");
        let own = |file: &str| {
            let file = Some(file.to_owned());
            profile
                .get(&Place { function: "sample::send".to_owned(), file, is_own: false })
                .copied()
        };
        assert_eq!(own("core/src/hint.rs"), Some(6));
        assert_eq!(own("sample/src/main.rs"), Some(10));
    }

    #[test]
    fn a_damaged_profile_is_refused() {
        let refused = |text: &str| parse(text).expect_err("it is damaged").to_string();
        let (cut, _) = SAMPLE.split_once("totals").expect("it has a total");
        assert!(refused(cut).contains("no total"));
        assert!(refused(&SAMPLE.replace("491 8", "491 9")).contains("add up to 98"));
        assert!(refused(&SAMPLE.replace("491 8", "491 x")).contains("no cost"));
        assert!(refused(&SAMPLE.replace("cfn=(2) <", "cfn=(3) <")).contains("name (2)"));
        assert!(refused(&SAMPLE.replace("events: Ir", "events: Dr")).contains("not Ir"));
    }

    #[test]
    fn functions_lose_hashes_generics_and_closures() {
        let check = |name, expected| assert_eq!(function(name), expected);
        check("a::b::h0123456789abcdef", "a::b");
        check("a::Vec<T,A>::push", "a::Vec::push");
        check("<a::B<C> as d::E<F>>::g", "<a::B as d::E>::g");
        check("core::ptr::drop_in_place<a::b::{{closure}}>", "core::ptr::drop_in_place");
        check("<a::Once>::call::<fn() -> b::C>::{closure#0}", "<a::Once>::call");
        check("server::connection::serve_http::{{closure}}", "server::connection::serve_http");
        check("a::drop_slow'2", "a::drop_slow");
        check("a::grow.llvm.123456", "a::grow");
        check("(below main)", "(below main)");
    }

    #[test]
    fn files_lose_the_path_before_the_crate() {
        let check = |path, expected| assert_eq!(file(path).as_deref(), Some(expected));
        check("/a/b/server/src/echo.rs", "server/src/echo.rs");
        check("/a/target/compare/tree/src/lib.rs", "src/lib.rs");
        check("/a/target/compare/tree/crates/chat/src/lib.rs", "crates/chat/src/lib.rs");
        check("/r/src/index.crates.io-19/tokio-1.54.1/src/park.rs", "tokio/src/park.rs");
        check("/r/tokio-util-0.7.20/src/sync/a.rs", "tokio-util/src/sync/a.rs");
        check("/rustc/5980/library/core/src/str/mod.rs", "core/src/str/mod.rs");
        check("./malloc/./malloc/malloc.c", "malloc.c");
        assert_eq!(file("???"), None);
    }
}
