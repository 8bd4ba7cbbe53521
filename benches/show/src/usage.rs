//! The errors of a command line in one line.

/// The text of an error of clap in one line that ends with what to type: the nearest flag if clap knows one, or else `help`,
/// a command such as `ws-load run --help`.
#[must_use]
pub fn one_line(error: &str, help: &str) -> String {
    let error = error.strip_prefix("error: ").unwrap_or(error);
    let (said, usage) = error.split_once("\n\nUsage: ").unwrap_or((error, ""));
    let said = said.split("\n\nFor more information").next().unwrap_or_default();
    let lines = said.lines().map(str::trim).filter(|line| !line.is_empty());
    let mut line = String::new();
    for part in lines {
        // No program here takes such a value.
        if part.starts_with("tip: to pass") {
            continue;
        }
        let joint = match line.chars().last() {
            None => "",
            Some(':') => " ",
            Some(_) => "; ",
        };
        line += joint;
        line += part.strip_prefix("tip: ").unwrap_or(part);
    }
    let usage = usage.lines().next().unwrap_or_default();
    let is_flag_missing = said.contains("not provided:\n  --");
    let cure = if line.ends_with(']') || said.contains("tip: a similar") {
        String::new()
    } else if is_flag_missing {
        "; give it as well".to_owned()
    } else if said.contains("required arguments were not provided") && !usage.is_empty() {
        format!("; write {usage}")
    } else if let Some(cure) = cure(&line) {
        format!("; {cure}")
    } else if said.contains("cannot be used multiple times") {
        "; give it once".to_owned()
    } else if said.contains("cannot be used with") {
        "; give one of them".to_owned()
    } else {
        format!("; {help} says what to write")
    };
    line + &cure
}

/// What to write in place of a value, after the words of the standard library about it; `None` for all other words.
#[must_use]
pub fn cure(why: &str) -> Option<&'static str> {
    let cures = [
        ("invalid socket address syntax", "write an address and a port, such as 127.0.0.1:9001"),
        ("invalid IP address syntax", "write an address such as 127.0.0.2"),
        ("invalid float literal", "write a number such as 5"),
        ("invalid digit found in string", "write a whole number such as 5"),
    ];
    cures.into_iter().find(|(words, _)| why.ends_with(words)).map(|(_, cure)| cure)
}

/// The lines of `command`'s help, and of its commands', that are wider than 80 columns.
#[cfg(feature = "help")]
#[must_use]
pub fn wide_lines(mut command: clap::Command) -> Vec<String> {
    command.build();
    let mut helps = vec![command.render_help(), command.render_long_help()];
    for command in command.get_subcommands_mut() {
        helps.extend([command.render_help(), command.render_long_help()]);
    }
    let helps = helps.iter().map(ToString::to_string).collect::<String>();
    helps.lines().filter(|line| line.chars().count() > 80).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(error: &str, line: &str) {
        let usage = "\n\nUsage: ws-load diff <A> <B>\n\nFor more information, try '--help'.\n";
        assert_eq!(one_line(&format!("error: {error}{usage}"), "ws-load --help"), line);
    }

    #[test]
    fn an_error_of_several_lines_has_one_with_a_cure() {
        check(
            "the following required arguments were not provided:\n  <A>\n  <B>",
            "the following required arguments were not provided: <A>; <B>; write ws-load diff <A> <B>",
        );
        check(
            "unexpected argument '--bnd' found\n\n  tip: a similar argument exists: '--bind'",
            "unexpected argument '--bnd' found; a similar argument exists: '--bind'",
        );
        check(
            "unexpected argument 'c' found",
            "unexpected argument 'c' found; ws-load --help says what to write",
        );
        check(
            "the argument '--size <SIZE>' cannot be used with '--payload <FILE>'",
            "the argument '--size <SIZE>' cannot be used with '--payload <FILE>'; give one of them",
        );
        check(
            "the argument '--seed <N>' cannot be used multiple times",
            "the argument '--seed <N>' cannot be used multiple times; give it once",
        );
        check(
            "invalid value 'xml' for '--format <FORMAT>'\n  [possible values: table, json]",
            "invalid value 'xml' for '--format <FORMAT>'; [possible values: table, json]",
        );
        check(
            "the following required arguments were not provided:\n  --out <DIR>",
            "the following required arguments were not provided: --out <DIR>; give it as well",
        );
        check(
            "unexpected argument '-z' found\n\n  tip: to pass '-z' as a value, use '-- -z'",
            "unexpected argument '-z' found; ws-load --help says what to write",
        );
        check(
            "invalid value '9001' for '--bind <ADDR:PORT>': invalid socket address syntax",
            "invalid value '9001' for '--bind <ADDR:PORT>': invalid socket address syntax; write an address and a port, such as \
             127.0.0.1:9001",
        );
    }

    #[cfg(feature = "help")]
    #[test]
    fn a_line_that_is_too_wide_is_found_in_a_command_of_a_command() {
        let wide = "w".repeat(81);
        let inner = clap::Command::new("inner").about(wide.clone());
        let found = wide_lines(clap::Command::new("outer").subcommand(inner));
        assert!(found.contains(&wide), "{found:?}");
        assert_eq!(wide_lines(clap::Command::new("outer").about("short")), [""; 0]);
    }
}
