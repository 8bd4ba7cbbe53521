//! Runs a load: a coordinator leads workers, threads that hold virtual users, each with one session after another.
//!
//! # Layout
//!
//! - [`run`]: a run from its first connection to its last; [`conductor`]: leads the workers through the stages
//! - `tender`, `worker`, `seat`, `session`: a worker, its shared record, a virtual user, and one connection of it
//! - `schedule`, `timers`, `clock`: when each connection opens and sends
//! - `message`, `ledger`, `exchange`: what is sent, what is in flight, and what an answer is checked against
//! - `endpoint`, `tls`, `wire`: the connection to the target; `provoke`, `slow_reader`: peers that behave badly
//! - `book`, `details`: what was recorded, by second, and errors in words; [`problem`]: what went wrong with a connection

mod book;
mod clock;
pub mod conductor;
mod details;
mod endpoint;
mod exchange;
mod json_pointer;
mod keys;
mod ledger;
mod message;
pub mod problem;
mod processor;
mod provoke;
pub mod run;
mod schedule;
mod scrape;
mod seat;
mod session;
mod slow_reader;
mod tender;
mod timers;
mod tls;
mod wire;
mod worker;
