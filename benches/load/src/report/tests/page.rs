use insta::assert_snapshot;

use super::{each, failing};
use crate::report::html;
use crate::summary::fixture::{MS, answered, run};
use crate::validator::validate;

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

#[test]
fn the_figures_that_people_look_for_stand_beside_the_verdict() {
    each(|run, assessment| {
        let page = html::render(run, assessment);
        let banner = page.split("<header>").nth(1).and_then(|rest| rest.split("</header>").next());
        let figures = banner.and_then(|banner| banner.split("<dl").nth(1)).expect("figures");
        let p99 = if run.interrupted { "<dd>– <small>&lt; 10ms" } else { " ms <small>&lt; 10ms" };
        for figure in ["<dt>p50</dt>", "<dt>p99</dt>", p99, "<dt>received</dt>", "<dt>errors</dt>"]
        {
            assert!(figures.contains(figure), "no {figure} in {figures}");
        }
    });
}

#[test]
fn p99_is_drawn_where_a_second_has_hundreds_of_samples() {
    let drawn = |count: u64| {
        let holds = (1..5).map(|second| answered(second, 0, count, MS));
        let run = run("name = 'test'\n[[stage]]\nconnections = 10\nhold = '4s'\n", holds);
        let page = html::render(&run, &validate(&run));
        let chart = page.split("<h2>Latency over time</h2>").nth(1).expect("a chart");
        chart.split("</section>").next().is_some_and(|chart| chart.contains("p99</li>"))
    };
    assert!(drawn(1_000) && drawn(200) && drawn(100));
    // It would be the maximum.
    assert!(!drawn(99));
}
