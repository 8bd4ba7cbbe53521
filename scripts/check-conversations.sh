#!/usr/bin/env bash
# Two servers that do not echo, compared by a conversation: jsonrpsee (request and reply) and a chat on axum (one in, eight
# out). Identical builds must be green (--runs N: that many times, [default: 1]), and as often a head must be red that
# wastes 5 % of the time of a message. Connections are compared once; they may be too noisy.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

runs=1
case "${1-}" in
    '') ;;
    --runs) runs=${2:?say how often, as in --runs 10} ;;
    *) echo "error: unknown argument $1; try $0 or $0 --runs 10" >&2; exit 2 ;;
esac
cargo build --quiet --release --locked --package ws-compare
cargo build --quiet --release --locked --package pilot-servers --manifest-path alloc-tests/pilots/Cargo.toml
built=${CARGO_TARGET_DIR:-alloc-tests/pilots/target}/release
report=$(mktemp)
trap 'rm -f "$report" "$report.err"' EXIT

# $1: the exit code that is due; $2: flags of head; then flags of ws-compare.
compare() {
    local due=$1 flags=$2 code=0 start="exec $built/$server --port {port}"
    shift 2
    "${CARGO_TARGET_DIR:-target}/release/ws-compare" compare --base-cmd "$start" --head-cmd "$start $flags" "$@" \
        --conversation "alloc-tests/pilots/servers/$server.toml" --format json >"$report" 2>"$report.err" || code=$?
    jq -r '.timing.rows[] | "\(.id) \(.base_ns | round) ns \(.effect * 1e4 | round / 100) % \(.verdict)"' "$report"
    [ "$code" = "$due" ] || { cat "$report.err"; jq -r .timing.why "$report"; echo "error: $code instead of $due"; exit 1; } >&2
}
for server in rpc chat; do
    for ((run = 1; run <= runs; run++)); do
        echo "-- $server against itself, $run of $runs"
        compare 0 '' --only conversation_
        ns=$(jq '.timing.rows[] | select(.id | startswith("conversation_latency")).base_ns * 0.05 | round' "$report")
        echo "-- $server slowed by 5 %, $ns ns, $run of $runs"
        compare 3 "--slow-ns $ns" --only conversation_
    done
    echo "-- connections of $server against itself"
    compare 0 '' --only connect_ --noisy-ok
done
