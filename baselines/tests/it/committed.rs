//! The recorded files: each loads, has the layout of a saved file, and has its counterparts.

use std::{
    collections::BTreeMap,
    fs,
    io::ErrorKind,
    path::{Path, PathBuf},
};

use baselines::{AllocBaseline, Error, Recording, alloc, ratios, sites};

#[test]
fn the_recorded_files_are_valid() {
    let problems = problems(Path::new(env!("CARGO_MANIFEST_DIR")));
    assert!(problems.is_empty(), "restore or record these again:\n{}", problems.join("\n"));
}

/// Problems of the files below `root`; none if there are no files.
fn problems(root: &Path) -> Vec<String> {
    let mut problems = Vec::new();
    let mut scenarios = BTreeMap::<String, Vec<[u64; 2]>>::new();
    for path in entries(&root.join("alloc")).filter(|path| !path.ends_with("sites")) {
        let found = extension(&path, "json")
            .and_then(|()| reload(&path, AllocBaseline::load, AllocBaseline::save));
        match found {
            Ok(baseline) => baseline.scenarios.into_iter().for_each(|(id, counts)| {
                scenarios.entry(id).or_default().push(counts.blocks);
            }),
            Err(problem) => problems.push(problem),
        }
    }
    let mut sited = BTreeMap::new();
    for path in entries(&root.join("alloc/sites")) {
        let found = extension(&path, "txt")
            .and_then(|()| reload(&path, sites::load, |all, path, to| sites::save(path, all, to)));
        match found {
            Ok(all) => {
                let id = path.file_stem().unwrap().to_string_lossy().into_owned();
                let total = |n: usize| all.values().map(|site| site.blocks[n]).sum::<u64>();
                sited.insert(id, [total(0), total(1)]);
            }
            Err(problem) => problems.push(problem),
        }
    }
    // One target's numbers and the call sites are recorded together; a merge of two branches may tear them apart.
    for (id, blocks) in &scenarios {
        if let Some(sum) = sited.get(id)
            && !blocks.contains(sum)
        {
            problems.push(format!("{id}: {blocks:?} blocks, but its call sites add up to {sum:?}"));
        }
    }
    problems.extend(
        scenarios
            .keys()
            .filter(|id| !is_segment(id))
            .map(|id| format!("{id:?} is not a scenario id")),
    );
    problems.extend(
        scenarios
            .keys()
            .filter(|id| !sited.contains_key(*id))
            .map(|id| format!("{id} has no call sites")),
    );
    problems.extend(
        sited
            .keys()
            .filter(|id| !scenarios.contains_key(*id))
            .map(|id| format!("call sites of {id}, which is not a scenario")),
    );

    if root.join(".recording").exists() {
        problems.push(
            "an update was interrupted; type scripts/run-alloc-tests.sh --list to complete it"
                .to_owned(),
        );
    }
    for path in entries(&root.join("bench")) {
        if path != ratios::path(root) {
            problems.push(format!("{}: nothing reads this file", path.display()));
            continue;
        }
        match reload(&path, ratios::load, |all, path, to| ratios::save(path, all, to)) {
            Ok(all) => problems.extend(
                all.ratios
                    .keys()
                    .filter(|id| !is_bench_id(id))
                    .map(|id| format!("{id:?} is not a benchmark id")),
            ),
            Err(problem) => problems.push(problem),
        }
    }
    problems
}

/// Loads `path`, and checks that saving the value gives the same bytes.
fn reload<T>(
    path: &Path,
    load: fn(&Path) -> Result<T, Error>,
    save: impl Fn(&T, &Path, &mut Recording) -> Result<(), Error>,
) -> Result<T, String> {
    let value = load(path).map_err(|error| error.to_string())?;
    let folder = tempfile::tempdir().unwrap();
    let copy = folder.path().join("copy");
    let mut recording = Recording::begin(folder.path()).unwrap();
    save(&value, &copy, &mut recording).map_err(|error| error.to_string())?;
    recording.commit().unwrap();
    if fs::read(path).unwrap() != fs::read(copy).unwrap() {
        return Err(format!("{}: not laid out as it is saved", path.display()));
    }
    Ok(value)
}

/// The entries of `folder`; none if it does not exist. Hidden files belong to an editor or an interrupted save.
fn entries(folder: &Path) -> impl Iterator<Item = PathBuf> {
    let mut paths: Vec<_> = match fs::read_dir(folder) {
        Ok(all) => all.map(|entry| entry.unwrap().path()).collect(),
        Err(error) if error.kind() == ErrorKind::NotFound => Vec::new(),
        Err(error) => panic!("{}: {error}", folder.display()),
    };
    paths.sort();
    paths.into_iter().filter(|path| !path.file_name().unwrap().to_string_lossy().starts_with('.'))
}

fn extension(path: &Path, expected: &str) -> Result<(), String> {
    if path.extension().is_some_and(|found| found == expected) {
        Ok(())
    } else {
        Err(format!("{}: nothing reads this file", path.display()))
    }
}

fn is_segment(text: &str) -> bool {
    !text.is_empty()
        && text
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
}

/// `group/function/parameter`, where the parameter may have a unit in capitals; at most 40 characters each.
fn is_bench_id(id: &str) -> bool {
    let segments: Vec<_> = id.split('/').collect();
    let [group, function, parameter] = segments[..] else { return false };
    let parameter = parameter.to_ascii_lowercase();
    [group, function, &parameter]
        .into_iter()
        .all(|segment| is_segment(segment) && segment.len() <= 40)
}

const SCENARIO: &str = r#"{"ops": [1, 2], "blocks": [0, 0], "bytes": [1, 2], "reads": [1, 2], "writes": [1, 2], "peak_bytes": [1, 2], "once_blocks": [1, 1], "once_bytes": [1, 1]}"#;

const SITES: &str = "# blocks@N  blocks@2N      bytes@N     bytes@2N  call path, innermost first\n";

fn alloc_file(id: &str) -> String {
    format!(
        "{{\n  \"schema\": 4,\n  \"rustc\": \"\",\n  \"profile\": \"\",\n  \"packages\": {{}},\n  \"scenarios\": \
         {{\n    \"{id}\": {SCENARIO}\n  }}\n}}\n"
    )
}

fn ratio_file(id: &str) -> String {
    format!(
        "{{\n  \"schema\": 2,\n  \"machine\": \"test\",\n  \"ratios\": {{\n    \"{id}\": {{\"ratio\": 1.5, \"tolerance\": 0.25, \"why\": \
         \"test\"}}\n  }}\n}}\n"
    )
}

/// Changes, adds or (if `text` is empty) removes one file of a valid folder, and expects `problem`.
#[track_caller]
fn check(file: &str, text: &str, problem: Option<&str>) {
    let root = tempfile::tempdir().unwrap();
    let put = |file: &str, text: &str| {
        let path = root.path().join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    };
    put("alloc/target.json", &alloc_file("echo"));
    put("alloc/sites/echo.txt", SITES);
    put("bench/ratios.json", &ratio_file("echo_latency/text/64B"));
    if text.is_empty() {
        fs::remove_file(root.path().join(file)).unwrap();
    } else {
        put(file, text);
    }
    let found = problems(root.path());
    match problem {
        None => assert_eq!(found, Vec::<String>::new()),
        Some(problem) => assert!(found.iter().any(|found| found.contains(problem)), "{found:?}"),
    }
}

#[test]
fn a_valid_folder_has_no_problems() {
    check("alloc/sites/echo.txt", SITES, None);
    check("bench/ratios.json", "", None);
    check("alloc/.gitkeep", " ", None);
    check("alloc/other.json", &alloc_file("echo"), None);
    assert_eq!(problems(Path::new("/nonexistent")), Vec::<String>::new());
}

#[test]
fn a_malformed_file_is_a_problem() {
    check("alloc/target.json", "{", Some("EOF while parsing"));
    check(
        "alloc/target.json",
        &alloc_file("echo").replace("  ", " "),
        Some("not laid out as it is saved"),
    );
    check("alloc/sites/echo.txt", "#\n", Some("line 1: not the header"));
    check("bench/ratios.json", "{\"schema\": 2}", Some("missing field `machine`"));
    check(
        "bench/ratios.json",
        &ratio_file("a/b/c").replace("1.5", "1.50"),
        Some("not laid out as it is saved"),
    );
}

#[test]
fn an_id_out_of_shape_is_a_problem() {
    check("alloc/target.json", &alloc_file("Echo-1"), Some("\"Echo-1\" is not a scenario id"));
    for id in ["echo/text", "echo/text/64B/x", "Echo/text/64B", "echo//64B", "echo/text/64 B"] {
        check("bench/ratios.json", &ratio_file(id), Some("is not a benchmark id"));
    }
    check(
        "bench/ratios.json",
        &ratio_file(&format!("echo/text/{}", "x".repeat(41))),
        Some("is not a benchmark id"),
    );
}

#[test]
fn a_file_without_its_counterpart_is_a_problem() {
    check("alloc/sites/echo.txt", "", Some("echo has no call sites"));
    check("alloc/sites/gone.txt", SITES, Some("call sites of gone, which is not a scenario"));
    check("alloc/target.txt", "x", Some("nothing reads this file"));
    check(".recording", "{}", Some("an update was interrupted"));
    let other = alloc_file("echo").replace("\"blocks\": [0, 0]", "\"blocks\": [0, 1]");
    check("alloc/target.json", &other, Some("its call sites add up to [0, 0]"));
    check("bench/machine.json", "{}", Some("nothing reads this file"));
    // The path function matches the layout of this test.
    assert_eq!(alloc::path(Path::new(""), "target"), Path::new("alloc/target.json"));
}
