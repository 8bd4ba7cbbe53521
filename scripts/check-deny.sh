#!/usr/bin/env bash
# Advisories, licences, sources and doubled packages of every lockfile, by .github/deny.toml. Installs cargo-deny below
# target/ if there is none. Without the database of advisories, the rest is checked, which fails only with --strict.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

strict=${1-}
case $strict in
'' | --strict) ;;
*) echo "error: $0 does not know $strict; it takes --strict" >&2 && exit 2 ;;
esac
target=$(realpath "${CARGO_TARGET_DIR:-target}")
export PATH=$target/lint/bin:$PATH
not_measured() {
    echo "not measured: $*" >&2
    [ "$strict" != --strict ] || exit 1
}
have() { command -v cargo-deny >/dev/null; }
have || cargo install --locked --root "$target/lint" cargo-deny@0.20.2 && have ||
    { not_measured "dependencies; install cargo-deny" && exit; }
lockfiles=$(git ls-files '*Cargo.lock') && [ -n "$lockfiles" ] ||
    { not_measured "dependencies; git lists no lockfile here, so run it in a clone" && exit; }
deny() { cargo-deny --all-features --config "$PWD/.github/deny.toml" --manifest-path "$@"; }

advisories=1
deny Cargo.toml fetch db || { not_measured "advisories; their database on GitHub is out of reach" && advisories=''; }
for lockfile in $lockfiles; do
    manifest=${lockfile%lock}toml
    echo "-- $manifest"
    checks=(bans licenses sources ${advisories:+advisories})
    # Pilots have what other people chose: doubled packages, and some that have found no maintainer.
    [ "$manifest" != alloc-tests/pilots/Cargo.toml ] || checks=(--allow unmaintained --allow duplicate "${checks[@]}")
    deny "$manifest" check --hide-inclusion-graph "${checks[@]}"
done
