//! Snapshots, serialised once a tick and shared by all subscribers.

mod hub;
mod subscriber;

pub(crate) use hub::{Tick, run as run_hub};
pub(crate) use subscriber::Subscriber;
