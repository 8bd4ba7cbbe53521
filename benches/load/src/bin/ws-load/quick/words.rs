use anyhow::{Result, bail, ensure};
use bench_show::hint::nearest;
use load_plan::profile::Profile;
use load_plan::url::Url;

/// The URL among the words of a command line that has no subcommand.
pub(super) fn url<'a>(words: &'a [String], commands: &[String]) -> Result<&'a str> {
    let Some(first) = words.first() else {
        bail!("there is no URL; write ws-load ws://host:port/path, with your server's address");
    };
    if is_profile(first) {
        bail!("\"{first}\" is a profile; write ws-load run {}", words.join(" "));
    }
    if !first.contains([':', '/', '.']) {
        match nearest(first, commands) {
            Some(near) => bail!("unknown command \"{first}\"; did you mean \"{near}\"?"),
            None => bail!(
                "\"{first}\" is neither a command nor a URL; write ws-load ws://host:port/path, or one of {}",
                commands.join(", ")
            ),
        }
    }
    first.parse::<Url>()?;
    ensure!(words.len() == 1, "one URL at a time, and not \"{}\" as well", words[1]);
    Ok(first)
}

fn is_profile(word: &str) -> bool {
    word.ends_with(".toml") || Profile::BUILTIN.iter().any(|builtin| builtin.name == word)
}
