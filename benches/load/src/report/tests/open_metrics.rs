use std::collections::BTreeSet;

use insta::assert_snapshot;

use super::lines::progress;
use super::{each, failing};
use crate::report::open_metrics::{About, FIRST_LINE, began, ended, failed, running};
use crate::summary::Summary;

const ABOUT: About<'_> = About { run_id: "r", profile: "checkout", insecure: true };

/// Checks what OpenMetrics asks of any text: families in one piece, samples of their family, one end.
fn check(text: &str) {
    assert!(text.starts_with(FIRST_LINE) && text.ends_with("\n# EOF\n"), "{text}");
    let (mut families, mut samples) = (BTreeSet::new(), BTreeSet::new());
    let mut family = "";
    for line in text.lines().filter(|line| *line != "# EOF") {
        if let Some(rest) = line.strip_prefix("# TYPE ") {
            family = rest.split(' ').next().expect("a name");
            assert!(families.insert(family), "{family} comes twice");
        } else if let Some(rest) = line.strip_prefix("# HELP ") {
            assert!(rest.starts_with(&format!("{family} ")), "{line}");
        } else {
            let (sample, value) = line.rsplit_once(' ').expect(line);
            assert!(sample.starts_with(family) && samples.insert(sample), "{line}");
            assert!(value.parse::<f64>().is_ok(), "{line}");
        }
    }
}

#[test]
fn open_metrics_have_the_counts_so_far_and_the_state() {
    let (run, _) = failing();
    let mut so_far = Summary::nothing(&run.profile);
    let nothing = running(ABOUT, &progress(&run, &run.intervals[0]), &so_far);
    assert!(nothing.contains("latency_seconds{quantile=\"0.5\"} NaN"), "{nothing}");
    for interval in &run.intervals {
        so_far.add(&run.profile, interval);
        check(&running(ABOUT, &progress(&run, interval), &so_far));
    }
    let last = run.intervals.last().expect("there are some");
    assert_snapshot!("open_metrics", running(ABOUT, &progress(&run, last), &so_far));
}

#[test]
fn the_last_open_metrics_have_the_verdict() {
    each(|run, assessment| {
        let mut run = run.clone();
        run.profile.name = "a \"b\" \\".to_owned();
        let text = ended(&run, assessment);
        check(&text);
        assert!(text.contains("profile=\"a \\\"b\\\" \\\\\""), "{text}");
        let state = format!("state{{state=\"{}\"}} 1", assessment.verdict.name());
        assert!(text.contains(&state) && text.matches("{state=").count() == 7, "{text}");
    });
}

#[test]
fn a_run_without_a_verdict_is_running_or_has_failed() {
    let (run, _) = failing();
    let mut so_far = Summary::nothing(&run.profile);
    so_far.add(&run.profile, &run.intervals[0]);
    let sent = run.intervals[0].sample.counts.sent;
    for (text, state, sent) in
        [(began(ABOUT), "running", 0), (failed(ABOUT, &so_far), "failed", sent)]
    {
        check(&text);
        let words = format!("{{state=\"{state}\"}} 1\n");
        assert!(text.contains(&words) && text.matches("\"} 1\n").count() == 1 + 1, "{text}");
        assert!(text.contains(&format!("messages_sent_total {sent}\n")), "{text}");
    }
}
