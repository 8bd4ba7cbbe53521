#!/usr/bin/env bash
# Draws the pictures of loads and of a comparison that the pages show: the commands are typed as they stand in them, and the
# figures are those of this machine, which has to be quiet. Needs Chromium, for the report. Takes about 12 minutes.
# alloc-tests/planted.svg comes from: UPDATE=1 scripts/check-action.sh
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

[ $# = 0 ] || { echo "error: $0 takes no arguments, not $1" >&2; exit 2; }
# A service on axum, in a workspace of its own.
cargo build --quiet --release --locked --manifest-path alloc-tests/pilots/Cargo.toml --package pilot-axum
service=$(realpath "${CARGO_TARGET_DIR:-alloc-tests/pilots/target}")/release/pilot-axum
cargo build --quiet --release --locked --package ws-load
cargo build --quiet --release --locked --package bench-show --features picture --example draw
tree=$PWD copy=$(mktemp -d) CARGO_TARGET_DIR=$(realpath "${CARGO_TARGET_DIR:-target}")
export CARGO_TARGET_DIR CLICOLOR_FORCE=1 PATH=$CARGO_TARGET_DIR/release:$PATH

draw() { # the exit code that is due, the picture, what sed prints of the output, the command
    local code=0
    bash -c "$4" >"$copy/shown" || code=$?
    [ "$code" = "$1" ] || { echo "error: $4 ended with $code, not $1; is the machine quiet? try again" >&2; exit 1; }
    sed -n "$3" "$copy/shown" | "$CARGO_TARGET_DIR/release/examples/draw" "$4" >"$tree/$2"
}
trap 'rm -rf "$copy"' EXIT
listens() { (: </dev/tcp/127.0.0.1/3000) 2>/dev/null; }
! listens || { echo "error: port 3000 is in use; end the program that serves it: ss -ltnp 'sport = :3000'" >&2; exit 1; }
coproc SERVER { exec "$service" 3000; }
trap 'kill "$SERVER_PID"; rm -rf "$copy"' EXIT
until listens; do kill -0 "$SERVER_PID"; done
load="ws-load ws://127.0.0.1:3000/echo -c 50 -r 1000 -d 10s -s 64B --threshold"
draw 0 benches/load/pass.svg p "$load 'latency_p99 < 20ms'"
draw 3 benches/load/fail.svg p "$load 'latency_p99 < 100us'"

git clone --quiet . "$copy/tree"
cd "$copy/tree"
git checkout --quiet -B planted && git branch --quiet --force main
sed -i '/^    fn take(/a\        std::hint::black_box(message.clone().into_data().to_vec());' server/src/echo.rs
draw 3 benches/compare/planted.svg '1,24p; 25s/.*/…/p; $p' "scripts/compare.sh main --html compare.html"
chromium --headless --no-sandbox --disable-gpu --hide-scrollbars --window-size=900,700 \
    --screenshot="$tree/benches/compare/page.webp" "file://$PWD/compare.html"
