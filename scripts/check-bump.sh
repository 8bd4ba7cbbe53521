#!/usr/bin/env bash
# The bump that many servers have met: the pilot with tungstenite 0.25 instead of 0.24 must be red by held bytes, and the
# report must name the package.
set -euo pipefail
tree=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT
# It changes a lockfile, so it changes that of a copy, beside links to everything that the pilots use.
mkdir -p "$copy/alloc-tests/pilots"
(cd "$tree/alloc-tests/pilots" && cp -r $(ls | grep -v '^target$') "$copy/alloc-tests/pilots")
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
