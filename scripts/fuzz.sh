#!/usr/bin/env bash
# Runs every fuzz target, or TARGET, for 10 minutes each: scripts/fuzz.sh [TARGET] [--minutes N]. Installs cargo-fuzz
# below target/ if there is none. A finding ends it with 3, lies below target/fuzz/found, and is named with the command
# that replays it. A target that ended without libFuzzer's count of inputs, or failed without a finding, is an error.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

minutes=10 only=''
while [ $# -gt 0 ]; do
    case $1 in
    --minutes) minutes=${2:?say how many, as in --minutes 10} && shift ;;
    -*) echo "error: $0 does not know $1; it takes [TARGET] and --minutes N" >&2 && exit 2 ;;
    *) only=$1 ;;
    esac
    shift
done
[[ $minutes =~ ^[1-9][0-9]*$ ]] || { echo "error: --minutes $minutes is no whole number above 0" >&2; exit 2; }
built=$(realpath "${CARGO_TARGET_DIR:-target}") && corpora=benches/fuzz/corpus work=$built/fuzz
[ -d "$corpora/$only" ] || { echo "error: there is no target $only; there are:" $(ls "$corpora") >&2; exit 2; }
export PATH=$PATH:$built/fuzz-tools/bin
command -v cargo-fuzz >/dev/null ||
    cargo install --quiet --locked --root "$built/fuzz-tools" cargo-fuzz@0.13.2 || exit 1
# The pinned toolchain is stable, and cargo-fuzz asks for one that takes unstable flags.
export RUSTC_BOOTSTRAP=1
build=(--fuzz-dir benches/fuzz/driver --target-dir "$work" --sanitizer none)
mkdir -p "$work/found"
for target in ${only:-$(ls "$corpora")}; do
    cargo fuzz build "${build[@]}" "$target" 2>"$work/$target.log" || { cat "$work/$target.log" >&2; exit 1; }
    flags=(-max_total_time=$((minutes * 60)) -max_len=2000 -timeout=10 -rss_limit_mb=1024)
    [ ! -f "benches/fuzz/driver/$target.dict" ] || flags+=("-dict=benches/fuzz/driver/$target.dict")
    mkdir -p "$work/corpus/$target" && >"$work/before"
    # Times of files tick every few milliseconds: what is found from here on is newer.
    until [ "$work/begun" -nt "$work/before" ]; do >"$work/begun"; done
    if cargo fuzz run "${build[@]}" "$target" "$work/corpus/$target" "$corpora/$target" -- "${flags[@]}" \
        "-artifact_prefix=$work/found/$target-" &>"$work/$target.log"; then
        ran=$(sed -n 's/^Done \([1-9][0-9]*\) runs in \([0-9]*\) .*/\1 inputs in \2 s, no finding/p' "$work/$target.log")
        [ -n "$ran" ] ||
            { tail "$work/$target.log" >&2; echo "error: $target ended early; see $work/$target.log" >&2; exit 1; }
        echo "$target: $ran"
    else
        grep --max-count=1 --after-context=1 panicked "$work/$target.log" >&2 || tail "$work/$target.log" >&2
        found=$(find "$work/found" -name "$target-*" -newer "$work/before" -print -quit)
        [ -n "$found" ] ||
            { echo "error: $target failed, and found no input that fails; see $work/$target.log" >&2; exit 1; }
        echo "error: $target fails; see $work/$target.log, and copy $found to $corpora/$target:" \
            "then cargo test --package fuzz-targets --test corpus replays it" >&2
        exit 3
    fi
done
