//! Calibrates `check-benches`: runs of identical programs, each judged by what all of them together say, as they are and with
//! a slowdown.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, ensure};
use baselines::Verdict;
use baselines::ratios::{Ratio, Recorded, load, path};
use bench_kit::spinners::Spinners;
use bench_kit::statistics::median;
use bench_show::output::print;
use bench_show::progress::Progress;
use benches::pairs::Pairs;
use benches::ratios::{Filter, judge};
use benches::rounds;
use compare::subject::Subject;
use serde::{Deserialize, Serialize};

use super::journal::Journal;

#[derive(clap::Args)]
pub(crate) struct Args {
    /// Only benchmarks whose id contains one of these
    filter: Vec<String>,
    /// Runs of check-benches
    #[arg(long, value_name = "N", default_value_t = 50)]
    runs: usize,
    /// Processors kept busy during the runs
    #[arg(long, value_name = "N", default_value_t = 0)]
    busy: u32,
    /// Judge all rows by this tolerance, in percent, instead of the recorded ones
    #[arg(long, value_name = "PERCENT", value_parser = compare::flags::percent)]
    tolerance: Option<f64>,
    /// Records, one line of JSON per run; existing ones count, so that an interrupted calibration continues
    #[arg(long, value_name = "FILE", default_value = "target/calibration-benches.jsonl")]
    records: PathBuf,
}

/// The slowdown that a row is tested with.
const SLOWER: f64 = 1.1;

/// A run: its rounds, and the processors that were kept busy.
#[derive(Serialize, Deserialize)]
struct Run {
    busy: u32,
    rounds: Vec<Pairs>,
}

pub(crate) fn run(args: &Args) -> Result<ExitCode> {
    ensure!(args.runs > 0, "--runs must be at least 1; try --runs 50");
    let filter = Filter(args.filter.clone());
    let workspace = Subject::find(&std::env::current_dir()?)?.root;
    let mut journal = Journal::<Run>::open(&args.records)?;
    let busy = Spinners::neighbours(args.busy);
    let progress = Progress::new();
    let folder = workspace.join("target/criterion/calibration");
    for done in of(journal.records(), args.busy).len()..args.runs {
        progress.step("calibrating check-benches", done, args.runs);
        let rounds = rounds::measure(&workspace, &folder, rounds::ROUNDS, &filter, |_| ())?;
        journal.keep([Run { busy: args.busy, rounds }])?;
    }
    drop(busy);
    progress.clear();
    print(&table(args, &workspace, &filter, &of(journal.records(), args.busy))?)?;
    Ok(ExitCode::SUCCESS)
}

fn of(runs: &[Run], busy: u32) -> Vec<&[Pairs]> {
    runs.iter().filter(|run| run.busy == busy).map(|run| &*run.rounds).collect()
}

fn table(args: &Args, workspace: &Path, filter: &Filter, runs: &[&[Pairs]]) -> Result<String> {
    let recorded = match load(&path(&workspace.join("baselines"))) {
        Err(baselines::Error::Missing { .. }) => Recorded::default(),
        recorded => recorded.map_err(|error| anyhow::Error::msg(error.to_string()))?,
    };
    let mut text = format!(
        "{:<38}{:>7}{:>9}{:>8}{:>8}{:>8}{:>8}\n",
        "id", "ratio", "widest", "within", "alarms", "noisy", "seen"
    );
    let first = runs.first().context("there is no run")?.first().context("a run has no round")?;
    for id in first.keys().filter(|id| filter.admits(id)) {
        let ratios = runs.iter().map(|run| ratio(id, run)).collect::<Result<Vec<f64>>>()?;
        let middle = median(&ratios).context("there is no run")?;
        let widest = ratios.iter().map(|one| (one / middle).ln().abs()).fold(0.0, f64::max);
        let tolerance = args.tolerance.or_else(|| recorded.ratios.get(id)?.tolerance);
        let base = one(id, middle, tolerance);
        let count = |slower: f64, of: &[Verdict]| -> Result<usize> {
            let verdicts = runs.iter().map(|run| verdict(id, &base, run, slower));
            let verdicts = verdicts.collect::<Result<Vec<_>>>()?;
            Ok(verdicts.into_iter().flatten().filter(|verdict| of.contains(verdict)).count())
        };
        let cells = match tolerance {
            None => ["–".to_owned(), "–".to_owned(), "–".to_owned(), "–".to_owned()],
            Some(tolerance) => [
                format!("{:.1} %", tolerance * 100.0),
                count(1.0, &[Verdict::Regressed, Verdict::Improved])?.to_string(),
                count(1.0, &[Verdict::TooNoisy])?.to_string(),
                count(SLOWER, &[Verdict::Regressed])?.to_string(),
            ],
        };
        let [within, alarms, noisy, seen] = cells;
        let widest = format!("{:.1} %", widest.exp_m1() * 100.0);
        text +=
            &format!("{id:<38}{middle:>7.3}{widest:>9}{within:>8}{alarms:>8}{noisy:>8}{seen:>8}\n");
    }
    text += &format!(
        "\n{} runs of identical programs, {} processors kept busy. widest: the run farthest from the middle one; alarms: runs \
         that\nread as regressed or improved; seen: runs that read as regressed once every ratio is {:.0} % higher.\n",
        runs.len(),
        args.busy,
        (SLOWER - 1.0) * 100.0
    );
    Ok(text)
}

fn one(id: &str, ratio: f64, tolerance: Option<f64>) -> Recorded {
    let ratio = Ratio { ratio, tolerance, why: "calibration".to_owned() };
    Recorded { machine: MACHINE.to_owned(), ratios: [(id.to_owned(), ratio)].into() }
}

/// All runs are of one machine.
const MACHINE: &str = "this";

fn judged(id: &str, base: &Recorded, rounds: &[Pairs]) -> Result<benches::ratios::RatioRow> {
    let rows = judge(base, MACHINE, rounds, &Filter(vec![id.to_owned()]))?;
    let row = rows.into_iter().find(|row| row.id == id);
    row.with_context(|| format!("a run did not measure {id}; remove the records"))
}

fn ratio(id: &str, rounds: &[Pairs]) -> Result<f64> {
    let row = judged(id, &one(id, 1.0, None), rounds)?;
    Ok(row
        .measured
        .with_context(|| format!("a run did not measure {id}; remove the records"))?
        .estimate
        .ratio)
}

fn verdict(id: &str, base: &Recorded, rounds: &[Pairs], slower: f64) -> Result<Option<Verdict>> {
    let mut rounds = rounds.to_vec();
    let pairs = rounds.iter_mut().filter_map(|round| round.get_mut(id));
    pairs.for_each(|pair| pair.ratio *= slower);
    Ok(judged(id, base, &rounds)?.verdict)
}
