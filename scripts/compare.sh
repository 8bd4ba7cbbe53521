#!/usr/bin/env bash
# Compares two revisions: exact counts, instructions and paired timings; --help says how.
#   scripts/compare.sh <base> [<head>]    head is the working tree, with what is not committed, unless given
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

# Built first and executed afterwards: the exit code is the binary's, and a failed build is 1, never a verdict.
cargo build --quiet --release --locked --package ws-compare || exit 1
exec "${CARGO_TARGET_DIR:-target}/release/ws-compare" compare "$@"
