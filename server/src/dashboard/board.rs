use std::pin::pin;
use std::sync::{Mutex, MutexGuard};

use futures::Stream;
use tokio::sync::Notify;
use tokio_tungstenite::tungstenite::protocol::frame::Utf8Bytes;

use crate::lock::lock;

/// Subscribers woken at once. Other tasks of the thread wait for this many writes instead of the writes of all
/// subscribers.
const AT_ONCE: usize = 4;

/// One serialised message. Clones share the bytes.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tick {
    /// 1 for the server's first message; 0 before it.
    pub(crate) seq: u64,
    /// JSON that begins with [`crate::UNSKIPPED`].
    pub(crate) json: Utf8Bytes,
}

/// The newest message, and the subscribers that wait for the next.
#[derive(Debug, Default)]
pub(crate) struct Board {
    newest: Mutex<Tick>,
    /// Wakes subscribers in the order in which they began to wait.
    waiting: Notify,
}

impl Board {
    pub(crate) fn newest(&self) -> Tick {
        self.lock().clone()
    }

    /// Replaces the newest message by `next` of its number, and wakes all subscribers at once. `next` runs without the
    /// lock, because it may be slow and may panic; it runs again if another message took the number meanwhile.
    pub(crate) fn publish(&self, next: impl Fn(u64) -> Utf8Bytes) {
        loop {
            let seq = self.lock().seq + 1;
            let json = next(seq);
            let mut newest = self.lock();
            if newest.seq + 1 == seq {
                *newest = Tick { seq, json };
                break;
            }
        }
        self.waiting.notify_waiters();
    }

    /// Replaces the newest message, then wakes subscribers, a few at a time: in between, the runtime runs other tasks.
    ///
    /// `subscribers` returns how many there are, or more. It is called after the message was replaced.
    pub(crate) async fn spread(&self, tick: Tick, subscribers: impl FnOnce() -> usize) {
        *self.lock() = tick;
        for woken in 0..subscribers() {
            if woken > 0 && woken % AT_ONCE == 0 {
                tokio::task::yield_now().await;
            }
            self.waiting.notify_one();
        }
    }

    /// The messages after number `seq`. A subscriber that is late gets only the newest one.
    pub(crate) fn after(&self, seq: u64) -> impl Stream<Item = Tick> {
        futures::stream::unfold(seq, move |seq| async move {
            let tick = self.newer_than(seq).await;
            let seq = tick.seq;
            Some((tick, seq))
        })
    }

    async fn newer_than(&self, seq: u64) -> Tick {
        let mut woken = pin!(self.waiting.notified());
        loop {
            // Registered before the look: a later message wakes the task.
            woken.as_mut().enable();
            {
                let newest = self.lock();
                if newest.seq > seq {
                    return newest.clone();
                }
            }
            woken.as_mut().await;
            woken.set(self.waiting.notified());
        }
    }

    fn lock(&self) -> MutexGuard<'_, Tick> {
        lock(&self.newest)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};

    use futures::StreamExt;

    use super::*;

    /// Runs `test` on one thread with `subscribers` that wait for messages and count the messages they get.
    fn with_waiting<F: Future<Output = ()>>(
        subscribers: usize,
        test: impl FnOnce(Arc<Board>, Arc<AtomicUsize>) -> F,
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        let (board, served) = (Arc::new(Board::default()), Arc::new(AtomicUsize::new(0)));
        let here = Arc::new(AtomicUsize::new(0));
        runtime.block_on(async {
            for _ in 0..subscribers {
                let (board, served) = (Arc::clone(&board), Arc::clone(&served));
                let here = Arc::clone(&here);
                tokio::spawn(async move {
                    let mut ticks = pin!(board.after(0));
                    here.fetch_add(1, Relaxed);
                    while ticks.next().await.is_some() {
                        served.fetch_add(1, Relaxed);
                    }
                });
            }
            while here.load(Relaxed) < subscribers {
                tokio::task::yield_now().await;
            }
            test(board, served).await;
        });
    }

    fn tick(seq: u64) -> Tick {
        Tick { seq, json: Utf8Bytes::from_static("{}") }
    }

    #[test]
    fn every_subscriber_gets_a_message_once() {
        for subscribers in [0, 1, AT_ONCE, AT_ONCE + 1, 5 * AT_ONCE] {
            with_waiting(subscribers, async |board, served| {
                for seq in 1..4 {
                    // More than there are, as when some of them are just closing.
                    board.spread(tick(seq), || subscribers + 3).await;
                    tokio::task::yield_now().await;
                    assert_eq!(served.swap(0, Relaxed), subscribers);
                }
            });
        }
    }

    #[test]
    fn other_tasks_run_between_a_few_subscribers_and_the_next() {
        with_waiting(10 * AT_ONCE, async |board, served| {
            let over = Arc::new(AtomicBool::new(false));
            let other = tokio::spawn({
                let over = Arc::clone(&over);
                async move {
                    let (mut before, mut turns) = (0, 0);
                    while !over.load(Relaxed) {
                        let now = served.load(Relaxed);
                        assert!(now - before <= AT_ONCE, "{before} were served, then {now}");
                        before = now;
                        turns += 1;
                        tokio::task::yield_now().await;
                    }
                    turns
                }
            });
            board.spread(tick(1), || 10 * AT_ONCE).await;
            over.store(true, Relaxed);
            let turns = other.await.expect("the task does not panic");
            assert!(turns >= 9, "{turns} turns");
        });
    }

    #[test]
    fn messages_of_several_callers_are_numbered_without_a_gap_and_shown_in_order() {
        let (board, seen) = (Board::default(), Mutex::new(Vec::new()));
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..1000 {
                        board.publish(|seq| seq.to_string().into());
                        let Tick { seq, json } = board.newest();
                        assert_eq!(json.as_str(), seq.to_string());
                        lock(&seen).push(seq);
                    }
                });
            }
        });
        assert_eq!((board.newest().seq, lock(&seen).len()), (4000, 4000));
    }

    #[test]
    fn a_message_that_panics_while_it_is_made_leaves_the_board_as_it_was() {
        let board = Board::default();
        board.publish(|seq| seq.to_string().into());
        let publish = || board.publish(|_| panic!("no message"));
        std::panic::catch_unwind(std::panic::AssertUnwindSafe(publish)).expect_err("it panics");
        assert!(!board.newest.is_poisoned());
        board.publish(|seq| seq.to_string().into());
        assert_eq!((board.newest().seq, board.newest().json.as_str()), (2, "2"));
    }

    #[test]
    fn a_message_published_before_a_subscriber_waits_is_not_missed() {
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        runtime.block_on(async {
            let board = Board::default();
            let mut ticks = pin!(board.after(0));
            for seq in 1..4 {
                board.publish(|seq| seq.to_string().into());
                let tick = ticks.next().await.expect("a board never ends");
                assert_eq!((tick.seq, tick.json.as_str()), (seq, &*seq.to_string()));
            }
        });
    }
}
