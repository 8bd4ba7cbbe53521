//! Tests of the gate as a process: each plants a fault or edits a baseline, runs the suite, and checks the verdict.

mod committed;
mod planted;
mod suite;

use libtest_mimic::{Failed, Trial};

pub(crate) use planted::planted;
use suite::{Finished, Suite};

/// The scenario whose baseline is edited; the fastest one.
const ID: &str = "encode_1kib_1000_frames";

type Fact = (&'static str, fn() -> Result<(), Failed>);

/// Facts of every build.
const COMMITTED: [Fact; 3] = [
    ("gate::the_baseline_was_recorded_with_the_packages_of_this_build", committed::packages),
    ("gate::the_documents_show_the_recorded_figures", committed::documents),
    ("gate::a_wrong_flag_is_refused_in_one_line", || {
        let line = "error: unexpected argument '--updat' found; a similar argument exists: '--update'; \
            scripts/run-alloc-tests.sh --help says more\n";
        Suite::empty()?.run(&["--updat"])?.check(2, &[line])?;
        let line = "error: the following required arguments were not provided: --reason <TEXT>; \
            scripts/run-alloc-tests.sh --help says more\n";
        Suite::empty()?.run(&["--update"])?.check(2, &[line])
    }),
];

/// A debug build stands for every build with debug assertions.
const DEBUG_FACTS: [Fact; 2] = [
    ("gate::debug_assertions_judge_no_totals_and_are_no_pass", || {
        Suite::empty()?.run(&[ID])?.check(5, &["not comparable", "debug assertions"])
    }),
    ("gate::debug_assertions_record_nothing", || {
        let words = ["nothing recorded", "debug assertions"];
        Suite::empty()?.run(&[ID, "--update", "--reason", "a test"])?.check(1, &words)
    }),
];

const FACTS: &[Fact] = &[
    ("gate::a_leaked_block_is_named", || {
        planted_fault("planted_block", 3, &["leaked", "200 blocks", "listener.rs:"])
    }),
    ("gate::a_leaked_descriptor_is_named", || {
        let words = ["left open: ", "/dev/null", "opened by openat 100, 200 at N, 2N of "];
        planted_fault("planted_descriptor", 3, &words)
    }),
    ("gate::a_task_that_is_not_joined_is_named", || {
        planted_fault("planted_task", 3, &["never joined", "listener.rs:"])
    }),
    ("gate::a_wavering_count_is_not_trusted", || {
        planted_fault(
            "planted_wavering",
            6,
            &["nondeterministic", "from run to run", "of server/src/listener.rs:"],
        )
    }),
    ("gate::a_leak_beside_a_wavering_count_is_a_leak_and_is_named", || {
        let words = [
            "leaked",
            "still alive at the end: 200 blocks",
            "differs: blocks at 100",
            "listener.rs:",
        ];
        planted_fault("planted_wavering_leak", 3, &words)
    }),
    ("gate::a_count_that_depends_on_the_process_is_not_trusted", || {
        let words =
            ["nondeterministic", "of process 1,", "from process to process", "listener.rs:"];
        planted_fault("planted_process", 6, &words)
    }),
    ("gate::a_block_that_a_process_allocates_once_is_a_regression", once),
    ("gate::one_system_call_more_is_a_regression_and_is_named", call),
    ("gate::memory_mapped_for_each_connection_is_a_leak", || {
        planted_fault("planted_mapping", 3, &["leaked", "409600 mapped bytes"])
    }),
    ("gate::a_line_on_stderr_is_a_regression_and_is_shown", || {
        let words = ["regressed", "a forgotten line of a session", "write 100, 200 at N, 2N of "];
        planted_fault("planted_stderr", 3, &words)
    }),
    ("gate::a_line_on_stdout_is_a_regression_and_is_shown", || {
        planted_fault("planted_stdout", 3, &["regressed", "a forgotten line of a session"])
    }),
    ("gate::a_line_of_the_log_is_a_regression_and_is_named", || {
        planted_fault("planted_log", 3, &["regressed", "would log 100 lines", "gate/planted.rs:"])
    }),
    ("gate::a_wrong_answer_is_a_regression", || {
        planted_fault(
            "planted_wrong_answer",
            3,
            &["regressed", "the server broke the scenario", "expected"],
        )
    }),
    ("gate::a_timer_that_a_message_makes_is_named", || {
        planted_fault("planted_timer", 3, &["regressed", "99 timers", "gate/planted.rs:"])
    }),
    ("gate::a_timer_beside_the_manual_clock_is_a_regression", || {
        planted_fault("planted_tokio_timer", 3, &["regressed", "the server broke the scenario"])
    }),
    ("gate::a_blinded_window_is_not_trusted", || planted_fault("planted_blindness", 6, &["blind"])),
    ("gate::a_recorded_scenario_passes", || Suite::recorded()?.run(&[ID])?.check(0, &["1 passed"])),
    ("gate::without_a_baseline_everything_is_missing", || {
        Suite::empty()?.run(&[ID])?.check(5, &["missing", "--update"])
    }),
    ("gate::one_block_more_is_a_regression", one_block_more),
    ("gate::one_block_less_is_an_improvement_to_record", one_block_less),
    ("gate::an_entry_without_a_scenario_is_stale_until_pruned", stale),
    ("gate::a_truncated_baseline_is_not_comparable", truncated),
    ("gate::an_unknown_key_is_not_comparable", unknown_key),
    ("gate::another_version_of_a_package_is_named_and_the_counts_decide", other_package),
    ("gate::a_limit_in_the_environment_replaces_the_recorded_blocks", limits),
    ("gate::a_limit_in_the_environment_leaves_bytes_exact", limit_leaves_bytes),
    ("gate::a_limit_for_an_unknown_scenario_is_refused_by_cargo_test", unknown_limit),
    ("gate::two_updates_at_once_lose_nothing", two_updates),
    ("gate::a_closed_pipe_does_not_change_the_verdict", closed_pipe),
    ("gate::an_interrupted_update_leaves_the_baseline_alone", interrupted),
    ("gate::json_junit_and_markdown_have_the_same_verdict", formats),
];

/// Without hooks nothing is counted.
pub(crate) fn trials() -> Vec<Trial> {
    let counting: &[Fact] = match () {
        () if !cfg!(feature = "hooks") => &[],
        () if cfg!(debug_assertions) => &DEBUG_FACTS,
        () => FACTS,
    };
    let facts = COMMITTED.iter().chain(counting);
    facts.map(|(name, fact)| Trial::test(*name, *fact).with_kind("gate")).collect()
}

fn planted_fault(id: &str, code: i32, words: &[&str]) -> Result<(), Failed> {
    Suite::empty()?.run(&[id, "--runs", "3"])?.check(code, words)
}

fn one_block_more() -> Result<(), Failed> {
    let suite = Suite::recorded()?;
    suite.edit(|text| text.replace("\"blocks\": [2, 2]", "\"blocks\": [1, 1]"))?;
    suite.run(&[ID])?.check(3, &["regressed", "blocks 1 → 2 at 1000", "--update"])
}

fn one_block_less() -> Result<(), Failed> {
    let suite = Suite::recorded()?;
    suite.edit(|text| text.replace("\"blocks\": [2, 2]", "\"blocks\": [2, 1002]"))?;
    suite.run(&[ID])?.check(4, &["improved", "1002 → 2 at 2000: -1 per frame"])?;
    suite
        .run(&[ID, "--update", "--reason", "it is better"])?
        .check(0, &["1 changed", "it is better"])?;
    suite.run(&[ID])?.check(0, &["1 passed"])
}

fn call() -> Result<(), Failed> {
    let suite = Suite::empty()?;
    suite.run(&["planted_call", "--update", "--reason", "a test"])?.check(0, &["1 added"])?;
    suite.edit(|text| {
        let (before, rest) = text
            .split_once("\"calls\": [")
            .expect("calls are counted, unless this machine refuses seccomp notifications");
        let (totals, rest) = rest.split_once(']').expect("it is a pair");
        let totals = totals.split(", ").zip([100, 200]).map(|(total, calls)| {
            (total.parse::<u64>().expect("it is a number") - calls).to_string()
        });
        let totals: Vec<_> = totals.collect();
        format!("{before}\"calls\": [{}]{rest}", totals.join(", "))
    })?;
    suite.run(&["planted_call"])?.check(
        3,
        &[
            "regressed",
            ": +1 per connection",
            "getppid 100, 200 at N, 2N of server/src/listener.rs:",
        ],
    )
}

fn once() -> Result<(), Failed> {
    let suite = Suite::empty()?;
    suite.run(&["planted_once", "--update", "--reason", "a test"])?.check(0, &["1 added"])?;
    suite.edit(|text| text.replace("\"once_blocks\": [7, 7]", "\"once_blocks\": [0, 0]"))?;
    suite.run(&["planted_once"])?.check(
        3,
        &["once_blocks 0 → 7", "once in a process: 7 blocks, 77 bytes of server/src/listener.rs:"],
    )
}

fn stale() -> Result<(), Failed> {
    let suite = Suite::recorded()?;
    suite.edit(|text| text.replace(&format!("\"{ID}\""), "\"gone_1000_msgs\""))?;
    suite.run(&["gone_1000_msgs"])?.check(5, &["stale", "--prune"])?;
    suite.run(&[ID])?.check(5, &["missing"])?;
    suite
        .run(&[ID, "--update", "--reason", "renamed"])?
        .check(0, &["1 added", "kept, though no scenario"])?;
    suite.run(&[ID, "--update", "--prune", "--reason", "renamed"])?.check(0, &["1 pruned"])?;
    suite.run(&["gone_1000_msgs"])?.check(2, &["no scenario contains"])
}

fn truncated() -> Result<(), Failed> {
    let suite = Suite::recorded()?;
    suite.edit(|text| text[..text.len() / 2].to_owned())?;
    suite.run(&[ID])?.check(5, &["not comparable"])?;
    suite.run(&[ID, "--update", "--reason", "repair"])?.check(1, &["nothing recorded"])
}

fn unknown_key() -> Result<(), Failed> {
    let suite = Suite::recorded()?;
    suite.edit(|text| text.replace("\"rustc\"", "\"compiler\""))?;
    suite.run(&[ID])?.check(5, &["not comparable", "compiler"])
}

fn other_package() -> Result<(), Failed> {
    let suite = Suite::recorded()?;
    suite.edit(|text| text.replace("\"tungstenite\": \"0.", "\"tungstenite\": \"0.0."))?;
    suite.run(&[ID])?.check(0, &["1 passed", "recorded with another build: tungstenite 0.0."])?;
    suite.edit(|text| text.replace("\"blocks\": [2, 2]", "\"blocks\": [1, 1]"))?;
    suite.run(&[ID])?.check(3, &["likely cause: tungstenite 0.0."])
}

fn limits() -> Result<(), Failed> {
    let suite = Suite::recorded()?;
    let name = format!("MAX_ALLOCS_ALLOWED_{ID}");
    suite.run_with(&[ID], &name, "2")?.check(0, &["1 passed", &name])?;
    suite.run_with(&[ID], &name, "1")?.check(3, &["regressed"])?;
    suite.run_with(&[ID], &name, "many")?.check(2, &["give a number"])?;
    suite
        .run_with(&[ID], "MAX_ALLOCS_ALLOWED_unknown", "1")?
        .check(2, &["no scenario is called unknown"])?;
    suite.edit(|text| text.replace("\"blocks\": [2, 2]", "\"blocks\": [1, 1]"))?;
    suite.run_with(&[ID], &name, "2")?.check(0, &["1 passed"])?;
    suite.run_with(&[ID], &name, "2,1")?.check(3, &["regressed"])
}

fn limit_leaves_bytes() -> Result<(), Failed> {
    let suite = Suite::recorded()?;
    suite.edit(|text| text.replace("\"bytes\": [", "\"bytes\": [1"))?;
    suite
        .run_with(&[ID], &format!("MAX_ALLOCS_ALLOWED_{ID}"), "2")?
        .check(4, &["improved", "bytes"])
}

fn unknown_limit() -> Result<(), Failed> {
    Suite::cargo_test("MAX_ALLOCS_ALLOWED_unknown", "1")?
        .check(2, &["no scenario is called unknown"])
}

/// Both read the numbers before the other has recorded its own.
fn two_updates() -> Result<(), Failed> {
    const OTHER: &str = "decode_125b_1000_frames";
    let suite = Suite::recorded()?;
    let update = |id| suite.start(&[id, "--update", "--reason", "a test"]);
    let (other, third) = (update(OTHER)?, update("decode_64kib_1000_frames")?);
    for update in [other, third] {
        Finished::from(update.wait_with_output()?).check(0, &["1 added"])?;
    }
    suite.run(&["code_"])?.check(0, &["3 passed"])
}

fn closed_pipe() -> Result<(), Failed> {
    let suite = Suite::recorded()?;
    suite.check_with_closed_pipe(&[ID], 0)?;
    suite.edit(|text| text.replace("\"blocks\": [2, 2]", "\"blocks\": [1, 1]"))?;
    suite.check_with_closed_pipe(&[ID], 3)
}

fn interrupted() -> Result<(), Failed> {
    let suite = Suite::recorded()?;
    suite.edit(|text| text.replace("\"blocks\": [2, 2]", "\"blocks\": [1, 1]"))?;
    let before = suite.files()?;
    suite.interrupt(&["--update", "--reason", "never finished"])?;
    if suite.files()? == before {
        Ok(())
    } else {
        Err("an interrupted update changed the baselines".into())
    }
}

fn formats() -> Result<(), Failed> {
    let suite = Suite::recorded()?;
    suite.edit(|text| text.replace("\"blocks\": [2, 2]", "\"blocks\": [1, 1]"))?;
    let json = suite.run(&[ID, "--format", "json"])?;
    json.check(3, &[])?;
    let report: serde_json::Value = serde_json::from_str(&json.stdout)?;
    let scenario = &report["scenarios"][ID];
    if scenario["verdict"] != "regressed" || scenario["blocks"][0] != 2 || report["exit_code"] != 3
    {
        return Err(format!("unexpected report: {report:#}").into());
    }
    suite
        .run(&[ID, "--format", "junit"])?
        .check(3, &["<testsuite ", "<failure message=\"regressed; blocks "])?;
    suite.run(&[ID, "--format", "markdown"])?.check(3, &["| scenario", "<details>", "1 regressed"])
}
