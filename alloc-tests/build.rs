//! Lists `tests/scenarios/*.rs` for the runner, so that a new file is a new scenario, and the packages that the runner
//! is built of.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;
use std::{env, fs};

fn main() {
    let root = env::var("CARGO_MANIFEST_DIR").expect("cargo sets it");
    let out = env::var("OUT_DIR").expect("cargo sets it");
    let write = |name: &str, code: String| {
        fs::write(Path::new(&out).join(name), code).expect("OUT_DIR can be written");
    };
    write("scenarios.rs", scenarios(&root));
    write("packages.rs", packages(&root));
}

fn scenarios(root: &str) -> String {
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
    format!(
        "{modules}type Entry = (&'static str, fn() -> plimsoll::Scenario);\nconst SCENARIOS: &[Entry] = &[\n{entries}];\n"
    )
}

/// The resolved packages of this package and its tests for the target, without those of the workspace. The lockfile
/// holds more: other members' packages, and those for other targets.
fn packages(root: &str) -> String {
    let workspace = Path::new(root).parent().expect("the package is in a folder");
    let members = ["alloc-tests", "alloc-tests/harness", "baselines", "server"];
    let manifests = members.map(|member| format!("{member}/Cargo.toml"));
    for file in ["Cargo.lock", "Cargo.toml"].into_iter().chain(manifests.iter().map(String::as_str))
    {
        println!("cargo::rerun-if-changed={}", workspace.join(file).display());
    }
    let tree = Command::new(env::var("CARGO").expect("cargo sets it"))
        .args(["tree", "--package", "alloc-tests", "--edges", "normal,dev", "--prefix", "none"])
        .args(["--locked", "--offline", "--target", &env::var("TARGET").expect("cargo sets it")])
        .current_dir(workspace)
        .output()
        .expect("cargo runs: it runs this");
    let errors = String::from_utf8_lossy(&tree.stderr);
    assert!(tree.status.success(), "cargo tree failed:\n{errors}");
    let tree = String::from_utf8(tree.stdout).expect("names of packages are ASCII");
    let mut packages = BTreeMap::<&str, BTreeSet<&str>>::new();
    // `tokio v1.54.1`; behind it `(*)` for a repetition, or the folder of a member of the workspace.
    for line in tree.lines().filter(|line| !line.contains("(/")) {
        let mut words = line.split(' ');
        let (Some(name), Some(version)) = (words.next(), words.next()) else { continue };
        packages.entry(name).or_default().insert(version.trim_start_matches('v'));
    }
    assert!(!packages.is_empty(), "cargo tree lists no packages:\n{tree}");
    let entry = |(name, versions): (&str, BTreeSet<&str>)| {
        format!("({name:?}, {:?}),\n", versions.into_iter().collect::<Vec<_>>().join(", "))
    };
    format!("&[\n{}]\n", packages.into_iter().map(entry).collect::<String>())
}
