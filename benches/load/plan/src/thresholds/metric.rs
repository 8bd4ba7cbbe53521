use std::fmt;
use std::str::FromStr;

use super::{Statistic, Unit};
use crate::metrics::Timing;
use crate::outcome::Fault;
use crate::unknown::unknown;

/// [`Metric`], in the order of reports: the plain metrics that come before the faults, and those that come after.
macro_rules! metrics {
    (
        { $($early:ident = $early_name:literal, $early_unit:ident, $early_meaning:literal;)* }
        { $($late:ident = $late_name:literal, $late_unit:ident, $late_meaning:literal;)* }
    ) => {
        /// What a threshold can be on.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Metric {
            /// The latency that a run is judged by: [`Timing::RttIntended`] in an open loop, [`Timing::RttService`] in
            /// a closed one.
            Latency(Statistic),
            /// A statistic of one timing.
            Timing(Timing, Statistic),
            $(#[doc = $early_meaning] $early,)*
            /// Messages with one fault.
            Fault(Fault),
            $(#[doc = $late_meaning] $late,)*
        }

        impl Metric {
            /// The metrics that neither summarise a distribution nor count one fault.
            const PLAIN: &[Self] = &[$(Self::$early,)* $(Self::$late),*];

            /// Name, unit and meaning of a plain metric.
            const fn plain(self) -> (&'static str, Unit, &'static str) {
                match self {
                    $(Self::$early => ($early_name, Unit::$early_unit, $early_meaning),)*
                    $(Self::$late => ($late_name, Unit::$late_unit, $late_meaning),)*
                    Self::Latency(_) | Self::Timing(..) | Self::Fault(_) => panic!("not a plain metric"),
                }
            }
        }
    };
}

metrics! {
    {
        Errors = "errors", Share,
            "faulty messages and failed connections, as a share of all messages and connections tried";
        ErrorCount = "error_count", Count, "faulty messages and failed connections";
        ConnectionsAttempted = "connections_attempted", Count, "connections begun";
        ConnectionsOpened = "connections_opened", Count, "connections that were upgraded";
        ConnectionsFailed = "connections_failed", Count,
            "connections that could not be opened, or ended in an error";
        ConnectionsMissing = "connections_missing", Count,
            "connections that should have been open during a hold but were not, in the worst second";
    }
    {
        WrongAnswers = "wrong_answers", Count, "answers that were corrupted, duplicated, reordered or unexpected";
        MessagesSent = "messages_sent", Count, "messages sent in measured time";
        MessagesReceived = "messages_received", Count, "messages received in measured time";
        MessagesPerS = "messages_per_s", PerSecond, "messages received per second of measured time";
        AchievedRate = "achieved_rate", Share, "messages sent in measured time, as a share of those that open loops had due, connected or not";
        SentMbps = "sent_mbps", Mbps, "payload sent in measured time";
        ReceivedMbps = "received_mbps", Mbps, "payload received in measured time";
        BackpressureEvents = "backpressure_events", Count,
            "times that a message was due on a connection with full buffers, in measured time";
        PingsLost = "pings_lost", Count, "pings without a pong";
        MissedUpdates = "missed_updates", Count, "updates that a subscription skipped, by the numbers in its messages";
        ProvokedBadly = "provoked_badly", Count, "provocations that the target answered wrongly";
        RemainingAllocations = "remaining_allocations", Count,
            "heap blocks that the target holds after all connections have closed, minus those before";
        RemainingBytes = "remaining_bytes", Bytes,
            "heap bytes that the target holds after all connections have closed, minus those before";
        AllocationsPerMessage = "allocations_per_message", Count,
            "heap blocks that the target allocated in the whole run, per message received";
        AllocatedBytesPerMessage = "allocated_bytes_per_message", Bytes,
            "heap bytes that the target allocated in the whole run, per message received";
    }
}

impl Metric {
    /// All metrics, in the order of reports.
    pub fn all() -> impl Iterator<Item = Self> {
        let latencies = Statistic::ALL.into_iter().map(Self::Latency);
        let of_timing = |timing| Statistic::ALL.map(|statistic| Self::Timing(timing, statistic));
        let faults = Fault::ALL.into_iter().map(Self::Fault);
        let mut all: Vec<_> = latencies
            .chain(Timing::ALL.into_iter().flat_map(of_timing))
            .chain(faults)
            .chain(Self::PLAIN.iter().copied())
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

    /// The unit of its limits and values.
    #[must_use]
    pub fn unit(self) -> Unit {
        match self {
            Self::Latency(_) | Self::Timing(..) => Unit::Time,
            Self::Fault(_) => Unit::Count,
            _ => self.plain().1,
        }
    }

    /// A description in one line.
    #[must_use]
    pub fn meaning(self) -> String {
        match self {
            Self::Latency(statistic) => format!(
                "{} rtt_intended in an open loop, of rtt_service in a closed loop",
                statistic.words()
            ),
            Self::Timing(timing, statistic) => {
                let words = match timing {
                    Timing::RttIntended => "the time from when a message was due to its answer",
                    Timing::RttService => "the time from when a message was sent to its answer",
                    Timing::Connect => {
                        "the time from the first packet to the answer to the upgrade"
                    }
                    Timing::ScheduleLag => {
                        "the delay of the generator, from when a message or a beat of its own was due"
                    }
                    Timing::Ping => "the time from a ping to its pong",
                    Timing::Gap => "the time in which a subscription has no message",
                    Timing::Staleness => "the age of a subscription's messages",
                };
                format!("{} {words}", statistic.words())
            }
            Self::Fault(fault) => match fault {
                Fault::Lost => "messages that were never answered",
                Fault::Late => "messages that were answered after the timeout",
                Fault::Duplicated => "additional answers to a message that was already answered",
                Fault::Reordered => "messages answered after one that was sent later",
                Fault::Corrupted => "messages answered with other bytes",
                Fault::Unexpected => "messages that do not answer any that was sent",
            }
            .to_owned(),
            _ => self.plain().2.to_owned(),
        }
    }

    /// The quantile that a percentile is: 0.99 of `latency_p99`; `None` for other metrics.
    #[must_use]
    pub const fn quantile(self) -> Option<f64> {
        match self {
            Self::Latency(statistic) | Self::Timing(_, statistic) => statistic.quantile(),
            _ => None,
        }
    }

    /// Whether only holds are measured.
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

    /// Whether the target has to report its allocations.
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

    /// Whether the target alone causes it, however late or busy the generator is.
    #[must_use]
    pub const fn is_the_targets_own(self) -> bool {
        match self {
            Self::WrongAnswers | Self::RemainingAllocations | Self::RemainingBytes => true,
            Self::Fault(fault) => fault.is_wrong_answer(),
            _ => false,
        }
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
