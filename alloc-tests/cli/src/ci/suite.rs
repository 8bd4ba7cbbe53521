//! The suite of one service, run by cargo.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use baselines::SuiteReport;
use compare::subject::Service;

/// Runs the suite of `service` and prints its table. Reports go to the folder `out`, and so do numbers to accept.
///
/// # Errors
///
/// If it does not build, or ends without a report.
pub(super) fn run(root: &Path, service: &Service, out: &Path) -> Result<SuiteReport> {
    let Service { name, test_package, test, .. } = service;
    let file = |ending: &str| out.join(format!("suite-{name}.{ending}"));
    let [json, markdown] = ["json", "md"].map(file);
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.current_dir(root).env("PLIMSOLL_PENDING", out.join("pending"));
    cargo.args(["test", "--release", "--package", test_package, "--test", test]);
    if root.join("Cargo.lock").is_file() {
        cargo.arg("--locked");
    }
    cargo.args(["--", "suite"]);
    for (format, file) in [("json", &json), ("markdown", &markdown)] {
        cargo.arg("--also").arg(format!("{format}={}", file.display()));
    }
    let status =
        cargo.status().context("cargo does not start; install it from https://rustup.rs")?;
    let again = format!("cargo test --release -p {test_package} --test {test} -- suite");
    let report = std::fs::read_to_string(&json).with_context(|| {
        format!("the suite of {name} ended without a report ({status}); try: {again}")
    })?;
    let report = SuiteReport::parse(&report)?;
    // cargo's own code is that of the suite, or 101.
    ensure!(
        status.code() == Some(report.exit_code.into()),
        "the suite of {name} ended with {status}, and its report says {}; try: {again}",
        report.exit_code
    );
    Ok(report)
}
