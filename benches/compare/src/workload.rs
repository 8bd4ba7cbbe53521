//! The traffic that servers get, and the rows that come from it.

use std::time::Duration;

use anyhow::{Result, ensure};
use bench_kit::payload::{Exchange, Kind};
use conversation::Conversation;

use super::talk::Talk;

/// One kind of traffic and its rows.
#[derive(Clone, Debug)]
pub struct Workload {
    /// The row of wall-clock times; `None` if the processor time alone is judged.
    pub wall: Option<String>,
    /// Whether the wall-clock row is shown as operations per second.
    pub is_rate: bool,
    /// The row of the server's processor time; `None` if its clock is too coarse: a process on another core is charged
    /// when it sleeps or when the clock ticks.
    pub cpu: Option<String>,
    /// Where driver and servers run.
    pub cores: Cores,
    /// The traffic itself.
    pub traffic: Traffic,
}

impl Workload {
    /// Whether a timed step is one operation. Percentiles of longer steps say nothing about an operation.
    #[must_use]
    pub fn has_single_steps(&self) -> bool {
        match self.traffic {
            Traffic::Echo { depth, connections, .. } => depth * connections == 1,
            Traffic::Connect | Traffic::Talk(_) | Traffic::Open(_) => true,
            Traffic::Dashboard { .. } => false,
        }
    }

    /// The ids of its rows.
    pub fn rows(&self) -> impl Iterator<Item = &str> {
        [self.wall.as_deref(), self.cpu.as_deref()].into_iter().flatten()
    }
}

/// Placement of the driver and the servers, which run in turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cores {
    /// All on one core: a round trip is code and context switches, without a wake-up across cores. Under
    /// [`Policy::Batch`](bench_kit::scheduling::Policy::Batch).
    One,
    /// The driver on one core, the servers on another.
    Two,
}

/// What a driver does to one server.
#[derive(Clone, Debug)]
pub enum Traffic {
    /// Each connection is written `exchange`, then each is read: an operation is one of its `messages`.
    Echo {
        /// A batch as one write.
        exchange: Exchange,
        /// Messages in a batch.
        depth: usize,
        /// Connections that have a batch in flight at the same time.
        connections: usize,
    },
    /// An operation is a connection: TCP, upgrade, closing handshake, end of stream.
    Connect,
    /// An operation is all exchanges of a conversation, on its connections.
    Talk(Conversation),
    /// An operation is a connection, with the steps that open the conversation before the closing handshake.
    Open(Conversation),
    /// An operation is a snapshot delivered to one of the subscribers.
    Dashboard {
        /// Connections to `/ws/dashboard`.
        subscribers: usize,
        /// Time between two snapshots.
        tick: Duration,
    },
}

/// Selects the rows whose id contains one of `only`, or all rows if `only` is empty. With a conversation, only its rows
/// are there: its server need not echo. Only a `ws-server` has a dashboard.
///
/// # Errors
///
/// If no row matches; the message lists all rows.
pub fn select(only: &[String], is_ws_server: bool, talk: Option<&Talk>) -> Result<Vec<Workload>> {
    let mut there = talk.map_or_else(all, of_talk);
    there.retain(|one| is_ws_server || !matches!(one.traffic, Traffic::Dashboard { .. }));
    let ids: Vec<String> = there.iter().flat_map(Workload::rows).map(str::to_owned).collect();
    let asked = |id: &str| only.is_empty() || only.iter().any(|part| id.contains(part));
    for workload in &mut there {
        workload.wall = workload.wall.take().filter(|id| asked(id));
        workload.cpu = workload.cpu.take().filter(|id| asked(id));
    }
    there.retain(|workload| workload.rows().next().is_some());
    ensure!(
        !there.is_empty(),
        "no row to measure contains {}; the rows are {}",
        only.join(" or "),
        ids.join(", ")
    );
    Ok(there)
}

/// All workloads, in the order in which their rows are shown.
#[must_use]
pub fn all() -> Vec<Workload> {
    let echo = |size, depth, connections| Traffic::Echo {
        exchange: Exchange::echo(Kind::Text, size).pipelined(depth),
        depth,
        connections,
    };
    let batches_in_flight = echo(64, 16, 10);
    vec![
        on_one_core(Some("echo_latency/text/64B"), "echo_cpu/text/64B", echo(64, 1, 1)),
        on_one_core(Some("echo_latency/text/16KiB"), "echo_cpu/text/16KiB", echo(16 * 1024, 1, 1)),
        // Two reads and two writes per batch: the only row that shows a second segment waiting for the first
        // one's acknowledgement.
        on_one_core(Some("echo_burst/text/1KiB"), "echo_cpu/text/1KiB", echo(1024, 16, 1)),
        Workload {
            wall: Some("echo_throughput/text/c10x16".to_owned()),
            is_rate: true,
            cpu: None,
            cores: Cores::Two,
            traffic: batches_in_flight.clone(),
        },
        on_one_core(None, "echo_cpu/text/c10x16", batches_in_flight),
        Workload {
            is_rate: true,
            ..on_one_core(
                Some("connect_rate/handshake/plain"),
                "connect_cpu/handshake/plain",
                Traffic::Connect,
            )
        },
        on_one_core(
            None,
            "fanout_cpu/text/c16",
            Traffic::Dashboard { subscribers: 16, tick: Duration::from_millis(1) },
        ),
    ]
}

/// The workloads of a conversation.
fn of_talk(Talk { name, conversation }: &Talk) -> Vec<Workload> {
    let connections = conversation.connections;
    vec![
        on_one_core(
            Some(&format!("conversation_latency/{name}/c{connections}")),
            &format!("conversation_cpu/{name}/c{connections}"),
            Traffic::Talk(conversation.clone()),
        ),
        Workload {
            is_rate: true,
            ..on_one_core(
                Some(&format!("connect_rate/{name}/open")),
                &format!("connect_cpu/{name}/open"),
                Traffic::Open(conversation.clone()),
            )
        },
    ]
}

fn on_one_core(wall: Option<&str>, cpu: &str, traffic: Traffic) -> Workload {
    let wall = wall.map(str::to_owned);
    Workload { wall, is_rate: false, cpu: Some(cpu.to_owned()), cores: Cores::One, traffic }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chat() -> Talk {
        let conversation = Conversation { connections: 8, ..Conversation::echo(64, false) };
        Talk { name: "chat".to_owned(), conversation }
    }

    #[test]
    fn every_row_id_has_three_segments_and_is_unique() {
        let all = [all(), of_talk(&chat())].concat();
        let mut ids: Vec<&str> = all.iter().flat_map(Workload::rows).collect();
        assert!(ids.iter().all(|id| id.split('/').count() == 3), "{ids:?}");
        let count = ids.len();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), count);
    }

    #[test]
    fn a_filter_that_matches_no_row_lists_the_rows() {
        let error = select(&["nothing".to_owned()], true, None).expect_err("no row matches");
        assert!(error.to_string().contains("echo_latency/text/64B"), "{error}");
    }

    #[test]
    fn a_server_that_is_no_ws_server_is_not_asked_for_a_dashboard() {
        let workloads = select(&[], false, None).expect("there are rows");
        assert!(workloads.iter().all(|one| one.rows().all(|id| id != "fanout_cpu/text/c16")));
    }

    #[test]
    fn a_conversation_replaces_the_rows_of_an_echo() {
        let workloads = select(&[], false, Some(&chat())).expect("it has rows");
        let ids: Vec<&str> = workloads.iter().flat_map(Workload::rows).collect();
        let expected = [
            "conversation_latency/chat/c8",
            "conversation_cpu/chat/c8",
            "connect_rate/chat/open",
            "connect_cpu/chat/open",
        ];
        assert_eq!(ids, expected);
        let only = ["echo".to_owned()];
        let error = select(&only, false, Some(&chat())).expect_err("no row of it is an echo");
        assert!(error.to_string().contains("conversation_cpu/chat/c8"), "{error}");
    }
}
