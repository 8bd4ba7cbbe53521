#!/usr/bin/env bash
# Measures the benchmarks in turns with raw TCP and judges the ratios by baselines/bench/ratios.json.
# Arguments go to the binary: [FILTER…] [--format table|json|markdown] [--update --reason "…"] [--prune]; --help for all.
set -euo pipefail
cd "$(dirname "$0")/.."

# Built first and executed afterwards: the exit code is the binary's, and a failed build is 1, never a verdict.
cargo build --quiet --release --locked --package benches --bin check-benches || exit 1
cargo bench --quiet --locked --package benches --benches --no-run || exit 1
exec "${CARGO_TARGET_DIR:-target}/release/check-benches" "$@"
