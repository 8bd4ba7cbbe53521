use std::fmt;
use std::str::FromStr;

use super::{Statistic, Unit};
use crate::metrics::Timing;
use crate::outcome::Fault;
use crate::unknown::unknown;

/// What a threshold can be on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Metric {
    /// The latency that a run is judged by: [`Timing::RttIntended`] in an open loop, [`Timing::RttService`] in a closed
    /// one.
    Latency(Statistic),
    /// Any one of the distributions.
    Timing(Timing, Statistic),
    /// Share of connections and messages that went wrong.
    Errors,
    /// How many of them.
    ErrorCount,
    /// Connections begun.
    ConnectionsAttempted,
    /// Of those, upgraded.
    ConnectionsOpened,
    /// Of those attempted, ended otherwise than they should.
    ConnectionsFailed,
    /// Connections short of a stage's number while it was measured.
    ConnectionsMissing,
    /// Messages with one fault.
    Fault(Fault),
    /// Messages with a fault that no network and no load explains.
    WrongAnswers,
    /// Messages sent in measured time.
    MessagesSent,
    /// Messages received in measured time.
    MessagesReceived,
    /// Messages received a second.
    MessagesPerS,
    /// Share of due messages that were sent.
    AchievedRate,
    /// Payload sent.
    SentMbps,
    /// Payload received.
    ReceivedMbps,
    /// Times a connection was full.
    BackpressureEvents,
    /// Pings without a pong.
    PingsLost,
    /// Updates of a subscription that were skipped.
    MissedUpdates,
    /// Provocations that were not answered as they should.
    ProvokedBadly,
    /// Blocks that the target still holds.
    RemainingAllocations,
    /// Their bytes.
    RemainingBytes,
    /// Blocks that the target asked for.
    AllocationsPerMessage,
    /// Their bytes.
    AllocatedBytesPerMessage,
}

/// What is not of a distribution and not a fault: name, unit, and what it means.
const PLAIN: [(Metric, &str, Unit, &str); 21] = [
    (
        Metric::Errors,
        "errors",
        Unit::Share,
        "faults of messages and failed connections, of all messages and connections tried",
    ),
    (Metric::ErrorCount, "error_count", Unit::Count, "faults of messages and failed connections"),
    (Metric::ConnectionsAttempted, "connections_attempted", Unit::Count, "connections begun"),
    (
        Metric::ConnectionsOpened,
        "connections_opened",
        Unit::Count,
        "connections that were upgraded",
    ),
    (
        Metric::ConnectionsFailed,
        "connections_failed",
        Unit::Count,
        "connections that did not come about, or ended before they should",
    ),
    (
        Metric::ConnectionsMissing,
        "connections_missing",
        Unit::Count,
        "connections that were not open though their stage was measured, in the worst second",
    ),
    (
        Metric::WrongAnswers,
        "wrong_answers",
        Unit::Count,
        "answers that were corrupted, duplicated, reordered or unexpected",
    ),
    (Metric::MessagesSent, "messages_sent", Unit::Count, "messages sent in measured time"),
    (
        Metric::MessagesReceived,
        "messages_received",
        Unit::Count,
        "messages received in measured time",
    ),
    (
        Metric::MessagesPerS,
        "messages_per_s",
        Unit::PerSecond,
        "messages received in a second of measured time",
    ),
    (
        Metric::AchievedRate,
        "achieved_rate",
        Unit::Share,
        "messages sent in measured time, of those that an open loop had due",
    ),
    (Metric::SentMbps, "sent_mbps", Unit::Mbps, "payload sent in measured time"),
    (Metric::ReceivedMbps, "received_mbps", Unit::Mbps, "payload received in measured time"),
    (
        Metric::BackpressureEvents,
        "backpressure_events",
        Unit::Count,
        "times in measured time that a connection was full when a message was due",
    ),
    (Metric::PingsLost, "pings_lost", Unit::Count, "pings that no pong answered"),
    (
        Metric::MissedUpdates,
        "missed_updates",
        Unit::Count,
        "updates that a subscription's own numbers say were skipped",
    ),
    (
        Metric::ProvokedBadly,
        "provoked_badly",
        Unit::Count,
        "provocations that the target did not answer as it should",
    ),
    (
        Metric::RemainingAllocations,
        "remaining_allocations",
        Unit::Count,
        "heap blocks that the target still holds after everyone has left, more than before",
    ),
    (
        Metric::RemainingBytes,
        "remaining_bytes",
        Unit::Bytes,
        "heap bytes that the target still holds after everyone has left, more than before",
    ),
    (
        Metric::AllocationsPerMessage,
        "allocations_per_message",
        Unit::Count,
        "heap blocks that the target asked for in the whole run, by messages received",
    ),
    (
        Metric::AllocatedBytesPerMessage,
        "allocated_bytes_per_message",
        Unit::Bytes,
        "heap bytes that the target asked for in the whole run, by messages received",
    ),
];

impl Metric {
    /// All of them, in the order of reports.
    pub fn all() -> impl Iterator<Item = Self> {
        let latencies = Statistic::ALL.into_iter().map(Self::Latency);
        let of_timing = |timing| Statistic::ALL.map(|statistic| Self::Timing(timing, statistic));
        let faults = Fault::ALL.into_iter().map(Self::Fault);
        let plain = PLAIN.into_iter().map(|(metric, ..)| metric);
        let mut all: Vec<_> = latencies
            .chain(Timing::ALL.into_iter().flat_map(of_timing))
            .chain(faults)
            .chain(plain)
            .collect();
        all.sort_unstable();
        all.into_iter()
    }

    /// `latency_p99`: in profiles, on the command line and in reports.
    #[must_use]
    pub fn name(self) -> String {
        match self {
            Self::Latency(statistic) => format!("latency_{}", statistic.name()),
            Self::Timing(timing, statistic) => format!("{}_{}", timing.name(), statistic.name()),
            Self::Fault(fault) => fault.name().to_owned(),
            _ => self.plain().0.to_owned(),
        }
    }

    /// What it is counted in.
    #[must_use]
    pub fn unit(self) -> Unit {
        match self {
            Self::Latency(_) | Self::Timing(..) => Unit::Time,
            Self::Fault(_) => Unit::Count,
            _ => self.plain().1,
        }
    }

    /// One line for a list of metrics.
    #[must_use]
    pub fn meaning(self) -> String {
        match self {
            Self::Latency(statistic) => format!(
                "{} rtt_intended in an open loop, of rtt_service in a closed one",
                statistic.words()
            ),
            Self::Timing(timing, statistic) => {
                let words = match timing {
                    Timing::RttIntended => "the time from when a message was due to its answer",
                    Timing::RttService => "the time from when a message was sent to its answer",
                    Timing::Connect => "the time from the first packet to the upgrade",
                    Timing::ScheduleLag => "how much later than due the generator got to a message",
                    Timing::Ping => "the time from a ping to its pong",
                    Timing::Gap => "the time between two messages of a subscription",
                    Timing::Staleness => "the age of a subscription's messages",
                };
                format!("{} {words}", statistic.words())
            }
            Self::Fault(fault) => match fault {
                Fault::Lost => "messages that were never answered",
                Fault::Late => "messages that were answered after the timeout",
                Fault::Duplicated => "answers beyond the first to the same message",
                Fault::Reordered => "messages answered after one that was sent later",
                Fault::Corrupted => "messages answered with other bytes",
                Fault::Unexpected => "messages that answer nothing that was sent",
            }
            .to_owned(),
            _ => self.plain().2.to_owned(),
        }
    }

    /// Whether it is taken in holds only.
    #[must_use]
    pub const fn is_of_holds(self) -> bool {
        match self {
            Self::Timing(timing, _) => !matches!(timing, Timing::Connect),
            Self::Latency(_)
            | Self::ConnectionsMissing
            | Self::MessagesSent
            | Self::MessagesReceived
            | Self::MessagesPerS
            | Self::AchievedRate
            | Self::SentMbps
            | Self::ReceivedMbps
            | Self::BackpressureEvents => true,
            _ => false,
        }
    }

    /// Whether only the target itself can tell.
    #[must_use]
    pub const fn is_of_allocations(self) -> bool {
        matches!(
            self,
            Self::RemainingAllocations
                | Self::RemainingBytes
                | Self::AllocationsPerMessage
                | Self::AllocatedBytesPerMessage
        )
    }

    /// Whether a generator that was too late or too busy cannot be to blame for it.
    #[must_use]
    pub const fn is_the_targets_own(self) -> bool {
        match self {
            Self::WrongAnswers | Self::RemainingAllocations | Self::RemainingBytes => true,
            Self::Fault(fault) => fault.is_wrong_answer(),
            _ => false,
        }
    }

    fn plain(self) -> (&'static str, Unit, &'static str) {
        let mut plain = PLAIN.into_iter();
        let (_, name, unit, meaning) =
            plain.find(|(metric, ..)| *metric == self).expect("every metric has a name");
        (name, unit, meaning)
    }
}

impl fmt::Display for Metric {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name())
    }
}

impl FromStr for Metric {
    type Err = anyhow::Error;

    fn from_str(name: &str) -> anyhow::Result<Self> {
        Self::all().find(|metric| metric.name() == name).ok_or_else(|| {
            let hint = "; ws-load profiles --metrics lists them";
            anyhow::anyhow!(unknown("metric", name, Self::all().map(Self::name), hint))
        })
    }
}
