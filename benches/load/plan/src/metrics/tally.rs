use serde::{Deserialize, Serialize};

use crate::outcome::{Ending, Fault};

/// Everything that is counted, summed over connections and time.
///
/// As JSON it lacks its endings and faults, which a report writes by names.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tally {
    /// Connections begun.
    pub attempted: u64,
    /// Connections that were upgraded.
    pub opened: u64,
    /// Connections that have ended, in the order of [`Ending::ALL`].
    #[serde(skip)]
    pub endings: [u64; Ending::ALL.len()],
    /// Messages sent.
    pub sent: u64,
    /// Messages that were due in an open loop, whether or not they were sent or a connection was open.
    pub due: u64,
    /// Messages received: answers, right or wrong, and messages of a subscription.
    pub received: u64,
    /// Payload bytes sent.
    pub sent_bytes: u64,
    /// Payload bytes received.
    pub received_bytes: u64,
    /// Bytes of payload and frame headers sent, without TLS and TCP.
    pub sent_wire_bytes: u64,
    /// Bytes of payload and frame headers received, without TLS and TCP.
    pub received_wire_bytes: u64,
    /// Times that a message was due on a connection with full buffers.
    pub backpressure_events: u64,
    /// Messages that are due in an open loop and cannot be sent, because their connection is full, closed or being opened:
    /// how many more there are than before.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub held_up: i64,
    /// Pings sent.
    pub pings: u64,
    /// Pongs received.
    pub pongs: u64,
    /// Updates that a subscription skipped, by the numbers in its messages.
    pub missed_updates: u64,
    /// Faulty messages, in the order of [`Fault::ALL`].
    #[serde(skip)]
    pub faults: [u64; Fault::ALL.len()],
    /// Provocations that were tried.
    pub provoked: u64,
    /// Provocations that the target answered wrongly.
    pub provoked_badly: u64,
}

impl Tally {
    /// Adds all of `other`.
    pub fn add(&mut self, other: &Self) {
        let Self { endings, faults, .. } = other;
        for (mine, theirs) in self.endings.iter_mut().zip(endings) {
            *mine += theirs;
        }
        for (mine, theirs) in self.faults.iter_mut().zip(faults) {
            *mine += theirs;
        }
        self.attempted += other.attempted;
        self.opened += other.opened;
        self.sent += other.sent;
        self.due += other.due;
        self.received += other.received;
        self.sent_bytes += other.sent_bytes;
        self.received_bytes += other.received_bytes;
        self.sent_wire_bytes += other.sent_wire_bytes;
        self.received_wire_bytes += other.received_wire_bytes;
        self.backpressure_events += other.backpressure_events;
        self.held_up += other.held_up;
        self.pings += other.pings;
        self.pongs += other.pongs;
        self.missed_updates += other.missed_updates;
        self.provoked += other.provoked;
        self.provoked_badly += other.provoked_badly;
    }

    /// Connections with this ending.
    #[must_use]
    pub fn ended(&self, ending: Ending) -> u64 {
        self.endings[ending as usize]
    }

    /// Messages with this fault.
    #[must_use]
    pub fn faulty(&self, fault: Fault) -> u64 {
        self.faults[fault as usize]
    }

    /// Messages with a fault that neither the network nor the load explains.
    #[must_use]
    pub fn wrong_answers(&self) -> u64 {
        let wrong = Fault::ALL.into_iter().filter(|fault| fault.is_wrong_answer());
        wrong.map(|fault| self.faulty(fault)).sum()
    }

    /// Connections that have not ended.
    #[must_use]
    pub fn unended(&self) -> u64 {
        self.attempted.saturating_sub(self.endings.iter().sum())
    }

    /// Connections with an ending that is an error.
    #[must_use]
    pub fn failed(&self) -> u64 {
        Ending::ALL
            .iter()
            .filter(|ending| !ending.is_good())
            .map(|ending| self.ended(*ending))
            .sum()
    }

    /// Faulty messages and failed connections.
    #[must_use]
    pub fn errors(&self) -> u64 {
        self.failed() + self.faults.iter().sum::<u64>()
    }

    /// Connections and messages that were tried; at least the errors, as what failed may have been tried earlier.
    #[must_use]
    pub fn tried(&self) -> u64 {
        (self.attempted + self.sent.max(self.received)).max(self.errors())
    }

    /// [`Tally::errors`] as a share of [`Tally::tried`]; `None` if nothing was tried.
    #[must_use]
    pub fn error_share(&self) -> Option<f64> {
        let tried = self.tried();
        (tried > 0).then(|| self.errors() as f64 / tried as f64)
    }
}

fn is_zero(count: &i64) -> bool {
    *count == 0
}
