#!/usr/bin/env bash
# The page in a real browser: builds the server, installs what is missing, and drives Chromium.
# Screenshots go to target/screenshots. Arguments go to node: [--test-name-pattern REGEX]…
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

not_run() {
    echo "not run: $*" >&2
    exit 0
}

command -v npm >/dev/null || not_run "there is no node with npm here; install nodejs"
find_browser() { command -v chromium || command -v chromium-browser || command -v google-chrome; }
if ! CHROMIUM=$(find_browser); then
    as_root=()
    [ "$(id -u)" = 0 ] || as_root=(sudo -n)
    "${as_root[@]}" apt-get update --quiet >&2 && "${as_root[@]}" apt-get install --quiet --yes chromium >&2 ||
        not_run "there is no browser here and apt brings none; install chromium"
    CHROMIUM=$(find_browser)
fi
export CHROMIUM

cargo build --quiet --locked --package server --bin ws-server --example live || exit 1
target=$(realpath "${CARGO_TARGET_DIR:-target}")
export BIN_DIR=$target/debug SCREENSHOTS=$target/screenshots

cd server/tests/browser
[ node_modules/.package-lock.json -nt package-lock.json ] || npm ci --no-audit --no-fund >&2 ||
    not_run "npm cannot bring playwright-core and axe-core; run npm ci in server/tests/browser"
exec node --test --test-reporter=spec --test-concurrency=1 "$@"
