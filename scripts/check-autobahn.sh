#!/usr/bin/env bash
# The Autobahn suite, groups 1 to 7 and 10, against ws-server: every case must end as server/tests/autobahn says. It needs
# Python 2.7, or PyPy 2.7; the rest is installed below target/autobahn. Without such a Python nothing is measured, which is
# an error; with --optional it is said, and fails nothing. --update records the result, unless a case failed.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

mode=${1-}
[[ $mode =~ ^(--optional|--update)?$ ]] ||
    { echo "error: $0 does not know $mode; it takes --optional or --update" >&2 && exit 2; }
recorded=$PWD/server/tests/autobahn/result.json python=''
for candidate in pypy2 pypy python2.7 "${PYENV_ROOT:-$HOME/.pyenv}"/versions/*2.7*/bin/python; do
    "$candidate" -c 'import sys; sys.exit(sys.version_info[:2] != (2, 7))' &>/dev/null && python=$candidate && break
done
not_run() { echo "not measured: Autobahn: $*" >&2 && [ "$mode" = --optional ] && exit 0 || exit 1; }
[ -n "$python" ] || not_run "there is no Python 2.7 here; try pyenv install pypy2.7-7.3.20"
cargo build --quiet --release --locked --package server --bin ws-server || exit 1
built=$(realpath "${CARGO_TARGET_DIR:-target}") && suite=$built/autobahn result=$built/autobahn/result.json
mkdir -p "$suite" && rm -rf "$suite/reports" "$result"
if ! [ "$suite/installed" -nt server/tests/autobahn/requirements.txt ]; then
    # The last virtualenv that knows Python 2.7. Nothing here speaks TLS, whose package PyPy would have to compile.
    python3 -m venv "$suite/tool" && "$suite/tool/bin/pip" install --quiet virtualenv==20.21.1 &&
        "$suite/tool/bin/virtualenv" --quiet --python "$(command -v "$python")" "$suite/python" &&
        "$suite/python/bin/pip" --no-python-version-warning install --quiet --no-deps \
            -r server/tests/autobahn/requirements.txt && touch "$suite/installed" ||
        not_run "its packages cannot be installed"
fi
coproc SERVER { exec "$built/release/ws-server" --bind 127.0.0.1:0; }
trap 'kill "$SERVER_PID"' EXIT
read -r line <&"${SERVER[0]}"
printf '{"outdir": "%s", "cases": %s, "servers": [{"agent": "ours", "url": "%s/ws/echo"}]}' "$suite/reports" \
    '["1.*", "2.*", "3.*", "4.*", "5.*", "6.*", "7.*", "10.*"], "exclude-cases": [], "exclude-agent-cases": {}' \
    "ws${line#listening on http}" >"$suite/spec.json"
failed() { echo "error: $*; read $suite/reports/index.html" >&2 && exit 3; }
"$suite/python/bin/python" server/tests/autobahn/run.py "$suite" >"$result"
cases=$(grep -c '": \[' "$result") || failed "no case ran"
other=0 # Of grep, 1 is that no line is left, and 2 that it could not look.
grep -vE '^[{}]|: \["(OK|NON-STRICT|INFORMATIONAL)", "(OK|INFORMATIONAL)"\]' "$result" || other=$?
[ "$other" != 0 ] || failed "a case failed"
[ "$other" = 1 ] || failed "grep ended with $other, so no case was judged"
[ "$mode" != --update ] || cp "$result" "$recorded"
diff --unified=0 "$recorded" "$result" || failed "cases end otherwise than recorded"
echo "$cases cases end as recorded"
