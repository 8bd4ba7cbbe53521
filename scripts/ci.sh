#!/usr/bin/env bash
# Everything CI runs, runnable anywhere: format, lints, documents, tests, the page in a browser, the exact suite and the
# gate's own tests.
# --without-planted leaves out the last one, which compares a planted regression with HEAD and builds both for it.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

step() {
    printf '\n== %s\n' "$*"
    "$@"
}

# What we name ourselves comes in one version each.
no_duplicates() {
    local ours twice
    ours=$(sed -n '/^\[workspace.dependencies\]/,/^$/s/^\([a-z0-9_-]*\) = .*/\1/p' Cargo.toml | sort)
    twice=$(cargo tree --workspace --locked --duplicates --depth 0 | awk 'NF {print $1}' | sort -u)
    twice=$(comm -12 <(echo "$ours") <(echo "$twice"))
    [ -z "$twice" ] || { echo "error: more than one version of: $twice; see cargo tree --duplicates" >&2; return 1; }
}

# Cargo looks for yanked packages only where it packs, and only warns: a package with all our dependencies is packed.
no_yanked() {
    local folder said
    folder=$(mktemp -d)
    mkdir "$folder/src" && touch "$folder/src/lib.rs" && cp Cargo.lock "$folder"
    printf '[package]\nname = "lock"\nedition = "2024"\n[workspace]\n[dependencies]\n' >"$folder/Cargo.toml"
    sed -n '/^\[workspace.dependencies\]/,/^$/{/^[a-z]/{/path = /d;p}}' Cargo.toml >>"$folder/Cargo.toml"
    said=$(cargo package --no-verify --allow-dirty --manifest-path "$folder/Cargo.toml" 2>&1) || said="$said: yanked?"
    rm -r "$folder"
    if grep yanked <<<"$said" >&2; then echo "error: run cargo update for these" >&2 && return 1; fi
}

step cargo fmt --all --check
step cargo clippy --workspace --all-targets --locked -- -D warnings
step env RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps --locked
step no_duplicates
step no_yanked
step cargo test --workspace --locked
step cargo test --workspace --benches --locked
step scripts/check-page.sh
step cargo test --release --locked --package alloc-tests --test alloc -- gate::
step scripts/run-alloc-tests.sh
[ "${1-}" = --without-planted ] || step scripts/check-compare.sh
