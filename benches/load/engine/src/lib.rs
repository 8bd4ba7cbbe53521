//! Runs a load: a coordinator leads workers, threads that hold virtual users, each with one connection after another.
//!
//! # Layout
//!
//! - [`run`]: a run from its first connection to its last; `execution`: one pass through a profile
//! - `coordinator`: leads the workers through the stages; `control`: what they tell each other; `intervals`,
//!   `error_samples`: the records of all workers; [`progress`]: the state of a run, once a second
//! - `worker`: opens and closes users; `worker_state`: what its connections share and record into
//! - `user`, `user_handle`: a virtual user, and what its worker tells it; `session`: one connection of it; `silence`: how
//!   long a subscription has had no message
//! - `schedule`, `arrivals`: when connections open, and when messages are due; `message`, `talk`, `protocol`: how
//!   messages are made and answers are recognised; `opening`: what is said before them; `connection_numbers`: what tells connections apart; `in_flight`: messages without an answer
//! - `endpoint`, `transport`, `tls`, `request`, `wire`: a connection to the target; [`problem`]: how one failed
//! - `hostile`, `slow_reader`: peers that misbehave; `scrape`: the target's allocations
//! - `host`, `clock`, `timers`, `alarm`, `cpu_meter`: where time comes from; `testing`, `memory`, `virtual_time`:
//!   runs in virtual time against a peer in memory (feature `testing`)

mod alarm;
mod arrivals;
mod clock;
mod connection_numbers;
mod control;
mod coordinator;
mod cpu_meter;
mod endpoint;
mod error_samples;
mod execution;
mod host;
mod hostile;
mod in_flight;
mod intervals;
mod json_pointer;
mod masking_keys;
#[cfg(feature = "testing")]
mod memory;
mod message;
mod opening;
pub mod problem;
pub mod progress;
mod protocol;
mod request;
pub mod run;
mod schedule;
mod scrape;
mod session;
mod silence;
mod slow_reader;
mod talk;
#[cfg(feature = "testing")]
pub mod testing;
mod timers;
mod tls;
mod transport;
mod user;
mod user_handle;
#[cfg(feature = "testing")]
mod virtual_time;
mod wire;
mod worker;
mod worker_state;
