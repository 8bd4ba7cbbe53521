#!/usr/bin/env bash
# Compares two revisions: exact counts, instructions and paired timings; --help says how.
#   scripts/compare.sh <base> [<head>]    head is the working tree, with what is not committed, unless given
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

# Built first and executed afterwards: the exit code is the binary's, and a failed build is 1, never a verdict.
binary="${CARGO_TARGET_DIR:-target}/release/ws-compare"
[ -x "$binary" ] || echo "building ws-compare, once: about 2 min…" >&2
cargo build --quiet --release --locked --package ws-compare || exit 1
exec "$binary" compare "$@"
