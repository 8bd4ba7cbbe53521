use std::process::ExitCode;

use anyhow::Result;
use load::report::{json, lines};
use load_engine::problem::Problem;
use load_plan::profile::Profile;
use load_plan::thresholds::Metric;

use bench_show::output::print;

#[derive(clap::Args)]
#[command(after_help = "Example: ws-load profiles smoke > mine.toml && ws-load run mine.toml")]
pub(crate) struct Args {
    /// Print the TOML of this profile, to copy and change
    #[arg(value_name = "NAME", conflicts_with = "metrics")]
    name: Option<String>,
    /// List the metrics that a threshold can limit
    #[arg(long)]
    metrics: bool,
}

pub(crate) fn run(args: &Args) -> Result<ExitCode> {
    let text = match &args.name {
        Some(name) => source(name)?.to_owned(),
        None if args.metrics => metrics(),
        None => list()?,
    };
    print(&text)?;
    Ok(ExitCode::SUCCESS)
}

#[derive(clap::Args)]
pub(crate) struct SchemaArgs {
    /// That of a line of --json-lines
    #[arg(long)]
    json_lines: bool,
}

pub(crate) fn schema(args: &SchemaArgs) -> Result<ExitCode> {
    print(if args.json_lines { lines::JSON_SCHEMA } else { json::JSON_SCHEMA })?;
    Ok(ExitCode::SUCCESS)
}

fn source(name: &str) -> Result<&'static str> {
    let builtin = Profile::BUILTIN.iter().find(|builtin| builtin.name == name);
    builtin.map(|builtin| builtin.toml).ok_or_else(|| {
        Problem::usage(match Profile::load(name) {
            // The error lists the built-in names.
            Err(error) => format!("{error:#}"),
            Ok(_) => format!("{name} is a file; print it with cat {name}"),
        })
        .into()
    })
}

fn list() -> Result<String> {
    let mut text = String::new();
    for builtin in Profile::BUILTIN {
        let profile = Profile::load(builtin.name)?;
        let seconds = profile.duration().as_secs_f64().round();
        text += &format!("{:<12} {seconds:>4} s  {}\n", profile.name, profile.description);
    }
    text += "\nws-load profiles NAME prints a profile to copy; ws-load run FILE.toml runs yours.\n";
    Ok(text)
}

fn metrics() -> String {
    let lines = Metric::all().map(|metric| {
        let example = metric.unit().example();
        format!("{:<28} {example:<8} {}\n", metric.name(), metric.meaning())
    });
    lines.collect()
}
