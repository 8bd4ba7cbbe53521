#!/usr/bin/env bash
# Other people's servers under plimsoll, as an adopter runs them. Each suite must be green against its committed baselines
# (--runs N: that many times), and red with a fault planted in the server, whose line it names. check-bump.sh, called at
# the end, plays the bump of a dependency. [--update --reason "…"] records.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../alloc-tests/pilots"

runs=1
case "${1-}" in
    '' | --update) ;;
    --runs) runs=${2:?say how often, as in --runs 30} ;;
    *) echo "error: unknown argument $1; try $0, $0 --runs 30, or $0 --update --reason \"…\"" >&2; exit 2 ;;
esac

for pilot in actix axum jsonrpsee nostr socketioxide tungstenite warp; do
    test=(cargo test --quiet --locked --release --package "pilot-$pilot" --test alloc)
    if [ "${1-}" = --update ]; then
        "${test[@]}" -- suite "$@"
        continue
    fi
    for ((run = 0; run < runs; run++)); do
        "${test[@]}" -- suite
    done
    code=0
    # A planted fault is nothing to review.
    said=$(PLIMSOLL_PENDING=$PWD/target/pending "${test[@]}" --features planted -- suite) || code=$?
    echo "$said"
    [ "$code" = 3 ] || { echo "error: $pilot with its fault ended with $code instead of 3 (regressed)" >&2; exit 1; }
    line="$pilot/src/lib.rs:$(grep -n '// planted$' "$pilot/src/lib.rs" | cut -d: -f1)"
    [[ $said == *"$line"* ]] || { echo "error: the suite does not name the fault: $line" >&2; exit 1; }
done
[ "${1-}" = --update ] || exec ../../scripts/check-bump.sh
