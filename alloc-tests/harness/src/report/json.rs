use baselines::SuiteReport;
use baselines::suite_report::{SCHEMA, ScenarioReport};

use super::Run;
use crate::result::ScenarioResult;
use crate::suite::TARGET;

pub(super) fn render(run: &Run<'_>) -> String {
    let provenance = run.provenance.clone();
    let report = SuiteReport {
        schema: SCHEMA,
        target: TARGET.to_owned(),
        rustc: provenance.rustc,
        profile: provenance.profile,
        lockfile: provenance.lockfile,
        provenance_differs: run.provenance_differs.clone(),
        exit_code: run.exit_code(),
        scenarios: run.results.iter().map(|one| (one.id.clone(), scenario(one))).collect(),
    };
    report.render()
}

fn scenario(one: &ScenarioResult) -> ScenarioReport {
    ScenarioReport {
        measured: one.measured.clone(),
        verdict: one.judgement.verdict,
        unit: one.unit.to_owned(),
        recorded: one.recorded.clone(),
        live: one.live,
        sites_changed: one.sites.clone(),
        leaks: one.leaks.clone(),
        notes: one.notes.clone(),
    }
}
