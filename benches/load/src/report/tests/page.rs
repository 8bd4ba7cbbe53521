use insta::assert_snapshot;

use super::{each, failing};
use crate::report::html;

#[test]
fn a_page_needs_no_other_file() {
    each(|run, assessment| {
        let page = html::render(run, assessment);
        for reference in ["src=", "href=", "url(", "@import", "<script", "<link", "NaN", "inf%"] {
            assert!(!page.contains(reference), "{reference}");
        }
        assert!(page.contains("default-src 'none'; style-src 'unsafe-inline'"));
    });
}

/// The page with a tag per line, without drawings and without tooltips, which are the metrics' own.
#[test]
fn a_page_shows_limits_errors_and_how_to_repeat_the_run() {
    let (run, assessment) = failing();
    let page = html::render(&run, &assessment);
    let body = page.split("<body>").nth(1).expect("a body").replace("><", ">\n<");
    let is_drawn = |line: &&str| {
        let drawn = ["<rect", "</rect", "<line", "</line", "<path", "</path", "<title", "<svg"];
        !drawn.iter().any(|tag| line.starts_with(tag))
    };
    let bare = |line: &str| match line.split_once("<td title=") {
        Some((before, tag)) => format!("{before}<td>{}", tag.split_once('>').expect("a tag").1),
        None => line.to_owned(),
    };
    assert_snapshot!(body.lines().filter(is_drawn).map(bare).collect::<Vec<_>>().join("\n"));
}
