#!/usr/bin/env bash
# Calibrates the timing gate of compare.sh and writes benches/CALIBRATION.md: how often the gate reports a change where
# nothing changed, on an idle machine and beside a busy core, and how often it sees known slowdowns. Takes more than two
# hours of an idle machine. Every comparison is recorded at once, so an interrupted run continues; remove
# target/calibration.jsonl to start again.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

[ $# = 0 ] || { echo "error: $0 takes no arguments; for parts of it: cargo run --release -p research -- compare --help" >&2; exit 2; }

export CARGO_INCREMENTAL=0 CARGO_PROFILE_RELEASE_CODEGEN_UNITS=1
folder=${CARGO_TARGET_DIR:-target}/calibration
mkdir -p "$folder"

# Built and linked as `compare` builds a server. The other builds have the server's own functions in another order, which
# moves most other functions too, as a change of the source does. Only lld can reorder functions.
build() {
    local name=$1
    shift
    echo "building $folder/$name" >&2
    cargo rustc --quiet --release --locked --package server --example slowed --target-dir "$folder/build" \
        -- -C link-arg=-Tbenches/compare/src/layout/functions.ld "$@" \
        || { echo "error: no $name; if it was the linker, try: RUSTFLAGS=-Clink-arg=-fuse-ld=lld $0" >&2; exit 1; }
    cp -f "$folder/build/release/examples/slowed" "$folder/$name"
}

build server
like=()
for seed in 1 2 3; do
    build "like-$seed" -C "link-arg=-Wl,--shuffle-sections=.text.*6server*=$seed"
    like+=(--like "$folder/like-$seed")
done
env -u CARGO_PROFILE_RELEASE_CODEGEN_UNITS cargo build --quiet --release --locked --package research || exit 1

calibrate() {
    "${CARGO_TARGET_DIR:-target}/release/calibrate" compare --server "$folder/server" "${like[@]}" \
        --records "${CARGO_TARGET_DIR:-target}/calibration.jsonl" "$@"
}
# Alone, as a user's comparison runs; then several at a time, with base and its copy in common.
calibrate --slowed 0 --seen 0 --same 40
calibrate --slowed 0 --seen 0 --same 200 --together 8
calibrate --slowed 0 --seen 0 --same 200 --together 8 --busy 1
calibrate --same 0 --slowed 0 --seen 20
calibrate --same 0 --slowed 100 --seen 0 --only text/64B
calibrate --same 0 --slowed 5 --seen 0
