//! Load and validation of any WebSocket endpoint.
//!
//! Pure: [`profile`] says what is asked for and [`thresholds`] what it is held to; `schedule` when each connection opens
//! and sends; `message` what it sends and `ledger` what has come back; [`metrics`] and [`outcome`] what is counted;
//! [`model`] a whole run; [`summary`] what is read from it, [`validator`] whether it is good, [`merge`] the sum of several,
//! [`search`] the most that holds.
//!
//! Then [`run`] does it: a [`conductor`] leads `worker`s, threads that hold `seat`s, each with one `session` after another
//! over an `endpoint`, which a [`url`] names. [`report`] shows it.

mod book;
mod clock;
pub mod conductor;
mod details;
mod endpoint;
mod exchange;
mod json_pointer;
mod keys;
mod ledger;
pub mod merge;
mod message;
pub mod metrics;
pub mod model;
pub mod outcome;
pub mod own_target;
pub mod problem;
mod processor;
pub mod profile;
mod provoke;
pub mod report;
pub mod run;
mod schedule;
mod scrape;
pub mod search;
mod seat;
mod session;
mod slow_reader;
pub mod summary;
mod tender;
pub mod thresholds;
mod timers;
mod tls;
pub mod units;
pub mod url;
pub mod validator;
mod wire;
mod worker;
