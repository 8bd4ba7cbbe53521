use std::io::Write as _;
use std::path::PathBuf;

use anyhow::{Result, ensure};
use bench_show::colour::plain;
use bench_show::output::print;
use load::report::directory::{self, Claim};
use load::report::{Asked, json, table};
use load::validator::Assessment;
use load_engine::problem::Problem;
use load_plan::model::Run;

/// Flags of each subcommand that ends with a report.
#[derive(clap::Args)]
#[command(next_help_heading = "Report")]
pub(crate) struct Output {
    /// Write report.html, report.json, intervals.hlog,
    /// intervals.csv and junit.xml into this folder
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
    /// Replace the report in that folder
    #[arg(long, requires = "out")]
    overwrite: bool,
    /// Print this at the end: table or json
    #[arg(long, value_name = "FORMAT", default_value = "table", hide_possible_values = true)]
    format: Format,
}

#[derive(Clone, Copy, clap::ValueEnum)]
enum Format {
    Table,
    Json,
}

/// Where the table at the end is printed.
#[derive(Clone, Copy)]
pub(crate) enum Place {
    Stdout,
    /// Because stdout has JSON lines.
    Stderr,
}

impl Output {
    /// Refuses two kinds of JSON on stdout.
    pub(crate) fn refuse_two(&self, place: Place) -> Result<()> {
        let both = matches!((place, self.format), (Place::Stderr, Format::Json));
        let words =
            "--json-lines - and --format json both write to stdout; write the lines to a file";
        ensure!(!both, Problem::usage(words.to_owned()));
        Ok(())
    }

    /// Checks that the report can be written, and keeps others from writing one there. Before a load, so that no result is
    /// lost.
    pub(crate) fn claim(&self) -> Result<Option<Claim>> {
        self.out.as_ref().map(|dir| directory::claim(dir, self.overwrite)).transpose()
    }

    /// Says that a report in the folder is not of a run that failed: its verdict may be a pass.
    pub(crate) fn disown(&self) {
        if let Some(dir) = self.out.as_ref().filter(|dir| directory::holds_report(dir)) {
            eprintln!("the report in {} is of an earlier run", dir.display());
        }
    }

    /// Writes the report into the folder of `claim`, and prints it; `asked` is what the command line called
    /// for.
    pub(crate) fn show(
        &self,
        claim: Option<&Claim>,
        run: &Run,
        assessment: &Assessment,
        asked: Option<&Asked>,
        place: Place,
    ) -> Result<()> {
        let written = claim.map_or(Ok(()), |claim| claim.write(run, assessment));
        // The result is shown even if the report cannot be written.
        let text = match self.format {
            Format::Table => table::render(run, assessment, width(), asked),
            Format::Json => json::text(run, assessment)?,
        };
        match place {
            Place::Stdout => print(&text)?,
            // A closed stderr does not change a verdict.
            Place::Stderr => drop(write!(std::io::stderr(), "{}", plain(&text))),
        }
        written?;
        if let Some(dir) = &self.out {
            eprintln!("report in {}", dir.display());
        }
        Ok(())
    }
}

/// Columns of the terminal; 80 without a terminal.
pub(crate) fn width() -> usize {
    let size = rustix::termios::tcgetwinsize(std::io::stdout());
    size.map_or(80, |size| usize::from(size.ws_col)).clamp(40, 160)
}
