#!/usr/bin/env bash
# Attacks ws-server in many ways, beside clients that keep the rules and beside a second server that is not attacked: the
# clients lose nothing and wait no longer, attackers are dropped in time, and nothing of them is left. Then ends a server
# under all attacks at once. Takes about six minutes. --only TEXT runs a part; --help lists the other flags.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

command -v ss >/dev/null || { echo "error: ss is missing, which counts the kernel's memory; try apt install iproute2" >&2; exit 1; }
cargo build --quiet --release --locked --package server --package research
exec "${CARGO_TARGET_DIR:-target}/release/calibrate" attacks \
    --server "${CARGO_TARGET_DIR:-target}/release/ws-server" "$@"
