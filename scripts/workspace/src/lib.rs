//! Checks of the workspace itself; see `tests/workspace.rs`.
