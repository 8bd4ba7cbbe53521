use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use anyhow::Result;
use load::own_target::OwnTarget;
use load::report::Asked;
use load::signals::stop_on_signals;
use load::summary::Summary;
use load::validator::{Assessment, RunVerdict, validate};
use load_engine::progress::Progress as Now;
use load_engine::run::{RunSettings, run as perform};
use load_plan::model::Run;

use crate::lines::{Lines, STDOUT};
use crate::live::{Live, LiveFlags};
use crate::open_metrics::MetricsFile;
use crate::output::{Output, Place};
use crate::progress::Progress;
use crate::settings::{Flags, ShardFlags};

pub(crate) const AFTER_HELP: &str = "Examples:
  ws-load run smoke                                   its own server, 5 s
  ws-load run enterprise ws://127.0.0.1:9001/ws/echo  your server, two minutes
  ws-load run mine.toml wss://example.org/chat --bearer-env TOKEN --out report
  ws-load run sustained --live 127.0.0.1:9002         with a live page

Exit codes: 0 pass, 1 tool or target failed, 2 usage, 3 a threshold is violated,
6 the measurement cannot be trusted, 130 interrupted. With --shard: 0 when the
shard is done; ws-load merge judges all shards.";

#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    flags: Flags,
    #[command(flatten)]
    shard: ShardFlags,
    #[command(flatten)]
    shown: Shown,
}

/// Flags of a run that ends with a report.
#[derive(clap::Args)]
pub(crate) struct Shown {
    #[command(flatten)]
    output: Output,
    /// Append a JSON object for each second, and one for
    /// the verdict, to this file; - is stdout
    #[arg(long, value_name = "FILE", verbatim_doc_comment, help_heading = "Report")]
    json_lines: Option<String>,
    /// Keep this file up to date, in OpenMetrics, for a
    /// collector of text files; a name that ends in .prom
    #[arg(long, value_name = "FILE", verbatim_doc_comment, help_heading = "Report")]
    open_metrics: Option<PathBuf>,
    #[command(flatten)]
    live: LiveFlags,
    /// Print no progress on stderr
    #[arg(long)]
    pub(crate) quiet: bool,
}

pub(crate) fn run(args: &Args) -> Result<ExitCode> {
    let profile = args.flags.profile()?;
    let shard = args.shard.shard()?;
    args.flags.check_shard(&profile, shard)?;
    let settings = || {
        let (whole, own) = args.flags.settings(profile)?;
        Ok((args.shard.part(shard, whole), own))
    };
    args.shown.run(&args.flags.asked(), settings)
}

impl Shown {
    /// Performs the run of `settings`, judges it and shows its report. `settings` starts the run's own server, if it has
    /// one, once nothing else can be refused.
    pub(crate) fn run(
        &self,
        asked: &Asked,
        settings: impl FnOnce() -> Result<(RunSettings, Option<OwnTarget>)>,
    ) -> Result<ExitCode> {
        let live = self.live.page()?;
        let place = match self.json_lines.as_deref() {
            Some(STDOUT) => Place::Stderr,
            _ => Place::Stdout,
        };
        self.output.refuse_two(place)?;
        let claim = self.output.claim()?;
        let mut lines = self.json_lines.as_deref().map(Lines::open).transpose()?;
        let mut metrics = self.open_metrics.as_deref().map(MetricsFile::claim).transpose()?;
        let stop = stop_on_signals()?;
        let (settings, own) = settings()?;
        let start = |(addr, access)| Live::start(addr, access, &settings);
        let mut live = live.map(start).transpose()?;
        let watched = watched(&settings, &stop, self.quiet, &mut |now, so_far| {
            if let Some(live) = &mut live {
                live.show(now, so_far);
            }
            if let Some(lines) = &mut lines {
                lines.second(&settings.run_id, now, so_far);
            }
            if let Some(metrics) = &mut metrics {
                metrics.second(&settings.run_id, now, so_far);
            }
        });
        let (mut run, assessment) = watched.inspect_err(|_| self.output.disown())?;
        if own.is_some() {
            // The run's own server has ended, so its address means nothing.
            run.url.clear();
        }
        let lines = lines.map(|lines| lines.finish(&run, &assessment)).transpose();
        let metrics = metrics.map(|metrics| metrics.finish(&run, &assessment)).transpose();
        let written = self.output.show(claim.as_ref(), &run, &assessment, Some(asked), place);
        if let Some(live) = live {
            live.finish(&run, &assessment);
        }
        written?;
        lines?;
        metrics?;
        if assessment.verdict == RunVerdict::Incomplete {
            // Success, so that a scheduler does not start the shard again.
            let of = settings.shard.of;
            eprintln!("one shard of {of}; ws-load merge judges all of them");
            return Ok(ExitCode::SUCCESS);
        }
        Ok(ExitCode::from(assessment.verdict.exit_code()))
    }
}

/// Runs the load and shows its progress, once a second to `watch` as well.
pub(crate) fn watched(
    settings: &RunSettings,
    stop: &Arc<AtomicBool>,
    quiet: bool,
    watch: &mut dyn FnMut(&Now<'_>, &Summary),
) -> Result<(Run, Assessment)> {
    let progress = Progress::new(settings, quiet);
    let mut so_far = Summary::nothing(&settings.profile);
    let run = perform(settings, stop, &mut |now| {
        for interval in now.closed {
            so_far.add(now.profile, interval);
        }
        progress.show(now, &so_far);
        watch(now, &so_far);
    });
    progress.clear();
    let run = run?;
    let assessment = validate(&run);
    Ok((run, assessment))
}
