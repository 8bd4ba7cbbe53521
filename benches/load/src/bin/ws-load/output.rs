use std::path::PathBuf;

use anyhow::Result;
use bench_show::output::print;
use load::report::{directory, json, table};
use load::validator::Assessment;
use load_plan::model::Run;

/// Flags of each subcommand that ends with a report.
#[derive(clap::Args)]
pub(crate) struct Output {
    /// Write report.html, report.json, intervals.hlog,
    /// intervals.csv and junit.xml into this folder
    #[arg(long, value_name = "DIR", verbatim_doc_comment)]
    out: Option<PathBuf>,
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

impl Output {
    /// Checks that the report can be written. Before a load, so that no result is lost.
    pub(crate) fn prepare(&self) -> Result<()> {
        self.out.as_ref().map_or(Ok(()), |dir| directory::prepare(dir, self.overwrite))
    }

    /// Writes and prints the report; `profile` is the name or path that the command line gave.
    pub(crate) fn show(
        &self,
        run: &Run,
        assessment: &Assessment,
        profile: Option<&str>,
    ) -> Result<()> {
        let written = self.write(run, assessment);
        // The result is shown even if the report cannot be written.
        match self.format {
            Format::Table => print(&table::render(run, assessment, width(), profile)),
            Format::Json => print(&json::text(run, assessment)?),
        }?;
        written
    }

    fn write(&self, run: &Run, assessment: &Assessment) -> Result<()> {
        let Some(dir) = &self.out else { return Ok(()) };
        directory::write(dir, run, assessment, self.overwrite)?;
        eprintln!("report in {}", dir.display());
        Ok(())
    }
}

/// Columns of the terminal; 80 without a terminal.
fn width() -> usize {
    let size = rustix::termios::tcgetwinsize(std::io::stdout());
    size.map_or(80, |size| usize::from(size.ws_col)).clamp(40, 160)
}
