use std::ffi::{OsStr, OsString};
use std::str::FromStr;

/// How a server is started: `NAME=value {bin} --port {port}`. It is split into words without a shell: at white space, but
/// not between two `'` or two `"`. Neither variables nor paths with `*` are replaced.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommandLine {
    /// The command line as it was written.
    text: String,
    environment: Vec<(String, String)>,
    arguments: Vec<String>,
}

/// The place of the server's program.
const BIN: &str = "{bin}";

/// The place of the port.
const PORT: &str = "{port}";

impl CommandLine {
    /// The command line as it was written.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The arguments behind the program, for a server on `port`.
    pub fn arguments(&self, port: u16) -> impl Iterator<Item = OsString> {
        self.arguments.iter().map(move |word| with_port(word, port))
    }

    /// The variables of the environment, for a server on `port`.
    pub fn environment(&self, port: u16) -> impl Iterator<Item = (&OsStr, OsString)> {
        self.environment.iter().map(move |(name, value)| (name.as_ref(), with_port(value, port)))
    }
}

impl FromStr for CommandLine {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut words = words(text)?.into_iter().peekable();
        let mut environment = Vec::new();
        while let Some((name, value)) = words.peek().and_then(|word| variable(word)) {
            environment.push((name.to_owned(), value.to_owned()));
            words.next();
        }
        if words.next().as_deref() != Some(BIN) {
            return Err(format!(
                "{BIN} is its first word, behind variables of the environment if there are any"
            ));
        }
        let line = Self { text: text.to_owned(), environment, arguments: words.collect() };
        let values = line.environment.iter().map(|(_, value)| value);
        if line.arguments.iter().chain(values).any(|word| word.contains(PORT)) {
            Ok(line)
        } else {
            Err(format!("{PORT} is in the place of the port: several servers run side by side"))
        }
    }
}

fn with_port(word: &str, port: u16) -> OsString {
    word.replace(PORT, &port.to_string()).into()
}

/// `NAME=value`.
fn variable(word: &str) -> Option<(&str, &str)> {
    let (name, value) = word.split_once('=')?;
    let is_name = |name: &str| {
        name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
            && name.chars().all(|one| one.is_ascii_alphanumeric() || one == '_')
    };
    is_name(name).then_some((name, value))
}

fn words(text: &str) -> Result<Vec<String>, String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quote = None;
    for one in text.chars() {
        match (quote, one) {
            (Some(open), _) if one == open => quote = None,
            (None, '\'' | '"') => {
                quote = Some(one);
                word.get_or_insert_default();
            }
            (None, _) if one.is_whitespace() => words.extend(word.take()),
            _ => word.get_or_insert_default().push(one),
        }
    }
    match quote {
        Some(open) => Err(format!("a {open} is not closed")),
        None => {
            words.extend(word);
            Ok(words)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, environment: &[(&str, &str)], arguments: &[&str]) {
        let line: CommandLine = text.parse().expect(text);
        let owned = |(name, value): &(&str, &str)| ((*name).into(), (*value).into());
        let set = line.environment(81).map(|(name, value)| (name.to_owned(), value));
        let expected: Vec<(OsString, OsString)> = environment.iter().map(owned).collect();
        assert_eq!(set.collect::<Vec<_>>(), expected);
        assert_eq!(line.arguments(81).collect::<Vec<_>>(), arguments);
    }

    #[test]
    fn a_command_line_is_split_into_words_without_a_shell() {
        check("{bin} --port {port}", &[], &["--port", "81"]);
        check("  {bin}   localhost:{port} ", &[], &["localhost:81"]);
        check("{bin} '{\"a b\": {port}}' \"$HOME *\"", &[], &["{\"a b\": 81}", "$HOME *"]);
        check("{bin} {port} '' --x='a b'", &[], &["81", "", "--x=a b"]);
    }

    #[test]
    fn words_before_the_program_are_variables_of_the_environment() {
        check("PORT={port} {bin}", &[("PORT", "81")], &[]);
        check("A= B='x y' {bin} C={port}", &[("A", ""), ("B", "x y")], &["C=81"]);
    }

    #[test]
    fn a_command_line_without_program_or_port_is_refused() {
        let refused = |text: &str| text.parse::<CommandLine>().expect_err(text);
        assert!(refused("").starts_with("{bin} is its first word"));
        assert!(refused("taskset {bin} {port}").starts_with("{bin} is its first word"));
        assert!(refused("{bin} --port 80").starts_with("{port} is in the place of the port"));
        assert_eq!(refused("{bin} '{port}"), "a ' is not closed");
    }
}
