use load_plan::outcome::Fault;
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};
use tokio::time::{Instant, advance, sleep};

use super::*;
use crate::host::Host;
use crate::testing::in_virtual_time;
use crate::virtual_time::VirtualTime;

const WHOLE: Shard = Shard { index: 0, of: 1 };

const TWO_STAGES: &str = "name = \"test\"\n[traffic]\nwarm_up = \"1s\"\n\
    [[stage]]\nconnections = 10\nramp = \"2s\"\nhold = \"3s\"\n[[stage]]\nconnections = 4\nhold = \"1s\"";

/// A worker whose behaviour is a closure of the test.
struct FakeWorker {
    commands: watch::Receiver<Command>,
    events: UnboundedSender<WorkerEvent>,
    open: Arc<AtomicU64>,
}

impl FakeWorker {
    /// The next command. All connections are open from then on.
    async fn next(&mut self) -> Command {
        self.commands.changed().await.expect("the coordinator leads");
        let command = *self.commands.borrow_and_update();
        self.open.store(u64::from(command.to), Relaxed);
        command
    }

    /// Waits for the command that begins `phase`.
    async fn until(&mut self, phase: Phase) -> Command {
        loop {
            let command = self.next().await;
            if command.phase == phase {
                return command;
            }
        }
    }

    fn tell(&self, event: WorkerEvent) {
        self.events.send(event).expect("the coordinator listens");
    }

    /// Ends at the drain.
    async fn end(mut self) {
        self.until(Phase::Drain).await;
        self.tell(WorkerEvent::Done(Vec::new()));
    }
}

/// Leads a worker whose behaviour is `work`.
fn led<F>(
    toml: &str,
    shard: Shard,
    stop: &AtomicBool,
    progress: &mut dyn FnMut(&Progress<'_>),
    work: impl FnOnce(FakeWorker) -> F,
) -> Result<Recording>
where
    F: Future<Output = ()> + 'static,
{
    let profile = Profile::parse(toml, "test").expect("the profile is valid");
    in_virtual_time(async {
        let host = Host::Virtual(VirtualTime::starting_now(0.5));
        let clock = Clock::starting_at(host, Instant::now());
        let first =
            Command { stage: 0, phase: Phase::Ramp, from: 0, to: 0, begin_ns: 0, ramp_ns: 0 };
        let (commands, receiver) = watch::channel(first);
        let (sender, events) = unbounded_channel();
        let open = Arc::new(AtomicU64::new(0));
        let worker = FakeWorker { commands: receiver, events: sender, open: Arc::clone(&open) };
        tokio::task::spawn_local(work(worker));
        let workers = Workers { count: 1, commands, events, open };
        lead(workers, &profile, shard, clock, stop, progress).await
    })
}

fn lead_whole<F>(toml: &str, work: impl FnOnce(FakeWorker) -> F) -> Result<Recording>
where
    F: Future<Output = ()> + 'static,
{
    led(toml, WHOLE, &AtomicBool::new(false), &mut |_| {}, work)
}

#[test]
fn stages_are_led_in_order_and_end_with_one_drain() {
    let (sender, mut commands) = unbounded_channel();
    let recording = lead_whole(TWO_STAGES, |mut worker| async move {
        loop {
            let command = worker.next().await;
            sender.send(command).expect("the test listens");
            if command.phase == Phase::Drain {
                return worker.tell(WorkerEvent::Done(Vec::new()));
            }
        }
    });
    assert!(!recording.expect("the worker ends").interrupted);
    let led: Vec<_> = std::iter::from_fn(|| commands.try_recv().ok())
        .map(|next| (next.stage, next.phase, next.from, next.to, next.begin_ns / 100_000_000))
        .collect();
    assert_eq!(
        led,
        [
            (0, Phase::Ramp, 0, 10, 0),
            (0, Phase::WarmUp, 10, 10, 20),
            (0, Phase::Hold, 10, 10, 30),
            (1, Phase::Ramp, 10, 4, 60),
            (1, Phase::WarmUp, 4, 4, 60),
            (1, Phase::Hold, 4, 4, 70),
            (1, Phase::Drain, 4, 4, 80),
        ]
    );
}

/// When the hold begins, in tenths of a second, where the last connection opens after `opens_after`.
fn hold_begins(opens_after: Duration) -> u64 {
    let (sender, mut begin) = unbounded_channel();
    let toml = "name = \"test\"\n[[stage]]\nconnections = 10\nhold = \"1s\"";
    let recording = lead_whole(toml, |mut worker| async move {
        worker.next().await;
        worker.open.store(9, Relaxed);
        let open = Arc::clone(&worker.open);
        tokio::task::spawn_local(async move {
            sleep(opens_after).await;
            open.store(10, Relaxed);
        });
        let hold = worker.until(Phase::Hold).await;
        sender.send(hold.begin_ns / 100_000_000).expect("the test listens");
        worker.end().await;
    });
    recording.expect("the worker ends");
    begin.try_recv().expect("there was a hold")
}

#[test]
fn a_hold_begins_once_all_connections_are_open() {
    assert_eq!(hold_begins(Duration::from_secs(3)), 30);
}

#[test]
fn a_hold_begins_without_connections_that_do_not_open_within_ten_seconds() {
    assert_eq!(hold_begins(Duration::from_secs(30)), 100);
}

#[test]
fn a_worker_that_breaks_is_an_error() {
    let recording = lead_whole(TWO_STAGES, |mut worker| async move {
        worker.next().await;
        worker.tell(WorkerEvent::Broken(anyhow!("no timer")));
    });
    let error = recording.expect_err("the worker broke");
    assert_eq!(format!("{error:#}"), "a worker broke: no timer");
}

#[test]
fn a_worker_that_does_not_end_is_an_error_after_two_timeouts_and_twenty_seconds() {
    let toml =
        "name = \"test\"\n[traffic]\ntimeout = \"3s\"\n[[stage]]\nconnections = 1\nhold = \"1s\"";
    let mut seconds = 0;
    let stop = AtomicBool::new(false);
    let recording = led(toml, WHOLE, &stop, &mut |_| seconds += 1, |mut worker| async move {
        worker.until(Phase::Drain).await;
        std::future::pending().await
    });
    let error = recording.expect_err("the worker did not end");
    assert_eq!((error.to_string().as_str(), seconds), ("1 workers did not end in time", 26));
}

#[test]
fn an_interrupted_run_drains_at_once_and_says_so() {
    let stop = Arc::new(AtomicBool::new(false));
    let from_worker = Arc::clone(&stop);
    let (sender, mut drained) = unbounded_channel();
    let recording = led(TWO_STAGES, WHOLE, &stop, &mut |_| {}, |mut worker| async move {
        worker.until(Phase::WarmUp).await;
        sleep(Duration::from_millis(500)).await;
        from_worker.store(true, Relaxed);
        let drain = worker.until(Phase::Drain).await;
        sender.send((drain.stage, drain.begin_ns / 10_000_000)).expect("the test listens");
        worker.tell(WorkerEvent::Done(Vec::new()));
    });
    assert!(recording.expect("the worker ends").interrupted);
    assert_eq!(drained.try_recv(), Ok((0, 250)));
}

#[test]
fn a_generator_that_oversleeps_the_end_of_a_hold_is_doubted() {
    let toml = "name = \"test\"\n[[stage]]\nname = \"first\"\nconnections = 1\nhold = \"1s\"";
    let overslept = |by: Duration| {
        lead_whole(toml, move |mut worker| async move {
            worker.until(Phase::Hold).await;
            advance(Duration::from_secs(1) + by).await;
            worker.end().await;
        })
        .expect("the worker ends")
        .doubts
    };
    assert!(overslept(Duration::from_millis(150)).is_empty());
    let doubts = overslept(Duration::from_secs(2));
    assert!(doubts[0].contains("\"first\": 3.0 s and not 1.0 s passed"), "{doubts:?}");
}

#[test]
fn every_second_is_shown_once_with_what_was_recorded_in_it() {
    let mut shown = Vec::new();
    let recording = led(
        TWO_STAGES,
        WHOLE,
        &AtomicBool::new(false),
        &mut |now| {
            let lost = now.last.counts.faulty(Fault::Lost);
            shown.push((now.second, now.stage, now.phase, now.open, now.target, lost));
            assert!((now.generator_cpu - 0.5).abs() < 1e-6, "{}", now.generator_cpu);
        },
        |mut worker| async move {
            let command = worker.next().await;
            let mut sample = Sample::default();
            sample.counts.faults[Fault::Lost as usize] = 7;
            let flush = Flush {
                worker: 0,
                second: 1,
                stage: command.stage,
                phase: command.phase,
                length_ns: SECOND_NS,
                open: 10,
                sample,
            };
            worker.tell(WorkerEvent::Flush(Box::new(flush)));
            worker.end().await;
        },
    );
    let recording = recording.expect("the worker ends");
    assert_eq!((recording.intervals.len(), recording.intervals[0].target), (1, 10));
    assert_eq!(
        shown,
        [
            (0, 0, Phase::Ramp, 10, 10, 0),
            (1, 0, Phase::WarmUp, 10, 10, 7),
            (2, 0, Phase::Hold, 10, 10, 0),
            (3, 0, Phase::Hold, 10, 10, 0),
            (4, 0, Phase::Hold, 10, 10, 0),
            (5, 1, Phase::WarmUp, 4, 4, 0),
            (6, 1, Phase::Hold, 4, 4, 0),
        ]
    );
}

#[test]
fn seconds_that_the_coordinator_slept_through_have_the_processor_time_of_all_of_them() {
    let mut cpus = Vec::new();
    let recording = led(
        "name = \"test\"\n[[stage]]\nconnections = 1\nhold = \"5s\"",
        WHOLE,
        &AtomicBool::new(false),
        &mut |now| cpus.push(now.generator_cpu),
        |mut worker| async move {
            worker.until(Phase::Hold).await;
            advance(Duration::from_millis(3_500)).await;
            worker.end().await;
        },
    );
    recording.expect("the worker ends");
    assert_eq!(cpus.len(), 4, "{cpus:?}");
    assert!(cpus.iter().all(|cpu| (cpu - 0.5).abs() < 1e-6), "{cpus:?}");
}

#[test]
fn a_shard_waits_for_its_share_of_the_connections_only() {
    let toml = "name = \"test\"\n[[stage]]\nconnections = 10\nhold = \"2s\"";
    for (index, share) in [(0, 4), (1, 3), (2, 3)] {
        let mut targets = Vec::new();
        let recording = led(
            toml,
            Shard { index, of: 3 },
            &AtomicBool::new(false),
            &mut |now| targets.push(now.target),
            move |mut worker| async move {
                worker.next().await;
                worker.open.store(share, Relaxed);
                let hold = worker.until(Phase::Hold).await;
                assert!(hold.begin_ns < SECOND_NS, "it waited for more than its share");
                worker.end().await;
            },
        );
        recording.expect("the worker ends");
        assert_eq!(targets, [share]);
    }
}
