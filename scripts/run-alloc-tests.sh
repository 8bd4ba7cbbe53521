#!/usr/bin/env bash
# Compares what the server allocates, reads and writes with the numbers in baselines/alloc; --help lists the flags.
# --no-hooks (-n) builds the scenarios without dhat, for heaptrack, valgrind or perf, and prints how to run them.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

hooks=true
arguments=()
for argument in "$@"; do
    case $argument in
        -n | --no-hooks) hooks=false ;;
        *) arguments+=("$argument") ;;
    esac
done

build=(cargo test --release --locked --package alloc-tests --test alloc)
$hooks || build+=(--no-default-features)
# Built first and executed afterwards: a failed build is 1, never a verdict, and the exit code is the runner's.
"${build[@]}" --no-run $([ -t 2 ] || echo --quiet) || exit 1
# Cargo is the one that knows where it put the runner: instead of running it, it prints its path.
runner=$("${build[@]}" --quiet --config 'target."cfg(all())".runner = "echo"') && [ -x "$runner" ] || {
    echo "error: cargo did not print where it built the runner; is another one configured? unset CARGO_TARGET_*_RUNNER" >&2
    exit 1
}

if $hooks; then
    exec "$runner" suite "${arguments[@]}"
fi
ids=$("$runner" suite --list "${arguments[@]}") || exit $?
echo "built without dhat: $runner"
echo "one scenario, once:"
sed "s|^|    $runner run |" <<<"$ids"
echo "for instance: heaptrack $runner run $(head -n 1 <<<"$ids")"
