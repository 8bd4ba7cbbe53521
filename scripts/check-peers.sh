#!/usr/bin/env bash
# Loads foreign servers, echo and push: ws-load must count what they count. A peer that cannot be installed is an error;
# with --optional it is not run, and the last line names it. Everything is installed below target/peers.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

sources=$PWD/benches/load/tests/peers
built=${CARGO_TARGET_DIR:-$PWD/target}/peers
mkdir -p "$built"
# Each prints the command that starts a peer.
node_ws() {
    mkdir -p "$built/node" && cp "$sources"/node/{peer.mjs,package.json,package-lock.json,.npmrc} "$built/node" &&
        npm ci --silent --prefix "$built/node" >&2 && echo "node '$built/node/peer.mjs'"
}
python_websockets() {
    python3 -m venv "$built/python" >&2 &&
        "$built/python/bin/pip" install --quiet --require-hashes -r "$sources/python/requirements.txt" >&2 &&
        echo "'$built/python/bin/python' '$sources/python/peer.py'"
}
# From Debian: apt-get install golang-go golang-github-gorilla-websocket-dev
go_gorilla() {
    GO111MODULE=off GOPATH=/usr/share/gocode go build -o "$built/go" "$sources/go/peer.go" >&2 && echo "'$built/go'"
}

test=(cargo test --quiet --locked --package ws-load --test load)
"${test[@]}" --no-run || exit 1
agreed='' absent=''
for peer in node_ws python_websockets go_gorilla; do
    if command=$("$peer"); then
        echo "-- $peer"
        # Cargo ends with 0 if no test has the name.
        PLIMSOLL_PEER=$command "${test[@]}" -- --ignored --exact peers::a_peer_counts_what_we_count --nocapture |
            tee /dev/stderr | grep '1 passed' >/dev/null || { echo "error: the peer's test did not pass" >&2; exit 1; }
        agreed+=" $peer"
    else
        absent+=" $peer"
    fi
done
echo "agreed:${agreed:- none}; not measured, because not installed:${absent:- none}"
[ -z "$absent" ] || [ "${1-}" = --optional ] || { echo "error: install them, or accept that: $0 --optional" >&2; exit 1; }
