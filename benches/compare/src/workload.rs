//! What is asked of the servers, and which rows come out of it.

use std::time::Duration;

use bench_kit::payload::{Exchange, Kind};

/// One kind of traffic and the rows it gives.
#[derive(Clone, Debug)]
pub struct Workload {
    /// The row of wall-clock times; `None` where only the processor's time says something.
    pub wall: Option<&'static str>,
    /// Whether the wall-clock row reads as a rate.
    pub is_rate: bool,
    /// The row of the server's processor time; `None` where it is not known to the nanosecond: a process that runs on
    /// another core is charged when it sleeps or when the clock ticks.
    pub cpu: Option<&'static str>,
    /// Where driver and servers run.
    pub cores: Cores,
    /// The traffic itself.
    pub traffic: Traffic,
    /// The `slowdown` feature's flag that slows an operation of it, for calibration.
    pub slow_flag: &'static str,
}

impl Workload {
    /// Operations that [`Workload::slow_flag`] slows at once: the server spins once for a batch of messages.
    #[must_use]
    pub fn slowed_at_once(&self) -> f64 {
        match self.traffic {
            Traffic::Echo { depth, .. } => depth as f64,
            Traffic::Connect | Traffic::Dashboard { .. } => 1.0,
        }
    }

    /// Whether a timed step is one operation, so that its percentiles mean something.
    #[must_use]
    pub fn has_single_steps(&self) -> bool {
        match self.traffic {
            Traffic::Echo { depth, connections, .. } => depth * connections == 1,
            Traffic::Connect => true,
            Traffic::Dashboard { .. } => false,
        }
    }
}

/// Placement of the driver and the servers, which take turns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cores {
    /// All on one core: a round trip is code and context switches, without a wake-up across cores.
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
        /// Messages in it.
        depth: usize,
        /// Connections that have a batch under way at the same time.
        connections: usize,
    },
    /// An operation is a connection: TCP, upgrade, closing handshake, end of stream.
    Connect,
    /// An operation is a snapshot delivered to one of the subscribers.
    Dashboard {
        /// Connections to `/ws/dashboard`.
        subscribers: usize,
        /// Between two snapshots.
        tick: Duration,
    },
}

/// All of them, in the order in which their rows are shown.
#[must_use]
pub fn all() -> Vec<Workload> {
    let echo = |kind, size, depth, connections| Traffic::Echo {
        exchange: Exchange::echo(kind, size).pipelined(depth),
        depth,
        connections,
    };
    let batch = "--slow-batch-ns";
    vec![
        Workload {
            wall: Some("echo_latency/text/64B"),
            is_rate: false,
            cpu: Some("echo_cpu/text/64B"),
            cores: Cores::One,
            traffic: echo(Kind::Text, 64, 1, 1),
            slow_flag: batch,
        },
        Workload {
            wall: Some("echo_latency/text/16KiB"),
            is_rate: false,
            cpu: Some("echo_cpu/text/16KiB"),
            cores: Cores::One,
            traffic: echo(Kind::Text, 16 * 1024, 1, 1),
            slow_flag: batch,
        },
        // Two reads and two writes a batch: a second segment that waits for the first one's acknowledgement shows here.
        Workload {
            wall: Some("echo_burst/text/1KiB"),
            is_rate: false,
            cpu: Some("echo_cpu/text/1KiB"),
            cores: Cores::One,
            traffic: echo(Kind::Text, 1024, 16, 1),
            slow_flag: batch,
        },
        Workload {
            wall: Some("echo_throughput/text/c10x16"),
            is_rate: true,
            cpu: None,
            cores: Cores::Two,
            traffic: echo(Kind::Text, 64, 16, 10),
            slow_flag: batch,
        },
        Workload {
            wall: None,
            is_rate: false,
            cpu: Some("echo_cpu/text/c10x16"),
            cores: Cores::One,
            traffic: echo(Kind::Text, 64, 16, 10),
            slow_flag: batch,
        },
        Workload {
            wall: Some("connect_rate/handshake/plain"),
            is_rate: true,
            cpu: Some("connect_cpu/handshake/plain"),
            cores: Cores::One,
            traffic: Traffic::Connect,
            slow_flag: "--slow-connection-ns",
        },
        Workload {
            wall: None,
            is_rate: false,
            cpu: Some("fanout_cpu/text/c16"),
            cores: Cores::One,
            traffic: Traffic::Dashboard { subscribers: 16, tick: Duration::from_millis(1) },
            slow_flag: "--slow-snapshot-ns",
        },
    ]
}
