#!/usr/bin/env bash
# Writes the summary in $RESULT as the one comment of plimsoll on the pull request whose commit is $HEAD_SHA. Everything in
# $RESULT comes from a run of a stranger's code: it is data, and read as such.
set -euo pipefail

fail() {
    echo "::error::$1" >&2
    exit 1
}

number=$(head -c 16 "$RESULT/pull-request") || fail "the artifact names no pull request; was the run one of a pull request?"
[[ $number =~ ^[1-9][0-9]{0,9}$ ]] || fail "the artifact names no pull request but ${number@Q}"
# Otherwise a stranger could write under any pull request.
head=$(gh api "repos/$REPOSITORY/pulls/$number" --jq .head.sha)
[ "$head" = "$HEAD_SHA" ] || fail "pull request $number is at $head, and the run was of $HEAD_SHA; its next run comments"

marker='<!-- plimsoll -->'
comment=$(mktemp)
{
    echo "$marker"
    # GitHub refuses a comment above 65,536 characters. A mention would call a person in the name of this repository.
    head -c 60000 "$RESULT/comment.md" | iconv --from-code UTF-8 --to-code UTF-8 -c | sed 's/@/@\&#8203;/g'
} > "$comment"
known=$(gh api --paginate "repos/$REPOSITORY/issues/$number/comments" \
    --jq ".[] | select(.user.type == \"Bot\" and (.body | startswith(\"$marker\"))) | .id")
if [ -n "$known" ]; then
    gh api --silent --method PATCH "repos/$REPOSITORY/issues/comments/${known%%$'\n'*}" -F "body=@$comment"
else
    gh api --silent --method POST "repos/$REPOSITORY/issues/$number/comments" -F "body=@$comment"
fi
