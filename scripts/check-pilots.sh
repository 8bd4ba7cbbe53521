#!/usr/bin/env bash
# Other people's servers under plimsoll, as an adopter runs them: each suite against its committed baselines, and the
# tutorial: tungstenite 0.25 instead of 0.24 must be red by held bytes, and be named. [--update --reason "…"] records.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../alloc-tests/pilots"

[ $# = 0 ] || [ "$1" = --update ] || { echo "error: unknown argument $1; try $0, or $0 --update --reason \"…\"" >&2; exit 2; }
for pilot in axum tungstenite; do
    cargo test --quiet --locked --release --package "pilot-$pilot" --test alloc -- suite "$@"
done
[ $# = 0 ] || exit 0

copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT
# The tutorial changes a lockfile, so it changes that of a copy, beside links to everything that the pilots use.
tree=$(cd ../.. && pwd)
mkdir "$copy/alloc-tests"
mkdir "$copy/alloc-tests/pilots"
cp -r Cargo.toml Cargo.lock axum tungstenite "$copy/alloc-tests/pilots"
ln -s "$tree/alloc-tests/harness" "$copy/alloc-tests/harness"
ln -s "$tree/baselines" "$tree/Cargo.toml" "$tree/Cargo.lock" "$copy/"
cd "$copy/alloc-tests/pilots"
cargo update --quiet --package tokio-tungstenite@0.24.0 --precise 0.25.0
code=0
said=$(CARGO_TARGET_DIR="$tree/alloc-tests/pilots/target" \
    cargo test --quiet --locked --release --package pilot-tungstenite --test alloc -- suite hold) || code=$?
echo "$said"
[ "$code" = 3 ] || { echo "error: the suite ended with $code instead of 3 (regressed)" >&2; exit 1; }
for words in 'held_bytes' 'tungstenite 0.24.0 → 0.25.0'; do
    [[ $said == *"$words"* ]] || { echo "error: the suite does not say: $words" >&2; exit 1; }
done
