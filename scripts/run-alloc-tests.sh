#!/usr/bin/env bash
# Holds what the server allocates, reads and writes to the numbers in baselines/alloc; --help says how.
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

build=(cargo test --release --locked --package alloc-tests --test alloc --no-run --message-format json-render-diagnostics)
$hooks || build+=(--no-default-features)
[ -t 2 ] || build+=(--quiet)
# A build that fails is no regression.
messages=$("${build[@]}") || exit 1
runner=$(sed -n 's/.*"executable":"\([^"]*\)".*/\1/p' <<<"$messages" | tail -n 1)
if [ -z "$runner" ]; then
    echo "error: cargo built no runner; try: ${build[*]}" >&2
    exit 1
fi

if $hooks; then
    exec "$runner" suite "${arguments[@]}"
fi
ids=$("$runner" suite --list "${arguments[@]}") || exit $?
echo "built without dhat: $runner"
echo "one scenario, once:"
sed "s|^|    $runner run |" <<<"$ids"
echo "for instance: heaptrack $runner run $(head -n 1 <<<"$ids")"
