#!/usr/bin/env bash
# Format, lints, documents, tests, the page in a browser, the exact suite, and a planted regression that must turn red;
# prints what each step took. CI has further jobs (.github/workflows/ci.yml). --without-planted leaves out the last step,
# which builds two revisions. --strict fails where a step cannot be measured; otherwise that is only said.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

optional=(--optional) planted=1
for word; do
    case $word in
    --strict) optional=() ;;
    --without-planted) planted='' ;;
    *) echo "error: $0 does not know $word; it takes --strict and --without-planted" >&2 && exit 2 ;;
    esac
done
times=''
step() {
    printf '\n== %s\n' "$*"
    local begin=$SECONDS
    "$@"
    times+=$(printf '%5d s  %s' $((SECONDS - begin)) "$*")$'\n'
}

# One process a test: what waits does so beside what computes.
tests() {
    if command -v cargo-nextest >/dev/null; then
        cargo nextest run --workspace --all-targets --locked --no-fail-fast --status-level fail
    else
        cargo test --workspace --all-targets --locked --no-fail-fast
    fi
}

step cargo fmt --all --check
step cargo clippy --workspace --all-targets --locked -- -D warnings
step env RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps --locked
step tests
step cargo test --doc --workspace --locked
step scripts/check-page.sh "${optional[@]}"
step cargo test --release --locked --package alloc-tests --test alloc -- gate::
step cargo test --release --locked --package plimsoll --test pending
step scripts/run-alloc-tests.sh
[ -z "$planted" ] || step scripts/check-compare.sh "${optional[@]}"
printf '\n== what each step took\n%s%5d s  all\n' "$times" "$SECONDS"
