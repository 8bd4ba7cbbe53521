#!/usr/bin/env bash
# Plants a copy per message in a commit of its own, and demands that compare.sh turns red and names the line; that HEAD
# against itself is green; and that the way back reads as improved. Neither the tree nor the index is touched.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

if ! git rev-parse --verify --quiet HEAD >/dev/null; then
    echo "not measured: there is no git repository with a commit here, so there are no revisions to compare" >&2
    exit 0
fi
file=server/src/echo.rs
plant='std::hint::black_box(message.clone().into_data().to_vec());'
planted=$(git show "HEAD:$file" | sed "/fn take(/,/match /s/match .message {/$plant\n        &/")
line=$(grep -nF "$plant" <<<"$planted" | cut -d: -f1) || { echo "error: $file has no place for a plant" >&2; exit 1; }

index=$(mktemp -u)
trap 'rm -f "$index"' EXIT
blob=$(git hash-object -w --stdin <<<"$planted")
GIT_INDEX_FILE=$index git read-tree HEAD
GIT_INDEX_FILE=$index git update-index --cacheinfo "100644,$blob,$file"
tree=$(GIT_INDEX_FILE=$index git write-tree)
red=$(git -c user.name=plant -c user.email=plant@localhost commit-tree -p HEAD -m "plant a copy per message" "$tree")

# The exit code of the script itself: no pipe, no make.
expect() {
    local code=$1 got=0
    shift
    printf '\n-- compare.sh %s: exit code %s is due\n' "$*" "$code"
    said=$(scripts/compare.sh "$@") || got=$?
    printf '%s\n' "$said"
    [ "$got" = "$code" ] || { echo "error: it was $got" >&2; exit 1; }
}

expect 3 HEAD "$red" --skip timing
grep -q "echo_text_64b_1000_msgs.* regressed" <<<"$said" || { echo "error: the scenario is not named" >&2; exit 1; }
grep -q "$file:$line" <<<"$said" || { echo "error: $file:$line is not named" >&2; exit 1; }
expect 0 HEAD HEAD --skip timing
expect 4 "$red" HEAD --skip timing
