//! dhat's profile as call sites that can be compared from one build to the next.

use std::collections::BTreeMap;

use anyhow::{Context, ensure};
use serde::Deserialize;

use crate::setup::Crate;

/// Most call sites shown for one scenario.
pub(crate) const MOST_SHOWN: usize = 8;

/// Most frames of a key without a function of the server.
const FOREIGN_FRAMES: usize = 6;

/// The allocations of one call site in one window.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Site {
    pub(crate) blocks: u64,
    pub(crate) bytes: u64,
    /// Bytes live when the heap was largest.
    pub(crate) peak_bytes: u64,
    pub(crate) live_blocks: u64,
    pub(crate) live_bytes: u64,
    /// File and line of its first frame in the server, or of its first frame at all.
    pub(crate) place: String,
    /// Whether a frame is in the server.
    pub(crate) is_own: bool,
}

/// Call sites by key: frames from the allocation outwards, up to the first function of the server, without addresses,
/// lines, hashes, closures, and frames of the standard library, dhat and this crate.
pub(crate) type Profile = BTreeMap<String, Site>;

/// Reads a profile of dhat, version 2, and adds up program points with the same key. `crates` are the server's.
pub(crate) fn parse(json: &str, crates: &[Crate]) -> anyhow::Result<Profile> {
    let file: File = serde_json::from_str(json).context("not a dhat profile")?;
    ensure!(
        file.dhat_file_version == 2,
        "dhat's format changed: version {} instead of 2",
        file.dhat_file_version
    );
    let frames: Vec<Frame<'_>> = file.ftbl.iter().map(|line| Frame::parse(line, crates)).collect();
    let mut profile = Profile::new();
    for point in &file.pps {
        let stack = point.fs.iter().map(|i| frames.get(*i).context("a frame outside of the table"));
        let stack = stack.collect::<anyhow::Result<Vec<_>>>()?;
        let is_own = stack.iter().any(|frame| frame.server.is_some());
        let (key, place) = key(&stack);
        let new = || Site { place, is_own, ..Site::default() };
        let site = profile.entry(key).or_insert_with(new);
        site.blocks += point.tbk;
        site.bytes += point.tb;
        site.peak_bytes += point.gb;
        site.live_blocks += point.ebk;
        site.live_bytes += point.eb;
    }
    Ok(profile)
}

/// The key and the place of a stack, innermost frame first, in dhat's words.
pub(crate) fn of_stack(lines: &[String], crates: &[Crate]) -> (String, String) {
    let frames: Vec<Frame<'_>> = lines.iter().map(|line| Frame::parse(line, crates)).collect();
    key(&frames.iter().collect::<Vec<_>>())
}

#[derive(Deserialize)]
struct File {
    #[serde(rename = "dhatFileVersion")]
    dhat_file_version: u32,
    pps: Vec<Point>,
    ftbl: Vec<String>,
}

#[derive(Deserialize)]
struct Point {
    tb: u64,
    tbk: u64,
    gb: u64,
    eb: u64,
    ebk: u64,
    fs: Vec<usize>,
}

/// `0x5581: server::echo::run::{{closure}} (server/src/echo.rs:41:9)`.
#[derive(Debug)]
struct Frame<'a> {
    function: String,
    place: String,
    /// The crate of the server that it is in.
    server: Option<&'a Crate>,
}

impl<'a> Frame<'a> {
    fn parse(line: &str, crates: &'a [Crate]) -> Self {
        let symbol = line.split_once(": ").map_or(line, |(_, symbol)| symbol);
        let (function, place) = match symbol.rsplit_once(" (") {
            Some((function, place)) => (function, place.trim_end_matches(')')),
            None => (symbol, ""),
        };
        let place = place.rsplit_once(':').map_or(place, |(line, _column)| line);
        let frame = Self { function: normalise(function), place: place.to_owned(), server: None };
        let server = crates.iter().find(|server| server.name == frame.crate_name());
        Self { server, ..frame }
    }

    /// Whether the frame belongs to the program and not to the language or the instrument.
    fn is_program(&self) -> bool {
        const OTHERS: [&str; 5] = ["alloc::", "core::", "std::", "dhat::", "plimsoll::"];
        let other = |path: &str| OTHERS.iter().any(|prefix| path.starts_with(prefix));
        match self.function.strip_prefix('<').and_then(|rest| rest.split_once(" as ")) {
            // For a type without a crate, such as `T` or `str`, the crate of the trait decides.
            Some((type_name, trait_name)) => {
                let has_crate = type_name.trim_start_matches("::").contains("::");
                !other(type_name) && (has_crate || !other(trait_name))
            }
            None => {
                self.function.contains("::")
                    && !other(&self.function)
                    && !other(self.function.trim_start_matches('<'))
            }
        }
    }

    fn crate_name(&self) -> &str {
        let path = self.function.trim_start_matches('<');
        path.split_once("::").map_or(path, |(name, _)| name)
    }
}

/// Removes hashes, generic arguments and closure markers, which differ between builds of the same source.
fn normalise(function: &str) -> String {
    let mut text = String::with_capacity(function.len());
    let mut depth = 0usize;
    let mut qualified = function.starts_with('<');
    for character in function.chars() {
        match character {
            // The first bracket of `<T as Trait>::method` stays; brackets after a path are generic arguments.
            '<' if depth == 0 && qualified && text.is_empty() => text.push('<'),
            '<' => depth += 1,
            '>' if depth > 0 => depth -= 1,
            _ if depth > 0 => {}
            '>' => {
                qualified = false;
                text.push('>');
            }
            _ => text.push(character),
        }
    }
    let text = text.replace("::{{closure}}", "").replace("::{closure#0}", "").replace("::::", "::");
    let text = text.trim_end_matches("::").to_owned();
    match text.rsplit_once("::h") {
        Some((path, hash))
            if hash.len() == 16 && hash.bytes().all(|byte| byte.is_ascii_hexdigit()) =>
        {
            path.to_owned()
        }
        _ => text,
    }
}

/// The key and the place of a call stack. Of consecutive frames in one crate only the innermost is kept: a library may
/// change its inner path.
fn key(stack: &[&Frame<'_>]) -> (String, String) {
    let program: Vec<&Frame<'_>> =
        stack.iter().copied().filter(|frame| frame.is_program()).collect();
    let server = program.iter().position(|frame| frame.server.is_some());
    let end = server.map_or(FOREIGN_FRAMES, |at| at + 1).min(program.len());
    let mut path = program[..end].to_vec();
    path.dedup_by_key(|frame| frame.crate_name());
    let Some(first) = path.first() else {
        let function = stack.first().map_or("unknown", |frame| frame.function.as_str());
        return (function.to_owned(), String::new());
    };
    let frame = server.map_or(*first, |at| program[at]);
    let place =
        frame.server.map_or_else(|| frame.place.clone(), |own| own.below_root(&frame.place));
    let names: Vec<&str> = path.iter().map(|frame| frame.function.as_str()).collect();
    (names.join(" <- "), place)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn crates() -> [Crate; 1] {
        [Crate { name: "server".to_owned(), folder: "server/".to_owned(), root: "/nowhere".into() }]
    }

    #[track_caller]
    fn check(line: &str, function: &str, place: &str) {
        let crates = crates();
        let frame = Frame::parse(line, &crates);
        assert_eq!((frame.function.as_str(), frame.place.as_str()), (function, place));
    }

    #[test]
    fn a_frame_loses_its_address_column_closures_and_generics() {
        check(
            "0x55: server::echo::run::{{closure}} (server/src/echo.rs:41:9)",
            "server::echo::run",
            "server/src/echo.rs:41",
        );
        check(
            "0x55: alloc::vec::Vec<T,A>::push (src/vec/mod.rs:1:2)",
            "alloc::vec::Vec::push",
            "src/vec/mod.rs:1",
        );
        check("0x55: <a::B<C> as d::E<F>>::g (x/y/z.rs:7:1)", "<a::B as d::E>::g", "x/y/z.rs:7");
        check("0x55: a::b::h0123456789abcdef (x/y/z.rs:7:1)", "a::b", "x/y/z.rs:7");
    }

    #[test]
    fn program_points_with_the_same_key_are_added_up() {
        let json = r#"{"dhatFileVersion":2,"mode":"rust-heap","pps":[
            {"tb":10,"tbk":1,"tl":0,"mb":0,"mbk":0,"gb":0,"gbk":0,"eb":0,"ebk":0,"fs":[1,2,4]},
            {"tb":5,"tbk":2,"tl":0,"mb":0,"mbk":0,"gb":0,"gbk":0,"eb":5,"ebk":1,"fs":[1,3,4]}],
            "ftbl":["[root]","0x1: alloc::alloc::alloc (alloc/src/alloc.rs:9:1)","0x2: bytes::Bytes::copy (bytes/src/bytes.rs:1:1)",
            "0x3: bytes::Bytes::copy (bytes/src/bytes.rs:2:1)","0x4: server::echo::run::{{closure}} (server/src/echo.rs:41:9)"]}"#;
        let profile = parse(json, &crates()).expect("this is a profile");
        let site = Site {
            peak_bytes: 0,
            blocks: 3,
            bytes: 15,
            live_blocks: 1,
            live_bytes: 5,
            place: "server/src/echo.rs:41".to_owned(),
            is_own: true,
        };
        assert_eq!(
            profile,
            Profile::from([("bytes::Bytes::copy <- server::echo::run".to_owned(), site)])
        );
    }

    #[test]
    fn another_version_of_the_format_is_refused() {
        let error = parse(r#"{"dhatFileVersion":3,"pps":[],"ftbl":[]}"#, &crates())
            .expect_err("version 3 is unknown");
        assert!(error.to_string().contains("format changed"), "{error}");
    }
}
