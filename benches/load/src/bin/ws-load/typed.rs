use clap::parser::ValueSource;
use clap::{Arg, ArgMatches, Command};
use load_plan::profile::Profile;

/// Flags that do not say what the load is, beside those of reports and live pages: where it is saved, what it is called, and
/// when it starts.
const OTHERS: [&str; 4] = ["save", "run-id", "start-at", "quiet"];

/// Headings in `--help` of flags that do not say what the load is.
const SHOWN: [&str; 2] = ["Report", "Live page"];

/// The flags of a load that were typed on the command line of `command`, or of its subcommand: each by its long name, with its value. The value of
/// a secret header is left out: what is printed may be kept.
pub(crate) fn flags(command: &Command, matches: &ArgMatches) -> Vec<Vec<String>> {
    let sub = matches.subcommand();
    if let Some((command, matches)) =
        sub.and_then(|(name, matches)| Some((command.find_subcommand(name)?, matches)))
    {
        return flags(command, matches);
    }
    command.get_arguments().filter(|arg| is_of_load(arg)).flat_map(|arg| of(arg, matches)).collect()
}

fn is_of_load(arg: &Arg) -> bool {
    arg.get_long().is_some_and(|long| !OTHERS.contains(&long))
        && !arg.get_help_heading().is_some_and(|heading| SHOWN.contains(&heading))
}

fn of(arg: &Arg, matches: &ArgMatches) -> Vec<Vec<String>> {
    let id = arg.get_id().as_str();
    let name = format!("--{}", arg.get_long().unwrap_or(id));
    let is_typed = matches.try_contains_id(id).is_ok_and(|is| is)
        && matches.value_source(id) == Some(ValueSource::CommandLine);
    if !is_typed {
        return Vec::new();
    }
    if !arg.get_action().takes_values() {
        return vec![vec![name]];
    }
    let values = matches.get_raw(id).into_iter().flatten().map(|value| value.to_string_lossy());
    values.map(|value| vec![name.clone(), public(&name, &value)]).collect()
}

fn public(flag: &str, value: &str) -> String {
    match value.split_once(':') {
        Some((header, _)) if flag == "--header" && Profile::is_secret(header) => {
            format!("{header}: {}", Profile::SECRET)
        }
        _ => value.to_owned(),
    }
}
