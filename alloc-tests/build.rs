//! Lists `tests/scenarios/*.rs` for the runner, so that a new file is a new scenario.

use std::path::Path;
use std::{env, fs};

fn main() {
    let root = env::var("CARGO_MANIFEST_DIR").expect("cargo sets it");
    let scenarios = Path::new(&root).join("tests/scenarios");
    println!("cargo::rerun-if-changed={}", scenarios.display());
    let files = fs::read_dir(&scenarios).expect("tests/scenarios is part of the crate");
    let paths = files.map(|entry| entry.expect("the folder can be read").path());
    let mut ids: Vec<String> = paths
        .filter(|path| path.extension().is_some_and(|extension| extension == "rs"))
        .filter_map(|path| Some(path.file_stem()?.to_str().expect("ids are ASCII").to_owned()))
        .collect();
    ids.sort();
    let module =
        |id: &String| format!("#[path = {:?}]\nmod {id};\n", scenarios.join(format!("{id}.rs")));
    let modules: String = ids.iter().map(module).collect();
    let entries: String = ids.iter().map(|id| format!("({id:?}, {id}::scenario),\n")).collect();
    let code = format!(
        "{modules}type Entry = (&'static str, fn() -> plimsoll::Scenario);\nconst SCENARIOS: &[Entry] = &[\n{entries}];\n"
    );
    let out = Path::new(&env::var("OUT_DIR").expect("cargo sets it")).join("scenarios.rs");
    fs::write(out, code).expect("OUT_DIR can be written");
}
