#!/usr/bin/env bash
# Packages the crates that other repositories depend on, as cargo publish would, and builds the packages. Then builds them
# with the oldest Rust that their manifests name.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

cargo package --locked --package plimsoll --package cargo-plimsoll --package ws-compare \
    --package plimsoll-baselines --package bench-kit --package bench-show --package conversation --package plimsoll-preload
oldest=$(sed -n 's/^rust-version = "\([^"]*\)".*/\1/p' alloc-tests/harness/Cargo.toml)
rustup toolchain install "$oldest" --profile minimal
# A folder of its own: two compilers in one would build everything anew each time.
CARGO_TARGET_DIR=target/oldest-rust cargo "+$oldest" check --locked --package plimsoll --all-features
echo "packaged, and builds with Rust $oldest"
