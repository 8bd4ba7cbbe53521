//! Rounds → estimates, intervals and probabilities. Pure: no clock, no files, nothing printed.
//!
//! Rounds come in tens, and some are disturbed, so nothing here relies on their mean or on a normal distribution. An
//! estimate has the unit of its values; probabilities, levels and quantiles are shares of 1.
//!
//! Every function panics on a value that is not finite and on a share outside its range: a NaN compares false with every
//! threshold, and would pass.
//!
//! # Layout
//!
//! - `order`: median and quantiles; `location`: the pseudo-median, its interval and its test
//! - `precision`: standard error and detectable effect; `holm`: several tests at once
//! - `binomial`: bounds of a rate; `normal`: normal quantiles

mod binomial;
mod holm;
mod location;
mod normal;
mod order;
mod precision;
#[cfg(test)]
mod properties;
#[cfg(test)]
mod testing;

pub use binomial::{binomial_interval, binomial_upper};
pub use holm::holm;
pub use location::{ConfidenceInterval, hodges_lehmann, signed_rank_p, walsh_interval};
pub use normal::normal_quantile;
pub use order::{mean_below, median, quantile};
pub use precision::{detectable, standard_error};
