use std::sync::atomic::Ordering::Relaxed;

use bytes::{BufMut, BytesMut};
use hdrhistogram::Histogram;
use tokio_tungstenite::tungstenite::protocol::frame::Utf8Bytes;

use super::Tick;
use crate::context::Feed;
use crate::meter::Meter;
use crate::shutdown::unless_fired;
use crate::snapshot::Snapshot;
use crate::{Context, stats};

/// Bytes reserved for a snapshot. A longer one costs one more allocation.
const SNAPSHOT_BYTES: usize = 2048;

/// Publishes a snapshot every tick until the server begins to drain. A [`crate::LivePage`] publishes its messages
/// itself.
///
/// Two buffers take turns: when a tick reuses a buffer, the subscribers have released it during the tick before. So a
/// tick allocates nothing, whatever the number of subscribers.
pub(crate) async fn run(context: &Context) {
    if matches!(context.feed, Feed::Published(_)) {
        return;
    }
    let clock = &context.config.clock;
    let mut buffers =
        [BytesMut::with_capacity(SNAPSHOT_BYTES), BytesMut::with_capacity(SNAPSHOT_BYTES)];
    let mut meter = Meter::new(clock.now());
    let mut handling = (stats::handling_histogram(), stats::handling_histogram());
    let mut next = clock.now();
    for seq in 1.. {
        let buffer = &mut buffers[usize::from(seq % 2 == 0)];
        let json = serialise(context, seq, buffer, &mut meter, &mut handling);
        let subscribers = || context.stats.dashboard_open.load(Relaxed) as usize;
        context.board.spread(Tick { seq, json }, subscribers).await;
        // A late hub skips ticks: a tick right after another one would have no time to compute rates over.
        next += context.config.tick;
        let now = clock.now();
        if next <= now {
            next = now + context.config.tick;
        }
        let due = std::pin::pin!(clock.sleep_until(next));
        if unless_fired(&context.shutdown.drain, due).await.is_none() {
            return;
        }
    }
}

fn serialise(
    context: &Context,
    seq: u64,
    buffer: &mut BytesMut,
    meter: &mut Meter<4>,
    (interval, total): &mut (Histogram<u64>, Histogram<u64>),
) -> Utf8Bytes {
    context.stats.take_handling(interval, total);
    let snapshot = Snapshot::take(seq, context, meter, interval, total);
    buffer.reserve(SNAPSHOT_BYTES);
    serde_json::to_writer((&mut *buffer).writer(), &snapshot)
        .expect("a snapshot is plain data, and memory takes it");
    Utf8Bytes::try_from(buffer.split().freeze()).expect("serde_json writes UTF-8")
}
