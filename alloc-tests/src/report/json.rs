use baselines::SuiteReport;
use baselines::suite_report::{SCHEMA, ScenarioReport};

use super::Run;
use crate::judged::Judged;
use crate::suite;

pub(super) fn render(run: &Run) -> anyhow::Result<String> {
    let provenance = suite::provenance()?;
    let report = SuiteReport {
        schema: SCHEMA,
        target: suite::TARGET.to_owned(),
        rustc: provenance.rustc,
        profile: provenance.profile,
        lockfile: provenance.lockfile,
        provenance_differs: run.provenance.clone(),
        exit_code: run.exit_code(),
        scenarios: run.judged.iter().map(|one| (one.id.clone(), scenario(one))).collect(),
    };
    Ok(report.render())
}

fn scenario(one: &Judged) -> ScenarioReport {
    ScenarioReport {
        measured: one.measured.clone(),
        verdict: one.judgement.verdict,
        unit: one.unit.name().to_owned(),
        recorded: one.recorded.clone(),
        live: one.live,
        sites_changed: one.sites.clone(),
        leaks: one.leaks.clone(),
        notes: one.notes.clone(),
    }
}
