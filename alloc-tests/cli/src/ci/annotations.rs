//! Lines that GitHub shows beside the code of a pull request. Pure.

use std::collections::BTreeMap;
use std::fmt::{self, Display, Formatter};

use baselines::Verdict;
use baselines::suite_report::{ScenarioReport, SuiteReport};

/// Most annotations of a run: GitHub shows no more of one kind and step.
pub(super) const MOST: usize = 10;

/// One annotation, printed as a workflow command.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Annotation {
    pub(super) level: Level,
    /// From the root of the repository, and the line; `None` if no line is to blame.
    pub(super) place: Option<(String, u32)>,
    pub(super) title: String,
    pub(super) message: String,
}

/// Most urgent first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Level {
    Error,
    Warning,
}

impl Level {
    pub(super) fn of(verdict: Verdict) -> Self {
        match verdict {
            Verdict::Improved | Verdict::Missing | Verdict::Stale => Self::Warning,
            _ => Self::Error,
        }
    }
}

/// The annotations of a suite: one for each call site, however many scenarios it changed, and one for each scenario
/// without a site. `prefix` is the folder of the workspace from the root of the repository: empty, or with a `/` at the
/// end.
pub(super) fn of_suite(report: &SuiteReport, prefix: &str) -> Vec<Annotation> {
    let mut by_place = BTreeMap::<_, Vec<(&String, &ScenarioReport)>>::new();
    let scenarios = report.scenarios.iter().filter(|(_, one)| one.verdict != Verdict::Pass);
    for (id, one) in scenarios {
        let place = place(one, prefix);
        // Those without a line are not one cause.
        let own = if place.is_none() { id.as_str() } else { "" };
        by_place.entry((Level::of(one.verdict), place, own)).or_default().push((id, one));
    }
    let mut all: Vec<_> = by_place.into_iter().collect();
    all.sort_by_key(|((level, ..), of)| (*level, std::cmp::Reverse(of.len())));
    let annotation = |((level, place, _), of): (_, Vec<(&String, &ScenarioReport)>)| {
        let (id, one) = of[0];
        let others = match of.len() {
            1 => String::new(),
            2 => " and in 1 more scenario".to_owned(),
            many => format!(" and in {} more scenarios", many - 1),
        };
        let title = format!("{id}{others}: {}", one.verdict.as_str());
        Annotation { level, place, title, message: message(one) }
    };
    all.into_iter().map(annotation).collect()
}

/// The line that changed most, or that leaves most alive.
fn place(one: &ScenarioReport, prefix: &str) -> Option<(String, u32)> {
    let sites = one.sites_changed.iter().filter_map(|site| site.place.as_deref());
    let leaks = one.leaks.iter().map(|leak| leak.place.as_str());
    let mut places: Box<dyn Iterator<Item = &str>> = match one.verdict {
        Verdict::Leaked => Box::new(leaks.chain(sites)),
        _ => Box::new(sites.chain(leaks)),
    };
    places.find_map(|place| parse(place, prefix))
}

/// `src/lib.rs:14` → the file from the root of the repository, and the line.
pub(super) fn parse(place: &str, prefix: &str) -> Option<(String, u32)> {
    let (file, line) = place.rsplit_once(':')?;
    // A line of a dependency is not in the repository.
    let is_here = !file.starts_with('/') && !file.contains("..");
    is_here.then_some((format!("{prefix}{file}"), line.parse().ok()?))
}

/// The metrics that changed, or the first sentence about the scenario.
fn message(one: &ScenarioReport) -> String {
    let ops = one.measured.as_ref().map_or([0, 0], |counts| counts.ops);
    let changes = one.changes().into_iter().map(|change| {
        let per_op = change.per_op_delta(ops).filter(|delta| *delta != 0.0);
        let per_op =
            per_op.map_or_else(String::new, |delta| format!(": {delta:+} per {}", one.unit));
        let name = change.metric.name();
        format!("{name} {} → {} at {}{per_op}", change.recorded[0], change.measured[0], ops[0])
    });
    let leaks = one.leaks.iter().map(|leak| {
        format!("left alive: {} blocks, {} bytes of {}", leak.blocks, leak.bytes, leak.place)
    });
    let said: Vec<String> = changes.chain(leaks).chain(one.notes.iter().cloned()).collect();
    if said.is_empty() { one.verdict.as_str().to_owned() } else { said.join("\n") }
}

/// `::error file=src/lib.rs,line=14,title=…::…`, as "Workflow commands for GitHub Actions" in GitHub's documentation
/// defines it.
impl Display for Annotation {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let level = match self.level {
            Level::Error => "error",
            Level::Warning => "warning",
        };
        write!(f, "::{level} ")?;
        if let Some((file, line)) = &self.place {
            write!(f, "file={},line={line},", property(file))?;
        }
        write!(f, "title={}::{}", property(&self.title), data(&self.message))
    }
}

fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_cannot_be_forged_by_a_name() {
        let annotation = Annotation {
            level: Level::Error,
            place: Some(("src/a,b:c.rs".to_owned(), 7)),
            title: "echo: regressed".to_owned(),
            message: "100 %\n::error::forged".to_owned(),
        };
        assert_eq!(
            annotation.to_string(),
            "::error file=src/a%2Cb%3Ac.rs,line=7,title=echo%3A regressed::100 %25%0A::error::forged"
        );
    }

    #[test]
    fn a_place_is_named_from_the_root_of_the_repository_and_a_dependency_has_none() {
        assert_eq!(parse("src/lib.rs:14", ""), Some(("src/lib.rs".to_owned(), 14)));
        assert_eq!(parse("src/lib.rs:14", "api/"), Some(("api/src/lib.rs".to_owned(), 14)));
        for place in ["/home/me/.cargo/registry/axum/src/ws.rs:9", "", "src/lib.rs", "a:b"] {
            assert_eq!(parse(place, ""), None, "{place}");
        }
    }

    /// A report of scenarios, each with a verdict and a place.
    fn report(scenarios: &[(&str, &str, &str)]) -> SuiteReport {
        let scenario = |(id, verdict, place): &(&str, &str, &str)| {
            let site = serde_json::json!({
                "site": "chat::echo", "place": place, "recorded": null, "measured": null
            });
            let sites = if place.is_empty() { vec![] } else { vec![site] };
            let one = serde_json::json!({
                "verdict": verdict, "unit": "message", "recorded": null, "sites_changed": sites,
                "leaks": [], "notes": ["a sentence"],
                "live_blocks": 0, "live_bytes": 0, "live_fds": 0, "live_mapped": 0, "live_tasks": 0
            });
            ((*id).to_owned(), one)
        };
        let scenarios: serde_json::Map<_, _> = scenarios.iter().map(scenario).collect();
        let report = serde_json::json!({
            "schema": baselines::suite_report::SCHEMA, "target": "t", "rustc": "1", "profile": "release",
            "packages": {}, "provenance_differs": [], "exit_code": 3, "scenarios": scenarios
        });
        SuiteReport::parse(&report.to_string()).expect("it is a report")
    }

    #[test]
    fn one_line_that_changed_many_scenarios_is_one_annotation_and_comes_first() {
        let report = report(&[
            ("a", "missing", ""),
            ("b", "regressed", "src/lib.rs:2"),
            ("c", "regressed", "src/lib.rs:9"),
            ("d", "regressed", "src/lib.rs:9"),
            ("e", "pass", "src/lib.rs:9"),
            ("f", "failed", ""),
            ("g", "failed", ""),
        ]);
        let titles: Vec<_> =
            of_suite(&report, "").into_iter().map(|one| (one.title, one.place)).collect();
        let at = |line| Some(("src/lib.rs".to_owned(), line));
        let expected = [
            ("c and in 1 more scenario: regressed", at(9)),
            ("f: failed", None),
            ("g: failed", None),
            ("b: regressed", at(2)),
            ("a: missing", None),
        ];
        assert_eq!(titles, expected.map(|(title, place)| (title.to_owned(), place)));
    }
}
