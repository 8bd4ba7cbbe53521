//! Rates between two ticks.

use std::time::Duration;

use serde::Serialize;

use crate::allocations::Allocations;
use crate::stats::Counters;

/// Rates over the last tick.
#[derive(Debug, Serialize)]
pub struct Throughput {
    /// Messages received per second.
    pub messages_per_s: f64,
    /// Payload received, in 10⁶ bits per second.
    pub received_mbps: f64,
    /// Payload written, in 10⁶ bits per second.
    pub sent_mbps: f64,
}

/// Turns counters into rates: remembers their values at the last tick.
#[derive(Debug)]
pub(crate) struct Meter {
    at: Duration,
    messages: u64,
    received: u64,
    sent: u64,
    blocks: u64,
}

/// The rates of one tick.
pub(crate) struct Rates {
    pub(crate) throughput: Throughput,
    /// Heap blocks allocated per second.
    pub(crate) blocks_per_s: f64,
}

impl Meter {
    pub(crate) fn new(at: Duration) -> Self {
        Self { at, messages: 0, received: 0, sent: 0, blocks: 0 }
    }

    pub(crate) fn advance(
        &mut self,
        now: Duration,
        counters: &Counters,
        allocated: Option<Allocations>,
    ) -> Rates {
        let blocks = allocated.map_or(0, |allocated| allocated.total_blocks);
        let seconds = (now - self.at).as_secs_f64();
        // The first tick has no interval behind it.
        let rate = |then: u64, now: u64| {
            if seconds > 0.0 { now.saturating_sub(then) as f64 / seconds } else { 0.0 }
        };
        let mbps = |then: u64, now: u64| rate(then, now) * 8.0 / 1e6;
        let rates = Rates {
            throughput: Throughput {
                messages_per_s: rate(self.messages, counters.messages_in),
                received_mbps: mbps(self.received, counters.bytes_in),
                sent_mbps: mbps(self.sent, counters.bytes_out),
            },
            blocks_per_s: rate(self.blocks, blocks),
        };
        *self = Self {
            at: now,
            messages: counters.messages_in,
            received: counters.bytes_in,
            sent: counters.bytes_out,
            blocks,
        };
        rates
    }
}
