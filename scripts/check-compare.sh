#!/usr/bin/env bash
# Plants a regression in a commit of its own and demands that the comparison turns red and names the line, that HEAD
# against itself is green, and that the way back reads as improved. Builds two revisions. Without a git repository that is
# an error; with --optional it is said, and fails nothing.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

if ! git rev-parse --verify --quiet HEAD >/dev/null; then
    echo "not measured: there is no git repository with a commit here, so there are no revisions to compare" >&2
    [ "${1-}" = --optional ] && exit 0 || exit 1
fi
exec cargo test --locked --package ws-compare --test planted -- --nocapture
