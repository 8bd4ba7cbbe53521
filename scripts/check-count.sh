#!/usr/bin/env bash
# Counts programs from outside: ws-server and axum must cost what their suites have recorded, node's ws is told to have a
# second heap, and Go is blind. A peer that cannot be installed, below target/peers, is an error, except with --optional.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
sources=$PWD/benches/load/tests/peers target=${CARGO_TARGET_DIR:-$PWD/target} absent=''
cargo build --locked --package cargo-plimsoll --bin plimsoll
cargo build --locked --release --package server --bin ws-server
cargo build --locked --release --manifest-path alloc-tests/pilots/Cargo.toml --target-dir "$target/pilots" --package pilot-axum

fail() { echo "error: $1" >&2 && exit 1; }
# Counts $1; the exit code must be one of $2, and the words $3 must be said.
count() {
    local code=0
    said=$("$target/debug/plimsoll" count "${@:4}" 2>&1) || code=$?
    printf -- '-- %s\n%s\n' "$1" "$said"
    [[ " $2 " == *" $code "* && $said == *"$3"* ]] || fail "$1 ended with $code instead of $2, or did not say: $3"
}
# A message costs nothing, and a connection, but for $2 blocks, what the suite with the baselines $1 has recorded.
recorded() {
    local counted wanted pair='"blocks": \[([0-9]+), ([0-9]+)\], "bytes"'
    counted=$(awk '$1 == "connection" { print $2 }' <<<"$said")
    wanted=$(sed -nE "s/.*\"connect_close_100_conns\": .*$pair.*/\2 - \1/p" "$1/alloc/$(rustc --print host-tuple).json")
    wanted=$(((${wanted:?no connect_close_100_conns in $1}) / 100))
    ((counted - wanted <= $2 && wanted - counted <= $2)) || fail "$counted blocks of a connection, but $1 has $wanted"
    [[ $(awk '$1 == "message" { print $2, $3, $4, $5, $6 }' <<<"$said") == '0 0 1 1 0' ]] || fail 'a message has another cost'
}
count ws-server 0 'agree' --path /ws/echo -- "$target/release/ws-server" --bind '127.0.0.1:{port}'
recorded baselines 0
count axum 0 'agree' --path /echo -- "$target/pilots/release/pilot-axum" '{port}'
recorded alloc-tests/pilots/axum/tests/baselines 1
mkdir -p "$target/peers/node" && cp "$sources"/node/{peer.mjs,package.json,package-lock.json,.npmrc} "$target/peers/node"
if npm ci --silent --prefix "$target/peers/node" >&2; then
    count node '0 6' 'heap of V8 is not counted' --path /echo -- env 'PORT={port}' node "$target/peers/node/peer.mjs"
else absent+=' node'; fi
if GO111MODULE=off GOPATH=/usr/share/gocode go build -o "$target/peers/go" "$sources/go/peer.go" >&2; then
    count go 6 'blind: ' --path /echo -- env 'PORT={port}' "$target/peers/go"
else absent+=' go'; fi
echo "counted; not measured, because not installed:${absent:- none}"
[ -z "$absent" ] || [ "${1-}" = --optional ] || fail "install them, or accept that: $0 --optional"
