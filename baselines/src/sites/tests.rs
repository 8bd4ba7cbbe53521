use super::*;

const TEXT: &str = "\
# blocks@N  blocks@2N      bytes@N     bytes@2N  call path, innermost first
      1000       2000        64000       128000  echo::run server/src/echo.rs:41 <- listener::serve
         1          1          320          320  server::start
";

fn cost(blocks: u64, bytes: u64) -> SiteCost {
    SiteCost { blocks: [blocks / 2, blocks], bytes: [bytes / 2, bytes] }
}

/// `TEXT` with one part replaced is refused for `reason`.
#[track_caller]
fn check(part: &str, replacement: &str, reason: &str) {
    assert!(TEXT.contains(part), "{part:?} is not in the text");
    assert_eq!(parse(&TEXT.replacen(part, replacement, 1)).unwrap_err(), reason);
}

#[test]
fn parsed_sites_render_to_the_same_bytes() {
    let sites = parse(TEXT).unwrap();
    let site = sites["echo::run server/src/echo.rs:41 <- listener::serve"];
    assert_eq!(site, SiteCost { blocks: [1000, 2000], bytes: [64_000, 128_000] });
    assert_eq!(sites.len(), 2);
    assert_eq!(render(&sites), TEXT);
}

#[test]
fn a_scenario_without_allocations_is_only_a_header() {
    assert_eq!(parse(&render(&Sites::new())).unwrap(), Sites::new());
}

#[test]
fn the_largest_numbers_are_still_separate_columns() {
    let sites =
        Sites::from([("a".to_owned(), SiteCost { blocks: [u64::MAX; 2], bytes: [u64::MAX; 2] })]);
    assert_eq!(parse(&render(&sites)).unwrap(), sites);
}

#[test]
fn a_bad_line_is_named_by_its_number() {
    const BAD_ROW: &str = "line 2: not four aligned counts and a call path";
    check("      1000 ", "      10x0 ", BAD_ROW);
    check("      1000 ", "      +100 ", BAD_ROW);
    check("      1000 ", "      0100 ", BAD_ROW);
    check("      1000 ", "     1.5e3 ", BAD_ROW);
    check("      1000 ", "1000 ", BAD_ROW);
    check("64000       128000", "18446744073709551616       128000", BAD_ROW);
    check("      1000       2000        64000       128000  ", "", BAD_ROW);
    check("  echo::run", "   echo::run", BAD_ROW);
    check("listener::serve\n", "listener::serve \n", BAD_ROW);
    check("listener::serve\n", "listener::serve\r\n", BAD_ROW);
    check(
        "listener::serve\n",
        "listener::serve\n\n",
        "line 3: not four aligned counts and a call path",
    );
}

#[test]
fn a_file_without_its_header_or_its_end_is_not_comparable() {
    let no_header = format!("line 1: not the header `{}`", header());
    check("blocks@N", "BLOCKS@N", &no_header);
    assert_eq!(parse("\n").unwrap_err(), no_header);
    for text in ["", TEXT.trim_end()] {
        assert_eq!(parse(text).unwrap_err(), "the last line is cut off");
    }
}

#[test]
fn sites_must_be_sorted_and_unique() {
    const OUT_OF_ORDER: &str = "line 3: the call path is out of order or repeated";
    check("server::start", "a", OUT_OF_ORDER);
    check("server::start", "echo::run server/src/echo.rs:41 <- listener::serve", OUT_OF_ORDER);
}

#[test]
fn a_key_that_could_not_be_read_back_is_not_written() {
    let root = tempfile::tempdir().unwrap();
    let path = path(root.path(), "echo");
    for key in ["", " a", "a ", "a\nb", "a\rb"] {
        let mut recording = Recording::begin(root.path()).unwrap();
        let sites = Sites::from([(key.to_owned(), cost(2, 2))]);
        let saved = save(&path, &sites, &mut recording);
        assert!(matches!(saved, Err(Error::NotComparable { .. })), "{key:?}");
        recording.commit().unwrap();
        assert!(matches!(load(&path), Err(Error::Missing { .. })), "{key:?}");
    }
}

#[test]
fn a_diff_lists_the_changed_sites_largest_first() {
    let sites = |entries: &[(&str, SiteCost)]| {
        entries.iter().map(|(key, cost)| (key.to_string(), *cost)).collect()
    };
    let recorded: Sites = sites(&[
        ("bytes_only", cost(10, 100)),
        ("gone", cost(6, 60)),
        ("same", cost(1000, 1000)),
        ("shrunk", cost(40, 10)),
    ]);
    let measured: Sites = sites(&[
        ("a_tie", cost(6, 60)),
        ("bytes_only", cost(10, 900)),
        ("new", cost(6, 61)),
        ("same", cost(1000, 1000)),
        ("shrunk", cost(20, 10)),
    ]);
    let changes = diff(&recorded, &measured);
    let keys: Vec<_> = changes.iter().map(|change| change.key.as_str()).collect();
    assert_eq!(keys, ["bytes_only", "new", "a_tie", "gone", "shrunk"]);
    assert_eq!((changes[1].recorded, changes[1].measured), (None, Some(cost(6, 61))));
    assert_eq!((changes[3].recorded, changes[3].measured), (Some(cost(6, 60)), None));
}

#[test]
fn a_change_at_n_alone_is_listed() {
    let at = |n| Sites::from([("a".to_owned(), SiteCost { blocks: [n, 9], bytes: [9, 9] })]);
    assert_eq!(diff(&at(1), &at(2)).len(), 1);
    assert_eq!(diff(&at(1), &at(1)), []);
}
