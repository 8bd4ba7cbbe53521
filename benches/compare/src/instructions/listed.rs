/// A scenario, as a runner lists it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Listed {
    /// Its own N.
    pub(super) ops: u64,
    /// The name of one operation.
    pub(super) unit: String,
    pub(super) threads: Threads,
}

/// Threads whose instructions count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Threads {
    /// The scenario is in memory.
    All,
    /// Client and server take turns. The first thread, the client's, waits for what the server does, as often as time
    /// demands.
    AllButTheClient,
}

impl Listed {
    /// `echo_text_64b_1000_msgs 1000 message turns`: the id, N, the unit, and the threads that count.
    pub(super) fn parse(line: &str) -> Option<(String, Self)> {
        let (id, rest) = line.split_once(' ')?;
        let (ops, rest) = rest.split_once(' ')?;
        let (unit, threads) = rest.rsplit_once(' ')?;
        let threads = match threads {
            "memory" => Threads::All,
            "turns" => Threads::AllButTheClient,
            _ => return None,
        };
        Some((id.to_owned(), Self { ops: ops.parse().ok()?, unit: unit.to_owned(), threads }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_listed_scenario_says_how_it_is_counted() {
        let (id, one) = Listed::parse("parse_9_lines 9 line of text turns").expect("it is one");
        let unit = "line of text".to_owned();
        assert_eq!(id, "parse_9_lines");
        assert_eq!(one, Listed { ops: 9, unit, threads: Threads::AllButTheClient });
        assert_eq!(Listed::parse("parse_9_lines 9 line sometimes"), None);
        assert_eq!(Listed::parse("parse_9_lines"), None);
    }
}
