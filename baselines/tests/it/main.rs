//! The public API as its users meet it, and the recorded files themselves.

mod committed;
mod properties;
