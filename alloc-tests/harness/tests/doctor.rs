//! Servers whose counts differ from run to run: the doctor names the cause.

use std::collections::HashSet;
use std::hint::black_box;
use std::process::{Command, ExitCode};
use std::sync::{LazyLock, Mutex};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use libtest_mimic::{Failed, Trial};
use plimsoll::{Listener, Scenario, Stop, Suite};

#[cfg(feature = "hooks")]
plimsoll::allocator!();

/// A server, and the words of the doctor.
struct Patient {
    id: &'static str,
    test: &'static str,
    /// Runs at the start of the server.
    fault: fn(),
    /// 6 if the counts differ.
    code: i32,
    words: &'static [&'static str],
}

const PATIENTS: [Patient; 6] = [
    Patient {
        id: "planted_healthy",
        test: "a_server_whose_counts_agree_is_told_so",
        fault: || blocks(3),
        code: 0,
        words: &["the same in 10 runs"],
    },
    Patient {
        id: "planted_hash_seed",
        test: "a_server_that_counts_alike_by_pinned_random_numbers_is_told_so",
        fault: by_hash_seed,
        code: 0,
        words: &["only because random numbers are", "else blocks, bytes differ"],
    },
    Patient {
        id: "planted_date",
        test: "a_server_that_counts_alike_by_a_pinned_date_is_told_so",
        fault: by_date,
        code: 0,
        words: &["only because the date is", "else blocks, bytes differ"],
    },
    Patient {
        id: "planted_time",
        test: "time_is_named_as_a_cause",
        fault: by_time,
        code: 6,
        words: &[
            "from run to run",
            "cause: time. Without it, blocks, bytes",
            "write: give the server a clock",
        ],
    },
    Patient {
        id: "planted_state",
        test: "state_that_outlives_a_run_is_named_as_a_cause",
        fault: by_state,
        code: 6,
        words: &["not time", "not addresses", "cause: state that outlives a run"],
    },
    Patient {
        id: "planted_process",
        test: "the_process_is_named_as_a_cause",
        fault: || blocks(u64::from(std::process::id()) % 251),
        code: 6,
        words: &["cause: the process"],
    },
];

fn by_hash_seed() {
    let set: HashSet<u64> = (0..1000).collect();
    // At least one: without any, the peak beside the set differs as well.
    blocks(1 + set.iter().next().copied().unwrap_or_default());
}

/// The time since the first call in the process.
fn by_time() {
    static START: LazyLock<Instant> = LazyLock::new(Instant::now);
    blocks(u64::from(START.elapsed().subsec_nanos()) % 97);
}

fn by_date() {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    blocks(u64::from(now.subsec_nanos()) % 97);
}

fn by_state() {
    static TABLE: Mutex<Vec<u64>> = Mutex::new(Vec::new());
    let mut table = TABLE.lock().expect("no holder panics");
    table.push(0);
    blocks(table.len() as u64);
}

fn blocks(count: u64) {
    (0..count).for_each(|_| drop(black_box(Box::new([0u8; 8]))));
}

fn scenario(fault: fn()) -> Scenario {
    Scenario::new("start", 1, move |n| {
        move |window| {
            for _ in 0..n {
                window
                    .serve(move |_: Listener, stop: Stop| async move {
                        fault();
                        stop.await;
                    })?
                    .stop()?;
            }
            Ok(())
        }
    })
}

fn check(patient: &Patient) -> Result<(), Failed> {
    let output =
        Command::new(std::env::current_exe()?).args(["suite", "--doctor", patient.id]).output()?;
    let said = String::from_utf8_lossy(&output.stdout);
    let missing: Vec<_> = patient.words.iter().filter(|words| !said.contains(**words)).collect();
    if output.status.code() == Some(patient.code) && missing.is_empty() {
        return Ok(());
    }
    Err(format!("{}, without {missing:?}:\n{said}", output.status).into())
}

fn main() -> ExitCode {
    let mut suite = Suite::new(env!("CARGO_MANIFEST_DIR"));
    for patient in &PATIENTS {
        suite = suite.planted(patient.id, || scenario(patient.fault));
        if cfg!(feature = "hooks") {
            suite = suite.test(Trial::test(patient.test, || check(patient)));
        }
    }
    suite.main()
}
