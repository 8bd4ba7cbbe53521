//! A virtual user: it connects, and connects again, until it is told to leave.

use std::future::poll_fn;
use std::rc::Rc;

use bench_kit::random::SplitMix64;
use load_plan::outcome::Ending;

use super::endpoint::WiredSocket;
use super::opening;
use super::problem::Problem;
use super::schedule::{back_off_ns, uniform};
use super::session::Session;
use super::user_handle::UserHandle;
use super::worker_state::WorkerState;

/// Runs one user to its end.
pub(super) async fn run(worker: Rc<WorkerState>, user: Rc<UserHandle>) {
    let seed = worker.profile.traffic.seed ^ u64::from(user.index()).rotate_left(40);
    let mut rng = SplitMix64::new(seed);
    let mut failures = 0;
    while !user.is_leaving() {
        let ended = connect_once(&worker, &user, &mut failures).await;
        let wait_ns = match (&ended, user.take_storm()) {
            (_, Some(jitter_ns)) => {
                let away_ns = (uniform(&mut rng) * jitter_ns as f64) as u64;
                // It is away on purpose: what it would send is due later.
                user.arrivals().postpone(away_ns);
                away_ns
            }
            // Closed as planned: the next connection follows at once.
            (Ok(()), None) => 0,
            (Err(_), None) => back_off_ns(failures, &mut rng),
        };
        failures += u32::from(ended.is_err());
        worker.ended(&ended);
        if wait_ns > 0 && !user.is_leaving() {
            let until_ns = worker.clock.now_ns() + wait_ns;
            tokio::select! {
                () = worker.timers.sleep_until(until_ns) => {}
                () = user.leaving() => {}
            }
        }
    }
    let mut arrivals = user.arrivals();
    while arrivals.due_ns() != u64::MAX {
        worker.unsent(arrivals.due_ns());
        arrivals.advance();
    }
}

/// One attempt, from the first packet to its end.
async fn connect_once(
    worker: &WorkerState,
    user: &UserHandle,
    failures: &mut u32,
) -> Result<(), Problem> {
    let id = worker.attempt();
    let begun_ns = worker.clock.now_ns();
    user.silence().connect(begun_ns);
    let connected = tokio::select! {
        biased;
        connected = Box::pin(open(worker, id)) => connected,
        () = user.leaving() => {
            let words = "the run ended before the connection was open".to_owned();
            Err(Problem::of(Ending::Interrupted, words))
        }
    };
    let socket = connected.inspect_err(|problem| worker.not_opened(begun_ns, problem))?;
    let mut session = Box::new(Session::new(worker, user, socket, id));
    *failures = 0;
    worker.opened(begun_ns);
    user.open(true);
    user.begin(worker.pace(), worker.command().stage, worker.clock.now_ns());
    let ended = poll_fn(|cx| session.poll(cx)).await;
    user.open(false);
    worker.closed();
    ended
}

async fn open(worker: &WorkerState, id: u32) -> Result<WiredSocket, Problem> {
    let mut socket = worker.endpoint.connect_wired(worker.clock).await?;
    opening::open(worker, &mut socket, id).await?;
    Ok(socket)
}
