use std::cell::RefCell;
use std::collections::BTreeMap;
use std::net::SocketAddr;

use anyhow::{Context, Result};
use load::summary::{Figures, Summary};
use load::validator::{Assessment, RunVerdict};
use load_engine::conductor::Progress;
use load_engine::run::Settings;
use load_plan::metrics::{Tally, Timing};
use load_plan::model::{self, Run};
use load_plan::outcome::{Ending, Fault};
use load_plan::profile::Profile;
use load_plan::thresholds;
use server::live::{Errors, Latency, Load, Mark, Phase, Stage, State, Threshold};

/// The live page of one run.
pub(crate) struct Live {
    page: server::live::Live,
    run_id: String,
    url: String,
    marks: RefCell<Vec<(u64, usize, Phase)>>,
}

impl Live {
    pub(crate) fn start(addr: SocketAddr, settings: &Settings) -> Result<Self> {
        let page = server::live::Live::start(addr).context("there is no live page")?;
        eprintln!("live on http://{}", page.addr());
        let (run_id, url) = (settings.run_id.clone(), settings.url.clone());
        Ok(Self { page, run_id, url, marks: RefCell::default() })
    }

    pub(crate) fn show(&self, now: &Progress<'_>, so_far: &Summary) {
        let phase = phase(now.phase);
        let mut marks = self.marks.borrow_mut();
        let elapsed_ns = now.elapsed.as_nanos() as u64;
        if marks.last().is_none_or(|(_, stage, last)| (*stage, *last) != (now.stage, phase)) {
            marks.push((elapsed_ns, now.stage, phase));
        }
        let name = |stage: usize| now.profile.stages[stage].name.as_str();
        let judged = now.profile.judged(now.stage).unwrap_or(Timing::Ping);
        let timing = now.last.timing(judged);
        let quantile = |at| timing.quantile_ns(at).unwrap_or_default();
        let latency = (timing.count > 0).then(|| Latency {
            p50_ns: quantile(0.5),
            p95_ns: quantile(0.95),
            p99_ns: quantile(0.99),
            max_ns: timing.max_ns,
        });
        let counts = &now.last.counts;
        let names = Names::of(now.profile);
        self.page.publish(&Load {
            run_id: &self.run_id,
            profile: &now.profile.name,
            url: &self.url,
            state: State::Running,
            reasons: &[],
            elapsed_ns,
            planned_ns: now.profile.duration().as_nanos() as u64,
            stage: Some(Stage { index: now.stage, name: name(now.stage), phase }),
            marks: marks
                .iter()
                .map(|(at_ns, stage, phase)| Mark {
                    at_ns: *at_ns,
                    name: name(*stage),
                    phase: *phase,
                })
                .collect(),
            judged: judged.name(),
            latency,
            thresholds: limits(now.profile, so_far, &names),
            offered_per_s: now.profile.is_open_loop(now.stage).then_some(counts.due as f64),
            achieved_per_s: counts.sent as f64,
            sent_mbps: counts.sent_bytes as f64 * 8.0 / 1e6,
            received_mbps: counts.received_bytes as f64 * 8.0 / 1e6,
            open: now.open,
            target: now.target,
            errors: errors(&so_far.overall.counts),
            backpressure_events: so_far.overall.counts.backpressure_events,
            lag_p99_ns: now.last.timing(Timing::ScheduleLag).quantile_ns(0.99),
            generator_cpu: now.generator_cpu,
        });
    }

    /// Shows the verdict and says goodbye. Nobody who still watches is waited for.
    pub(crate) fn finish(self, run: &Run, assessment: &Assessment) {
        let summary = Summary::of(run);
        let overall = &summary.overall;
        let names = Names::of(&run.profile);
        let marks = self.marks.borrow();
        let seconds = overall.length_ns as f64 / 1e9;
        let per_s = |count: u64| if seconds > 0.0 { count as f64 / seconds } else { 0.0 };
        let quantile = |at| overall.latency.quantile_ns(at).unwrap_or_default();
        let elapsed: u64 = run.intervals.last().map_or(0, |last| last.second + 1);
        self.page.publish(&Load {
            run_id: &self.run_id,
            profile: &run.profile.name,
            url: &self.url,
            state: state(assessment.verdict),
            reasons: &assessment.reasons,
            elapsed_ns: elapsed * 1_000_000_000,
            planned_ns: run.profile.duration().as_nanos() as u64,
            stage: None,
            marks: marks
                .iter()
                .map(|(at_ns, stage, phase)| {
                    let name = run.profile.stages[*stage].name.as_str();
                    Mark { at_ns: *at_ns, name, phase: *phase }
                })
                .collect(),
            judged: overall.judged.first().map_or("none", |judged| judged.name()),
            latency: (overall.latency.count > 0).then(|| Latency {
                p50_ns: quantile(0.5),
                p95_ns: quantile(0.95),
                p99_ns: quantile(0.99),
                max_ns: overall.latency.max_ns,
            }),
            thresholds: limits(&run.profile, &summary, &names),
            offered_per_s: run.profile.is_open_loop(0).then(|| per_s(overall.held.due)),
            achieved_per_s: per_s(overall.held.sent),
            sent_mbps: per_s(overall.held.sent_bytes) * 8.0 / 1e6,
            received_mbps: per_s(overall.held.received_bytes) * 8.0 / 1e6,
            open: 0,
            target: 0,
            errors: errors(&overall.counts),
            backpressure_events: overall.counts.backpressure_events,
            lag_p99_ns: overall.timing(Timing::ScheduleLag).quantile_ns(0.99),
            generator_cpu: 0.0,
        });
        if let Err(error) = self.page.stop() {
            eprintln!("the live page did not end well: {error}");
        }
    }
}

/// Names of metrics, which are made and not kept.
struct Names(BTreeMap<thresholds::Metric, String>);

impl Names {
    fn of(profile: &Profile) -> Self {
        let of_stages = profile.stages.iter().flat_map(|stage| &stage.thresholds);
        let all = profile.thresholds.iter().chain(of_stages);
        Self(all.map(|limit| (limit.metric, limit.metric.name())).collect())
    }
}

fn limits<'a>(profile: &'a Profile, so_far: &Summary, names: &'a Names) -> Vec<Threshold<'a>> {
    let of = |limits: &'a [thresholds::Threshold], stage: Option<&'a str>, figures: &Figures| {
        limits.iter().map(|limit| one(limit, stage, figures, names)).collect::<Vec<_>>()
    };
    let mut all = of(&profile.thresholds, None, &so_far.overall);
    for (stage, figures) in profile.stages.iter().zip(&so_far.stages) {
        all.extend(of(&stage.thresholds, Some(&stage.name), figures));
    }
    all
}

fn one<'a>(
    limit: &thresholds::Threshold,
    stage: Option<&'a str>,
    figures: &Figures,
    names: &'a Names,
) -> Threshold<'a> {
    let value = figures.value(limit.metric).map(|measured| measured.value);
    Threshold {
        metric: &names.0[&limit.metric],
        stage,
        op: limit.op.symbol(),
        limit: limit.limit,
        unit: limit.metric.unit().name(),
        value,
        margin: value.and_then(|value| limit.margin(value)),
        met: value.map(|value| limit.is_met(value)),
    }
}

fn errors(counts: &Tally) -> Errors<'static> {
    let endings = Ending::ALL
        .into_iter()
        .filter(|ending| !ending.is_good())
        .map(|ending| (ending.name(), counts.ended(ending)));
    let faults = Fault::ALL.into_iter().map(|fault| (fault.name(), counts.faulty(fault)));
    let by_kind = endings.chain(faults).filter(|(_, count)| *count > 0).collect();
    Errors { total: counts.errors(), by_kind }
}

fn phase(phase: model::Phase) -> Phase {
    match phase {
        model::Phase::Ramp => Phase::Ramp,
        model::Phase::WarmUp => Phase::WarmUp,
        model::Phase::Hold => Phase::Hold,
        model::Phase::Drain => Phase::Drain,
    }
}

fn state(verdict: RunVerdict) -> State {
    match verdict {
        RunVerdict::Pass => State::Pass,
        RunVerdict::Fail => State::Fail,
        RunVerdict::Invalid => State::Invalid,
        RunVerdict::Incomplete => State::Incomplete,
        RunVerdict::Interrupted => State::Interrupted,
    }
}
