//! What attackers cost clients that keep the rules, the server's memory, and its end.

mod attackers;
mod drain;
mod honest;
mod kinds;
mod target;
mod trial;
mod watched;

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Result, ensure};
use bench_kit::descriptors;
use bench_show::output::print;
use load_engine::problem::Problem;

use self::target::Fault;
use crate::answer::Answer;

pub(crate) const AFTER_HELP: &str = "\
Each attack gets two new servers with one thread each. Clients that keep the rules talk to both; the attackers talk to
one. The ratio is that of the median latencies, attacked to not attacked, so that the attackers' own share of the
processor does not count. No message may be lost; attackers that break a rule must be dropped in time and counted by
the right kind. Then they come back as often as they are dropped, 500 a second, and only then latencies are compared.
When all have left, no heap block of any attacker and no descriptor may be left.
The last row ends a server under every attack at once.

Exit codes: 0 the server holds, 1 the tool failed, 2 usage, 3 it does not, 6 too noisy to say";

#[derive(clap::Args)]
pub(crate) struct Args {
    /// The server to attack
    #[arg(long, value_name = "PROGRAM", default_value = "target/release/ws-server")]
    server: PathBuf,
    /// Clients of each server that keep the rules, with 20 messages a second each
    #[arg(long, value_name = "N", default_value_t = 50)]
    clients: u32,
    /// Seconds in which the latencies of each attack are compared
    #[arg(long, value_name = "N", default_value_t = 8)]
    seconds: u64,
    /// Percent by which the median latency may exceed that of the server that is not attacked
    #[arg(long, value_name = "PERCENT", default_value_t = 30.0)]
    within: f64,
    /// Only the rows whose name contains this text
    #[arg(long, value_name = "TEXT", default_value = "")]
    only: String,
}

/// A row of the table.
struct Row {
    name: &'static str,
    answer: Answer,
    words: String,
    /// What the server did wrong.
    problems: Vec<String>,
}

pub(crate) fn run(args: &Args) -> Result<ExitCode> {
    if args.seconds < 4 || args.clients == 0 {
        let words = "--seconds must be at least 4, and --clients at least 1";
        return Err(Problem::usage(words.to_owned()).into());
    }
    descriptors::raise(4096)?;
    let mut worst = Answer::Within;
    let mut rows = 0;
    let mut show = |row: Row| -> Result<()> {
        rows += 1;
        let answer = if row.problems.is_empty() { row.answer } else { Answer::Beyond };
        worst = if worst == Answer::Beyond || answer == Answer::Within { worst } else { answer };
        let verdict = match answer {
            Answer::Within => "pass",
            Answer::Beyond => "FAIL",
            Answer::TooNoisy => "noisy",
        };
        let problems: String =
            row.problems.iter().map(|problem| format!("      {problem}\n")).collect();
        print(&format!("{verdict:<6}{:<22}{}\n{problems}", row.name, row.words))?;
        Ok(())
    };
    let attacks: Vec<_> = kinds::all().into_iter().map(Arc::new).collect();
    for attack in attacks.iter().filter(|attack| attack.name.contains(&args.only)) {
        show(judged(attack.name, trial::run(attack, args))?)?;
    }
    if drain::NAME.contains(&args.only) {
        show(judged(drain::NAME, drain::run(&attacks, args))?)?;
    }
    ensure!(
        rows > 0,
        Problem::usage(format!("no attack is named {:?}; try calibrate attacks", args.only))
    );
    Ok(ExitCode::from(worst.exit_code()))
}

/// A fault of the attacked server is a problem of its row; every other error is the tool's.
fn judged(name: &'static str, row: Result<Row>) -> Result<Row> {
    match row {
        Err(error) if error.is::<Fault>() => {
            let (answer, words) = (Answer::Beyond, "not measured to the end".to_owned());
            Ok(Row { name, answer, words, problems: vec![format!("{error:#}")] })
        }
        row => row,
    }
}

#[cfg(test)]
mod tests {
    use anyhow::anyhow;

    use super::*;

    #[test]
    fn a_fault_of_the_attacked_server_fails_its_row_and_other_errors_fail_the_tool() {
        let fault = anyhow!("refused").context(Fault("it has ended".to_owned())).context("pings");
        let row = judged("pings", Err(fault)).expect("the tool did not fail");
        assert_eq!(row.problems, ["pings: it has ended: refused"]);
        assert!(judged("pings", Err(anyhow!("ss is missing"))).is_err());
    }
}
