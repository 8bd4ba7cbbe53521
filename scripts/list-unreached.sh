#!/usr/bin/env bash
# Lists the lines of the server that no allocation scenario reaches. Each scenario runs once, uncounted, in a debug build.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

tools=$(echo "$(rustc --print sysroot)"/lib/rustlib/*/bin)
[ -x "$tools/llvm-cov" ] || {
    echo "not measured: this toolchain has no llvm-cov; type: rustup component add llvm-tools" >&2
    exit 1
}
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
# Around the workspace's own crates only: built dependencies are used as they are.
printf '#!/bin/sh\nexec "$@" -C instrument-coverage\n' >"$folder/rustc"
chmod +x "$folder/rustc"
export RUSTC_WORKSPACE_WRAPPER=$folder/rustc LLVM_PROFILE_FILE=$folder/%p.profraw
build=(cargo test --locked --package alloc-tests --test alloc)
"${build[@]}" --no-run --quiet || exit 1
runner=$("${build[@]}" --quiet --config 'target."cfg(all())".runner = "echo"') && [ -x "$runner" ] || {
    echo "error: cargo did not print where it built the runner; is another one configured? unset CARGO_TARGET_*_RUNNER" >&2
    exit 1
}

ids=$("$runner" suite --list)
for id in $ids; do
    "$runner" run "$id" || { echo "error: $id failed; see scripts/run-alloc-tests.sh $id" >&2; exit 1; }
done
"$tools/llvm-profdata" merge -o "$folder/all" "$folder"/*.profraw
"$tools/llvm-cov" export --format=lcov --instr-profile="$folder/all" "$runner" --sources server/src |
    awk -F'[:,]' '/^SF:/ { file = $2; sub(/.*\/server\//, "server/", file) }
        /^DA:/ { lines++; if ($3 == 0) print file ":" $2 }
        END { if (!lines) { print "error: llvm-cov saw no line of the server" >"/dev/stderr"; exit 1 } }' |
    while IFS=: read -r file line; do
        printf '%s:%s  %s\n' "$file" "$line" "$(sed -n "${line}s/^ *//p" "$file")"
    done
