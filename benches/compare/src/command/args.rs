use std::path::{Path, PathBuf};

use clap::ValueEnum;
use clap::builder::NonEmptyStringValueParser;

use crate::flags;
use crate::report::Format;
use crate::talk::Talk;

/// The flags.
#[derive(Debug, clap::Args)]
#[command(group = clap::ArgGroup::new("base").required(true).args(["base_rev", "base_bin", "base_cmd"]))]
pub struct Args {
    /// The revision to compare with: a branch, a tag or a commit
    #[arg(value_name = "BASE", value_parser = NonEmptyStringValueParser::new())]
    pub(super) base_rev: Option<String>,
    /// The revision to judge [default: the working tree, with uncommitted files]
    #[arg(value_name = "HEAD", requires = "base_rev", value_parser = NonEmptyStringValueParser::new())]
    pub(super) head_rev: Option<String>,
    /// Compare only the service with this name, as in plimsoll.toml [default: all, one after the other]
    #[arg(long, value_name = "NAME", requires = "base_rev")]
    pub(super) service: Option<String>,
    /// The ws-server to compare with; timings only
    #[arg(long, value_name = "FILE", requires = "head")]
    pub(super) base_bin: Option<PathBuf>,
    /// The ws-server to judge
    #[arg(long, value_name = "FILE", group = "head", conflicts_with_all = ["base_rev", "head_cmd"])]
    pub(super) head_bin: Option<PathBuf>,
    /// The shell command that starts the server to compare with on {port}; timings only
    #[arg(long, value_name = "COMMAND", requires = "head", value_parser = with_port)]
    pub(super) base_cmd: Option<String>,
    /// The shell command that starts the server to judge on {port}
    #[arg(long, value_name = "COMMAND", group = "head", conflicts_with = "base_rev", value_parser = with_port)]
    pub(super) head_cmd: Option<String>,
    /// What to say to the servers, and what they must answer, as a TOML file [default: the service's, or a text that must
    /// come back]
    #[arg(long, value_name = "FILE", value_parser = talk)]
    pub(super) conversation: Option<Talk>,
    /// The WebSocket path of the servers [default: the conversation's, or the service's; /ws/echo without either]
    #[arg(long, value_parser = absolute)]
    pub(super) path: Option<String>,
    /// Smallest timing change that must be called, in percent
    #[arg(long, value_name = "PERCENT", default_value = "3", value_parser = flags::percent)]
    pub(super) threshold: f64,
    /// Measure only timing rows whose id contains this; may be repeated
    #[arg(long, value_name = "FILTER")]
    pub(super) only: Vec<String>,
    /// Part to leave out; may be repeated
    #[arg(long, value_name = "PART", value_enum)]
    pub(super) skip: Vec<SkipPart>,
    /// Accept timings that are too noisy to judge
    #[arg(long)]
    pub(super) noisy_ok: bool,
    /// Accept improvements
    #[arg(long)]
    pub(super) improved_ok: bool,
    /// Accept scenarios that only head has
    #[arg(long)]
    pub(super) new_ok: bool,
    /// Seed of the order in which the servers are visited [default: the time]
    #[arg(long)]
    pub(super) seed: Option<u64>,
    /// Format of the report on stdout
    #[arg(long, value_enum, default_value_t = Format::Table)]
    pub(super) format: Format,
    /// Also write the report in another format to a file, as in markdown=compare.md; may be repeated
    #[arg(long, value_name = "FORMAT=FILE", value_parser = flags::also)]
    pub(super) also: Vec<(Format, PathBuf)>,
    /// Also write the report as a self-contained page
    #[arg(long, value_name = "FILE")]
    pub(super) html: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum SkipPart {
    Exact,
    Instructions,
    Timing,
}

fn talk(file: &str) -> Result<Talk, String> {
    Talk::read(Path::new(file)).map_err(|error| format!("{error:#}"))
}

fn with_port(text: &str) -> Result<String, String> {
    if text.contains("{port}") {
        Ok(text.to_owned())
    } else {
        Err("expected {port} in place of the port, because three servers run side by side"
            .to_owned())
    }
}

fn absolute(text: &str) -> Result<String, String> {
    if text.starts_with('/') && !text.contains(char::is_whitespace) {
        Ok(text.to_owned())
    } else {
        Err("expected a path that begins with / and contains no white space".to_owned())
    }
}
