//! Lists `tests/scenarios/*.rs` for the runner, so that a new file is a new scenario.

use std::fmt::Write as _;
use std::path::Path;
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
    writeln!(
        code,
        "type Entry = (&'static str, fn() -> plimsoll::Scenario);\nconst SCENARIOS: &[Entry] = &["
    )
    .expect("a string takes everything");
    for id in &ids {
        writeln!(code, "    ({id:?}, {id}::scenario),").expect("a string takes everything");
    }
    code.push_str("];\n");
    let out = Path::new(&env::var("OUT_DIR").expect("cargo sets it")).join("scenarios.rs");
    fs::write(out, code).expect("OUT_DIR can be written");
}
