//! Tests that start whole processes: servers, git, cargo, and this program itself.

mod builds;
mod cleanup;
mod compare;
mod conversation;
mod repository;
mod server;
mod stopped;
