//! The public API, and the recorded files.

mod committed;
mod properties;
