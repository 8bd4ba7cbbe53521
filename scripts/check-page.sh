#!/usr/bin/env bash
# The page in a real browser: builds what serves it, installs what is missing, and drives Chromium. Screenshots go to
# target/screenshots. [--optional] (what cannot be had fails nothing) [--test-name-pattern REGEX]… and others of node
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

missing=1
[ "${1-}" != --optional ] || { missing=0; shift; }
not_run() {
    echo "not measured: the page: $*" >&2
    exit "$missing"
}
find_browser() { command -v chromium || command -v chromium-browser || command -v google-chrome; }
# Onto a container or a machine of CI; a person is asked. Only what others have to send is given up after a while.
install_browser() {
    local apt=(apt-get --quiet --yes)
    [ "$(id -u)" = 0 ] || { [ -n "${CI-}" ] && apt=(sudo -n "${apt[@]}"); } || return 1
    export DEBIAN_FRONTEND=noninteractive
    local install=("${apt[@]}" install --no-install-recommends chromium fonts-dejavu-core)
    timeout 30 "${apt[@]}" update && timeout 60 "${install[@]}" --download-only && "${install[@]}"
}

cargo build --quiet --locked --workspace --bin ws-server --bin ws-load --example live || exit 1
target=$(realpath "${CARGO_TARGET_DIR:-target}")
export BIN_DIR=$target/debug SCREENSHOTS=$target/screenshots

node -e 'process.exit(parseInt(process.versions.node) < 20 ? 1 : 0)' && command -v npm >/dev/null ||
    not_run "there is no node 20 with npm here; install nodejs"
CHROMIUM=$(find_browser) || { install_browser >&2 && CHROMIUM=$(find_browser); } ||
    not_run "there is no browser here and apt brings none; install chromium"
export CHROMIUM
cd server/tests/browser
[ node_modules/.package-lock.json -nt package-lock.json ] ||
    npm_config_cache=$target/npm timeout 60 npm ci --no-audit --no-fund --fetch-retries=1 >&2 ||
    not_run "npm cannot bring playwright-core and axe-core; run npm ci in server/tests/browser"
# What a browser remembers stays here as well.
export HOME=$target/browser XDG_CONFIG_HOME=$target/browser XDG_CACHE_HOME=$target/browser
timeout 30 "$CHROMIUM" --headless --no-sandbox --disable-gpu --user-data-dir="$HOME/first" --dump-dom about:blank \
    &>/dev/null || not_run "$CHROMIUM does not start; try it with --headless --no-sandbox --dump-dom about:blank"
shopt -s extglob # Most files mostly wait, so they run side by side; the time to the first paint is taken alone.
node --test --test-reporter=spec --test-concurrency=4 "$@" !(paint).test.js
exec node --test --test-reporter=spec "$@" paint.test.js
