//! The program `check-benches`, on rounds that a test wrote.

use std::path::PathBuf;
use std::process::{Command, Output};

use anyhow::Result;
use bench_kit::machine;
use benches::pairs::{self, Pair, Pairs};
use benches::rounds;
use tempfile::TempDir;

/// A folder for `bench/ratios.json`, and the rounds of one benchmark, whose ratio is 1.1.
struct Bench {
    baselines: TempDir,
    rounds: TempDir,
}

impl Bench {
    fn new() -> Result<Self> {
        let bench = Self { baselines: tempfile::tempdir()?, rounds: tempfile::tempdir()? };
        let pair = Pair { median_ns: 16_500.0, floor_ns: 15_000.0, ratio: 1.1 };
        for round in 0..rounds::ROUNDS {
            let pairs = Pairs::from([("echo_latency/text/64B".to_owned(), pair)]);
            pairs::write(&bench.rounds.path().join(round.to_string()), "echo_latency", &pairs)?;
        }
        Ok(bench)
    }

    fn recorded(ratio: f64) -> Result<Self> {
        Self::recorded_on(&machine::name(), ratio, "0.05")
    }

    fn recorded_on(machine: &str, ratio: f64, tolerance: &str) -> Result<Self> {
        let bench = Self::new()?;
        std::fs::create_dir(bench.baselines.path().join("bench"))?;
        let text = format!(
            "{{\"schema\": 2, \"machine\": {machine:?}, \"ratios\": {{\"echo_latency/text/64B\": {{\"ratio\": {ratio:?}, \
             \"tolerance\": {tolerance}, \"why\": \"a test\"}}}}}}"
        );
        std::fs::write(bench.file(), text)?;
        Ok(bench)
    }

    fn file(&self) -> PathBuf {
        self.baselines.path().join("bench/ratios.json")
    }

    fn run(&self, args: &[&str]) -> Result<Output> {
        Ok(Command::new(env!("CARGO_BIN_EXE_check-benches"))
            .arg("--last")
            .arg("--baselines")
            .arg(self.baselines.path())
            .arg("--rounds-dir")
            .arg(self.rounds.path())
            .args(args)
            .output()?)
    }

    /// Runs the program; checks the exit code and the end of stderr.
    #[track_caller]
    fn check(&self, args: &[&str], code: i32, advice: &str) -> Result<String> {
        let output = self.run(args)?;
        let stderr = String::from_utf8(output.stderr)?;
        assert_eq!(output.status.code(), Some(code), "{stderr}");
        assert!(stderr.trim_end().ends_with(advice), "{stderr}");
        Ok(String::from_utf8(output.stdout)?)
    }
}

const RECORD: &str = "scripts/check-benches.sh --update --reason \"…\"";
const COMPARE: &str = "scripts/compare.sh main";

#[test]
fn a_ratio_within_the_tolerance_passes() -> Result<()> {
    let stdout = Bench::recorded(1.08)?.check(&[], 0, "")?;
    assert!(stdout.ends_with("1 pass\n"), "{stdout}");
    Ok(())
}

#[test]
fn slower_and_faster_have_different_exit_codes() -> Result<()> {
    Bench::recorded(1.0)?.check(&[], 3, COMPARE)?;
    Bench::recorded(1.2)?.check(&[], 4, RECORD)?;
    Ok(())
}

#[test]
fn an_unrecorded_benchmark_is_missing_and_passes_once_it_has_a_tolerance() -> Result<()> {
    let bench = Bench::new()?;
    bench.check(&[], 5, RECORD)?;
    let update = ["--update", "--reason", "a first run"];
    bench.check(&update, 0, "git diff baselines/bench")?;
    let stdout = bench.check(&[], 5, RECORD)?;
    assert!(stdout.ends_with("1 not judged\n"), "{stdout}");
    bench.check(&[&update[..], &["--tolerance", "0.05"]].concat(), 0, "baselines/bench")?;
    bench.check(&[], 0, "")?;
    assert!(std::fs::read_to_string(bench.file())?.contains("a first run"));
    Ok(())
}

#[test]
fn another_processor_gives_no_verdict_and_is_green_only_on_request() -> Result<()> {
    let bench = Bench::recorded_on("another one", 0.1, "0.05")?;
    bench.check(&[], 5, RECORD)?;
    bench.check(&["--other-machine-ok"], 0, COMPARE.trim_end_matches(" main"))?;
    let here = Bench::recorded(1.0)?;
    here.check(&["--other-machine-ok"], 3, COMPARE)?;
    Bench::new()?.check(&["--other-machine-ok"], 5, RECORD)?;
    Ok(())
}

#[test]
fn a_broken_baseline_is_not_comparable() -> Result<()> {
    let bench = Bench::recorded(1.0)?;
    std::fs::write(bench.file(), "{\"schema\": 2, \"rat")?;
    bench.check(&[], 5, RECORD)?;
    Ok(())
}

#[test]
fn a_run_without_rounds_never_passes() -> Result<()> {
    let mut bench = Bench::recorded(1.1)?;
    bench.rounds = tempfile::tempdir()?;
    bench.check(&[], 1, "leave --last out")?;
    Ok(())
}

#[test]
fn too_few_rounds_never_pass() -> Result<()> {
    let bench = Bench::recorded(1.1)?;
    std::fs::remove_dir_all(bench.rounds.path().join("7"))?;
    bench.check(&[], 6, "try --rounds 20")?;
    Ok(())
}

#[test]
fn a_filter_without_a_match_never_passes() -> Result<()> {
    Bench::recorded(1.1)?.check(&["nothing"], 5, "cargo bench -p benches -- --list")?;
    Ok(())
}

#[test]
fn a_broken_round_is_a_tool_failure() -> Result<()> {
    let bench = Bench::recorded(1.1)?;
    std::fs::write(bench.rounds.path().join("3/pairs/echo_latency.json"), "{")?;
    bench.check(&[], 1, "EOF while parsing an object at line 1 column 1")?;
    Ok(())
}

#[test]
fn recording_without_a_reason_is_a_usage_error() -> Result<()> {
    let bench = Bench::recorded(1.1)?;
    for args in [
        &["--update"][..],
        &["--update", "--reason", " "],
        &["--reason", "alone"],
        &["--format", "xml"],
        &["--rounds", "0"],
    ] {
        assert_eq!(bench.run(args)?.status.code(), Some(2), "{args:?}");
    }
    Ok(())
}

#[test]
fn json_contains_the_verdict() -> Result<()> {
    let stdout = Bench::recorded(1.0)?.check(&["--format", "json"], 3, COMPARE)?;
    let json: serde_json::Value = serde_json::from_str(&stdout)?;
    assert_eq!(json["ratios"]["echo_latency/text/64B"]["verdict"], "regressed");
    Ok(())
}
