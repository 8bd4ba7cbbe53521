use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use anyhow::Result;
use load::report::Asked;
use load::report::directory::Claim;
use load::signals::stop_on_signals;
use load::summary::Summary;
use load::validator::{Assessment, RunVerdict, validate};
use load_engine::progress::Progress as Now;
use load_engine::run::{RunSettings, run as perform};
use load_plan::model::Run;
use server::Access;

use crate::common::{all, own_target};
use crate::followed::Followed;
use crate::lines::STDOUT;
use crate::live::{Live, LiveFlags};
use crate::output::{Output, Place};
use crate::paths::{Named, refuse_shared};
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

/// Flags that name a file to read.
const READ: [&str; 4] = ["--conversation", "--payload", "--bearer-file", "--ca-file"];

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
    #[arg(long, value_name = "FILE", help_heading = "Report")]
    json_lines: Option<String>,
    /// Keep this file up to date, in OpenMetrics, for a
    /// collector of text files; a name that ends in .prom
    #[arg(long, value_name = "FILE", help_heading = "Report")]
    open_metrics: Option<PathBuf>,
    #[command(flatten)]
    live: LiveFlags,
    /// Print no progress on stderr
    #[arg(long)]
    pub(crate) quiet: bool,
}

/// `flags` are those that were typed.
pub(crate) fn run(args: &Args, flags: Vec<Vec<String>>) -> Result<ExitCode> {
    let asked = Asked { profile: Some(args.flags.profile.clone()), flags, saved: None };
    let profile = args.flags.profile()?;
    let shard = args.shard.shard()?;
    args.flags.check_shard(&profile, shard)?;
    let settings = args.shard.part(shard, args.flags.settings(profile));
    args.shown.run(&asked, settings, || Ok(()))
}

impl Shown {
    /// Performs the run of `settings`, judges it and shows its report; `save` is called once nothing else can be refused.
    pub(crate) fn run(
        &self,
        asked: &Asked,
        settings: RunSettings,
        save: impl FnOnce() -> Result<()>,
    ) -> Result<ExitCode> {
        let page = self.live.page()?;
        let place = match self.json_lines.as_deref() {
            Some(STDOUT) => Place::Stderr,
            _ => Place::Stdout,
        };
        self.output.refuse_two(place)?;
        let (lines, metrics) = (self.json_lines.as_deref(), self.open_metrics.as_deref());
        self.refuse_shared(asked)?;
        let mut files = Followed::open(lines, metrics, &settings)?;
        let of = settings.shard.of;
        let mut so_far = Summary::nothing(&settings.profile);
        let ran = self.perform(page, settings, save, &mut so_far, &mut files);
        let Done { claim, live, run, assessment } = match ran {
            Ok(done) => done,
            Err(error) => {
                files.failed(&error, &so_far);
                return Err(error);
            }
        };
        let followed = files.finish(&run, &assessment);
        let written = self.output.show(claim.as_ref(), &run, &assessment, Some(asked), place);
        if let Some(live) = live {
            live.finish(&run, &assessment);
        }
        all([written, followed])?;
        if assessment.verdict == RunVerdict::Incomplete {
            // Success, so that a scheduler does not start the shard again.
            eprintln!("one shard of {of}; ws-load merge judges all of them");
            return Ok(ExitCode::SUCCESS);
        }
        Ok(ExitCode::from(assessment.verdict.exit_code()))
    }

    fn refuse_shared(&self, asked: &Asked) -> Result<()> {
        let lines = self.json_lines.as_deref().filter(|name| *name != STDOUT);
        let written = [
            ("--json-lines", lines.map(Path::new)),
            ("--open-metrics", self.open_metrics.as_deref()),
            ("--save", asked.saved.as_deref().map(Path::new)),
        ];
        let profile = asked.profile.as_deref().map(|name| ("the profile", Path::new(name)));
        let read = asked.flags.iter().filter_map(|flag| match flag.as_slice() {
            [flag, file] if READ.contains(&flag.as_str()) => Some((flag.as_str(), Path::new(file))),
            _ => None,
        });
        let written: Vec<Named<'_>> =
            written.into_iter().filter_map(|(flag, path)| Some((flag, path?))).collect();
        let read: Vec<Named<'_>> = read.chain(profile).collect();
        refuse_shared(self.output.out.as_deref(), &written, &read)
    }

    /// All of a run but its report.
    fn perform(
        &self,
        page: Option<(SocketAddr, Access)>,
        mut settings: RunSettings,
        save: impl FnOnce() -> Result<()>,
        so_far: &mut Summary,
        files: &mut Followed,
    ) -> Result<Done> {
        let claim = self.output.claim()?;
        save()?;
        let stop = stop_on_signals()?;
        let own = own_target(&mut settings)?;
        let start = |(addr, access)| Live::start(addr, access, &settings);
        let mut live = page.map(start).transpose()?;
        let watched = watched(&settings, &stop, self.quiet, so_far, &mut |now, so_far| {
            if let Some(live) = &mut live {
                live.show(now, so_far);
            }
            files.second(now, so_far);
        });
        let (mut run, assessment) = watched.inspect_err(|_| self.output.disown())?;
        if own.is_some() {
            // The run's own server ends here, so its address means nothing.
            run.url.clear();
        }
        Ok(Done { claim, live, run, assessment })
    }
}

/// A run that was performed, and where it is shown.
struct Done {
    claim: Option<Claim>,
    live: Option<Live>,
    run: Run,
    assessment: Assessment,
}

/// Runs the load and shows its progress, once a second to `watch` as well. `so_far` is empty before, and has all that was
/// measured where the run fails.
pub(crate) fn watched(
    settings: &RunSettings,
    stop: &Arc<AtomicBool>,
    quiet: bool,
    so_far: &mut Summary,
    watch: &mut dyn FnMut(&Now<'_>, &Summary),
) -> Result<(Run, Assessment)> {
    let progress = Progress::new(settings, quiet);
    let run = perform(settings, stop, &mut |now| {
        for interval in now.closed {
            so_far.add(now.profile, interval);
        }
        progress.show(now, so_far);
        watch(now, so_far);
    });
    progress.clear();
    let run = run?;
    let assessment = validate(&run);
    Ok((run, assessment))
}
