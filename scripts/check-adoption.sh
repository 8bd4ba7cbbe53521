#!/usr/bin/env bash
# Adopts plimsoll in a fresh axum service in a temporary folder: every command of alloc-tests/ADOPTING.md, typed literally,
# with this tree instead of a published version. The suite must be green, a planted copy red with its line, a review must
# accept it, and compare must name it. Then a workspace with two services. Prints what each step took.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

exec cargo test --locked --package cargo-plimsoll --test adoption -- --nocapture
