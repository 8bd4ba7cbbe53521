//! A service whose numbers are recorded, and results of its scenarios that wait.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use baselines::alloc::{Counts, Provenance};
use baselines::sites::{SiteChange, SiteCost, Sites};
use baselines::{AllocBaseline, Pending, Update, Verdict, alloc, pending, sites};

use crate::adopter::{Adopter, Said};

pub(crate) const RUSTC: &str = "1.95.0";

const MANIFEST: &str = "[package]\nname = \"chat\"\nversion = \"0.1.0\"\nedition = \"2024\"\n";

/// A repository with the recorded scenarios `echo` and `join`, of one block each at N and 2N.
pub(crate) fn chat() -> Adopter {
    let files = [("Cargo.toml", MANIFEST), ("src/lib.rs", ""), ("tests/alloc.rs", "")];
    let chat = Adopter::new(&files);
    let measured = ["echo", "join"].map(|id| (id.to_owned(), (counts(1), sites(1))));
    let update = Update {
        target: &host(),
        provenance: provenance(RUSTC),
        measured: measured.into_iter().collect(),
        judged_by: BTreeMap::new(),
        passed: BTreeMap::new(),
        known: None,
        prune: false,
    };
    update.record(&root(&chat)).expect("there is room");
    chat
}

/// The folder of its numbers.
pub(crate) fn root(chat: &Adopter) -> PathBuf {
    chat.root().join("tests/baselines")
}

/// The recorded blocks of `id`; `None` if it is not recorded. Its call sites are of the same measurement.
pub(crate) fn blocks(chat: &Adopter, id: &str) -> Option<u64> {
    let root = root(chat);
    let baseline = AllocBaseline::load(&alloc::path(&root, &host())).expect("it was recorded");
    let counts = baseline.scenarios.get(id)?;
    let found = sites::load(&sites::path(&root, id)).expect("it was recorded");
    assert_eq!(sites::blocks(&found), counts.blocks, "{id}");
    Some(counts.blocks[0])
}

/// What waits in the tree, by id.
pub(crate) fn waiting(chat: &Adopter) -> Vec<String> {
    let found = pending::find(&pending::folder(&root(chat))).expect("it can be read");
    found.into_iter().map(|(_, one)| one.id).collect()
}

pub(crate) fn save(chat: &Adopter, one: &Pending) {
    one.save(&pending::folder(&root(chat))).expect("there is room");
}

/// A result of `id` with `blocks`, where one block is recorded, or nothing for other ids than `echo` and `join`.
pub(crate) fn result(id: &str, blocks: u64) -> Pending {
    let recorded = ["echo", "join"].contains(&id).then(|| counts(1));
    let verdict = match (&recorded, blocks) {
        (None, _) => Verdict::Missing,
        (_, 0) => Verdict::Improved,
        (_, 1) => Verdict::Pass,
        _ => Verdict::Regressed,
    };
    let change = SiteChange {
        key: "chat::room::say <- chat::room::Room::run".to_owned(),
        place: Some("src/room.rs:7".to_owned()),
        recorded: Some(SiteCost { blocks: [1; 2], bytes: [64; 2] }),
        measured: sites(blocks).values().next().copied(),
    };
    Pending {
        id: id.to_owned(),
        package: "chat".to_owned(),
        test: "alloc".to_owned(),
        target: host(),
        provenance: provenance(RUSTC),
        verdict,
        unit: "message".to_owned(),
        measured: counts(blocks),
        slack: Vec::new(),
        sites: sites(blocks),
        sites_changed: recorded.iter().map(|_| change.clone()).collect(),
        recorded,
    }
}

pub(crate) fn provenance(rustc: &str) -> Provenance {
    let packages = BTreeMap::from([("tokio".to_owned(), "1.54.1".to_owned())]);
    Provenance { rustc: rustc.to_owned(), profile: "release".to_owned(), packages }
}

fn counts(blocks: u64) -> Counts {
    Counts { ops: [10, 20], blocks: [blocks; 2], ..Counts::default() }
}

fn sites(blocks: u64) -> Sites {
    let cost = SiteCost { blocks: [blocks; 2], bytes: [blocks * 64; 2] };
    Sites::from([("chat::room::say <- chat::room::Room::run".to_owned(), cost)])
}

/// The target of this machine.
pub(crate) fn host() -> String {
    let output = Command::new("rustc").arg("-vV").output().expect("there is a compiler");
    let text = String::from_utf8(output.stdout).expect("it prints text");
    let host = text.lines().find_map(|line| line.strip_prefix("host: "));
    host.expect("it names its host").to_owned()
}

/// Checks an exit code and words on stdout or stderr, which is one line.
#[track_caller]
pub(crate) fn check(said: &Said, code: i32, words: &[&str]) {
    let missing: Vec<_> = words
        .iter()
        .filter(|word| !said.stdout.contains(**word) && !said.stderr.contains(**word))
        .collect();
    assert!(said.code == Some(code) && missing.is_empty(), "{code}, {missing:?}: {said:#?}");
    let is_of_clap = said.stderr.contains("For more information, try");
    assert!(is_of_clap || said.stderr.lines().count() <= 1, "{said:#?}");
}

/// `path` as an argument.
pub(crate) fn text(path: &Path) -> &str {
    path.to_str().expect("a temporary folder has a plain name")
}
