//! A generator that does not get the processor measures itself, and says so: neither pass nor fail.

use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use rustix::process::{PidfdFlags, Signal, pidfd_open, pidfd_send_signal};

use crate::profile::Profile;
use crate::run::{Load, Outcome};
use crate::server::Server;

/// A limit that lets the generator lag by 100 ms, which it does not by itself, however slow the machine.
const LENIENT: Profile<'_> = Profile {
    target: "",
    pace: "{ open = { rate = 100 } }",
    timeout: "20s",
    traffic: "",
    connections: 3,
    hold: "2s",
    thresholds: "errors = \"<= 0\"\nlatency_p99 = \"< 1s\"",
};

/// A limit that a generator of 20 ms of lag breaks by itself.
const STRICT: Profile<'_> =
    Profile { thresholds: "errors = \"<= 0\"\nlatency_p99 = \"< 10ms\"", ..LENIENT };

#[track_caller]
fn says_invalid(outcome: &Outcome) {
    outcome.check(6, &["invalid"]);
    assert_eq!(outcome.report()["verdict"], "invalid");
    let reasons = outcome.report()["reasons"].as_array().expect("a list");
    assert!(!reasons.is_empty(), "{}", outcome.text);
    outcome.adds_up();
}

/// The run as somebody who lets it run for 100 ms and then stops it for `stopped`, over and over, as cpulimit(1) does and
/// a bandwidth limit of the kernel.
fn throttled(profile: Profile<'_>, stopped: Duration) -> Outcome {
    let server = Server::echo();
    let run = Load::new(profile, &server.url()).start();
    // Unlike its number, it is never another process.
    let process = pidfd_open(run.pid(), PidfdFlags::empty()).expect("it runs");
    let (ended, still) = mpsc::channel::<()>();
    let throttle = thread::spawn(move || {
        let running = |time| still.recv_timeout(time) == Err(RecvTimeoutError::Timeout);
        while running(Duration::from_millis(100)) {
            // It may be over.
            let _ = pidfd_send_signal(&process, Signal::STOP);
            let goes_on = running(stopped);
            let _ = pidfd_send_signal(&process, Signal::CONT);
            if !goes_on {
                break;
            }
        }
    });
    let outcome = run.finish();
    drop(ended);
    throttle.join().expect("it does not panic");
    outcome
}

#[test]
fn a_generator_that_runs_a_fifth_of_the_time_is_invalid_and_no_failure() {
    says_invalid(&throttled(STRICT, Duration::from_millis(400)));
    says_invalid(&throttled(LENIENT, Duration::from_millis(400)));
}

#[test]
fn a_generator_that_is_left_alone_is_not_invalid() {
    let server = Server::echo();
    let outcome = Load::new(LENIENT, &server.url()).run();
    assert_ne!(outcome.code, Some(6), "{}", outcome.text);
}

#[test]
fn a_generator_that_sleeps_through_its_hold_is_invalid_and_not_good() {
    let server = Server::echo();
    let run = Load::new(Profile { hold: "1s", ..LENIENT }, &server.url()).start();
    while server.tally().received.get() < 10 {
        thread::yield_now();
    }
    let process = pidfd_open(run.pid(), PidfdFlags::empty()).expect("it runs");
    pidfd_send_signal(&process, Signal::STOP).expect("it runs");
    // What is tested is that nothing happens for longer than the hold.
    thread::sleep(Duration::from_secs(3));
    pidfd_send_signal(&process, Signal::CONT).expect("it runs");
    says_invalid(&run.finish());
}
