use std::panic::AssertUnwindSafe;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use bytes::{BufMut, BytesMut};
use futures::FutureExt as _;
use hdrhistogram::Histogram;
use tokio_tungstenite::tungstenite::protocol::frame::Utf8Bytes;

use super::Tick;
use crate::config::Place;
use crate::context::Feed;
use crate::history::Point;
use crate::lock::lock;
use crate::meter::Meter;
use crate::signal::unless_fired;
use crate::snapshot::{RATES, Snapshot};
use crate::{Context, stats};

/// Bytes reserved for a snapshot. A longer one costs one more allocation.
const SNAPSHOT_BYTES: usize = 2048;

/// Time between two points of the history. The page draws rates over the same time.
const POINT_EVERY: Duration = Duration::from_secs(1);

/// Pause before a hub that panicked goes on. It doubles with each panic that no snapshot comes between, so that a hub
/// that always panics does not fill the log.
const FIRST_PAUSE: Duration = Duration::from_millis(250);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// Publishes a snapshot every tick until the server begins to drain, and goes on after a panic. A [`crate::LivePage`]
/// publishes its messages itself.
pub(crate) async fn run(context: &Context) {
    if context.feed == Feed::Published {
        return;
    }
    let clock = &context.config.clock;
    let mut hub = Hub::new(clock.now());
    let mut pause = FIRST_PAUSE;
    loop {
        let before = hub.seq;
        // What a panic leaves behind is valid: a number that is used up, a buffer that the next snapshot clears.
        if AssertUnwindSafe(hub.publish(context)).catch_unwind().await.is_ok() {
            return;
        }
        context.panicked("the hub of the dashboard");
        context.pulse.panicked();
        pause = if hub.seq > before { FIRST_PAUSE } else { LONGEST_PAUSE.min(2 * pause) };
        let over = std::pin::pin!(clock.sleep(pause));
        if unless_fired(&context.shutdown.drain, over).await.is_none() {
            return;
        }
    }
}

/// Two buffers take turns: when a tick reuses a buffer, the subscribers have released it during the tick before. So a
/// tick allocates nothing, whatever the number of subscribers.
struct Hub {
    /// The number of the last snapshot.
    seq: u64,
    buffers: [BytesMut; 2],
    meter: Meter<4>,
    /// The time of the next point of the history, and the counts at the last.
    due: Duration,
    counted: Meter<RATES>,
    /// Handling times of the last tick, and of all ticks.
    handling: (Histogram<u64>, Histogram<u64>),
    /// Handling times since the last point of the history.
    handled: Histogram<u64>,
}

impl Hub {
    fn new(now: Duration) -> Self {
        Self {
            seq: 0,
            buffers: std::array::from_fn(|_| BytesMut::with_capacity(SNAPSHOT_BYTES)),
            meter: Meter::new(now),
            due: now + POINT_EVERY,
            counted: Meter::new(now),
            handling: (stats::handling_histogram(), stats::handling_histogram()),
            handled: stats::handling_histogram(),
        }
    }

    /// Returns when the server drains.
    async fn publish(&mut self, context: &Context) {
        let clock = &context.config.clock;
        let mut next = clock.now();
        loop {
            let seq = self.seq + 1;
            let json = self.serialise(context, seq);
            self.seq = seq;
            let subscribers = || context.stats.dashboard_open.load(Relaxed) as usize;
            context.board.spread(Tick { seq, json }, subscribers).await;
            // A late hub skips ticks: a tick right after another one would have no time to compute rates over.
            next += context.config.tick;
            let now = clock.now();
            context.pulse.beat(now);
            if next <= now {
                next = now + context.config.tick;
            }
            let due = std::pin::pin!(clock.sleep_until(next));
            if unless_fired(&context.shutdown.drain, due).await.is_none() {
                return;
            }
        }
    }

    fn serialise(&mut self, context: &Context, seq: u64) -> Utf8Bytes {
        context.config.fault_at(Place::Hub);
        let (interval, total) = &mut self.handling;
        context.stats.take_handling(interval, total);
        self.handled.add(&*interval).expect("both histograms have the same bounds");
        let snapshot = Snapshot::take(seq, context, &mut self.meter, interval, total);
        let now = snapshot.uptime();
        if now >= self.due {
            self.due = now.max(self.due + POINT_EVERY);
            let values = snapshot.point(&mut self.counted, &self.handled);
            self.handled.reset();
            let point = Point { run_id: "", seconds: now.as_secs_f64(), values: &values };
            lock(&context.history).push(point);
        }
        let buffer = &mut self.buffers[usize::from(seq.is_multiple_of(2))];
        buffer.clear();
        buffer.reserve(SNAPSHOT_BYTES);
        serde_json::to_writer((&mut *buffer).writer(), &snapshot)
            .expect("a snapshot is plain data, and memory takes it");
        Utf8Bytes::try_from(buffer.split().freeze()).expect("serde_json writes UTF-8")
    }
}
