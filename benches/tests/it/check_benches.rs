//! The program `check-benches`, on the committed results of two benchmarks.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use anyhow::Result;
use tempfile::TempDir;

/// A folder for `bench/ratios.json`, and the committed results of `echo_latency/{text,tcp}/64B`, ratio 0.92.
struct Bench {
    baselines: TempDir,
    criterion: PathBuf,
}

impl Bench {
    fn new() -> Result<Self> {
        let criterion = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/criterion");
        Ok(Self { baselines: tempfile::tempdir()?, criterion })
    }

    fn recorded(ratio: f64) -> Result<Self> {
        let bench = Self::new()?;
        std::fs::create_dir(bench.baselines.path().join("bench"))?;
        let text = format!(
            "{{\"schema\": 1, \"ratios\": {{\"echo_latency/text/64B\": {{\"ratio\": {ratio:?}, \
             \"tolerance\": 0.25, \"why\": \"a test\"}}}}}}"
        );
        std::fs::write(bench.file(), text)?;
        Ok(bench)
    }

    fn file(&self) -> PathBuf {
        self.baselines.path().join("bench/ratios.json")
    }

    fn run(&self, args: &[&str]) -> Result<Output> {
        Ok(Command::new(env!("CARGO_BIN_EXE_check-benches"))
            .arg("--baselines")
            .arg(self.baselines.path())
            .arg("--criterion-dir")
            .arg(&self.criterion)
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
const MEASURE: &str = "cargo bench -p benches";

#[test]
fn a_ratio_within_the_tolerance_passes() -> Result<()> {
    let stdout = Bench::recorded(0.8)?.check(&[], 0, "")?;
    assert!(stdout.ends_with("1 pass\n"), "{stdout}");
    Ok(())
}

#[test]
fn slower_and_faster_have_different_exit_codes() -> Result<()> {
    Bench::recorded(0.5)?.check(&[], 3, MEASURE)?;
    Bench::recorded(1.5)?.check(&[], 4, RECORD)?;
    Ok(())
}

#[test]
fn an_unrecorded_benchmark_is_missing_and_passes_once_recorded() -> Result<()> {
    let bench = Bench::new()?;
    bench.check(&[], 5, RECORD)?;
    bench.check(&["--update", "--reason", "a first run"], 0, "git diff baselines/bench")?;
    bench.check(&[], 0, "")?;
    assert!(std::fs::read_to_string(bench.file())?.contains("a first run"));
    Ok(())
}

#[test]
fn a_broken_baseline_is_not_comparable() -> Result<()> {
    let bench = Bench::recorded(1.0)?;
    std::fs::write(bench.file(), "{\"schema\": 1, \"rat")?;
    bench.check(&[], 5, RECORD)?;
    Ok(())
}

#[test]
fn a_run_without_results_never_passes() -> Result<()> {
    let mut bench = Bench::recorded(1.0)?;
    bench.criterion = bench.baselines.path().to_owned();
    bench.check(&[], 5, MEASURE)?;
    Ok(())
}

#[test]
fn a_filter_without_a_match_never_passes() -> Result<()> {
    Bench::recorded(1.0)?.check(&["nothing"], 5, "cargo bench -p benches -- --list")?;
    Ok(())
}

#[test]
fn a_changed_criterion_format_is_a_tool_failure() -> Result<()> {
    let mut bench = Bench::recorded(1.0)?;
    let folder = bench.baselines.path().join("group/new");
    std::fs::create_dir_all(&folder)?;
    std::fs::write(folder.join("sample.json"), "{}")?;
    bench.criterion = bench.baselines.path().to_owned();
    bench.check(&[], 1, MEASURE)?;
    Ok(())
}

#[test]
fn recording_without_a_reason_is_a_usage_error() -> Result<()> {
    let bench = Bench::recorded(1.0)?;
    for args in [
        &["--update"][..],
        &["--update", "--reason", " "],
        &["--reason", "alone"],
        &["--format", "xml"],
    ] {
        assert_eq!(bench.run(args)?.status.code(), Some(2), "{args:?}");
    }
    Ok(())
}

#[test]
fn json_contains_the_verdict() -> Result<()> {
    let stdout = Bench::recorded(0.5)?.check(&["--format", "json"], 3, MEASURE)?;
    let json: serde_json::Value = serde_json::from_str(&stdout)?;
    assert_eq!(json["ratios"]["echo_latency/text/64B"]["verdict"], "regressed");
    Ok(())
}
