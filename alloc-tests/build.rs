//! Lists `tests/scenarios/*.rs` for the runner, so that a scenario is added by adding a file, and records what the
//! counts depend on.

use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;
use std::{env, fs};

fn main() {
    let root = env::var("CARGO_MANIFEST_DIR").expect("cargo sets it");
    let scenarios = Path::new(&root).join("tests/scenarios");
    println!("cargo::rerun-if-changed={}", scenarios.display());
    let mut ids: Vec<String> = fs::read_dir(&scenarios)
        .expect("tests/scenarios is part of the crate")
        .map(|entry| entry.expect("the folder can be read").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "rs"))
        .map(|path| {
            path.file_stem()
                .expect("it has an extension")
                .to_str()
                .expect("ids are ASCII")
                .to_owned()
        })
        .collect();
    ids.sort();
    let mut code = String::new();
    for id in &ids {
        let path = scenarios.join(format!("{id}.rs"));
        writeln!(code, "#[path = {path:?}]\nmod {id};").expect("a string takes everything");
    }
    writeln!(code, "type Entry = (&'static str, fn() -> alloc_tests::Scenario);\nconst SCENARIOS: &[Entry] = &[")
        .expect("a string takes everything");
    for id in &ids {
        writeln!(code, "    ({id:?}, {id}::scenario),").expect("a string takes everything");
    }
    code.push_str("];\n");
    let out = Path::new(&env::var("OUT_DIR").expect("cargo sets it")).join("scenarios.rs");
    fs::write(out, code).expect("OUT_DIR can be written");

    let rustc = env::var("RUSTC").expect("cargo sets it");
    let version =
        Command::new(rustc).arg("--version").output().expect("rustc runs: it compiled this");
    let version = String::from_utf8(version.stdout).expect("rustc prints UTF-8");
    println!("cargo::rustc-env=PLIMSOLL_RUSTC={}", version.trim().trim_start_matches("rustc "));
    println!("cargo::rustc-env=PLIMSOLL_TARGET={}", env::var("TARGET").expect("cargo sets it"));
    println!("cargo::rustc-env=PLIMSOLL_PROFILE={}", env::var("PROFILE").expect("cargo sets it"));
}
