//! Snapshots, serialised once per tick and shared by all subscribers.

mod board;
mod hub;
mod pulse;
mod subscriber;

pub(crate) use board::{Board, Tick};
pub(crate) use hub::run as run_hub;
pub(crate) use pulse::Pulse;
pub(crate) use subscriber::Subscriber;
