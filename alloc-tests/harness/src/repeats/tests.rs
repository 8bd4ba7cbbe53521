use super::*;

const STRICT: Rules<'static> = Rules { is_strict: true, slack: &[], pins: Pins::USUAL };

fn words(wavering: &[Difference]) -> Vec<String> {
    wavering.iter().map(ToString::to_string).collect()
}

fn sample(blocks: u64) -> Sample {
    Sample { heap: Heap { blocks, bytes: 10 * blocks, ..Heap::default() }, ..Sample::default() }
}

/// Three processes that agree: 5 blocks at N, 8 at 2N, and 2 once.
fn agreed() -> [Repeats; 3] {
    [5, 8, 5].map(|first| Repeats {
        ops: [3, 6],
        first: sample(first + 2),
        kept: [vec![sample(5)], vec![sample(8)]],
        ..Repeats::default()
    })
}

#[track_caller]
fn check(edit: impl Fn(&mut [Repeats; 3]), difference: &str) {
    let mut processes = agreed();
    edit(&mut processes);
    match combine(&processes, STRICT) {
        Measured::Counted { wavering, .. } => assert_eq!(words(&wavering), [difference]),
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_excess_of_the_first_run_is_what_a_process_does_once() {
    let Measured::Counted { counts, live, .. } = combine(&agreed(), STRICT) else {
        panic!("they agree");
    };
    assert_eq!((counts.blocks, counts.once_blocks), ([5, 8], [2, 2]));
    assert_eq!((counts.bytes, counts.once_bytes), ([50, 80], [20, 20]));
    assert!(live.is_zero());
}

#[test]
fn a_cache_that_a_process_fills_costs_once_for_each_operation() {
    let mut processes = agreed();
    for process in &mut processes {
        process.first.heap.blocks += process.first.heap.blocks - 4;
    }
    let Measured::Counted { counts, .. } = combine(&processes, STRICT) else {
        panic!("they agree")
    };
    assert_eq!(counts.once_blocks, [5, 8]);
}

#[test]
fn processes_that_differ_are_nondeterministic() {
    check(
        |processes| processes[2].kept[1][0].io = Some([1, 0]),
        "reads at 6: 0 in run 1 of process 1, 1 in run 1 of process 3",
    );
    check(
        |processes| processes[2].first.heap.blocks = 8,
        "blocks at 3: 7 in the first run of process 1, 8 in the first run of process 3",
    );
}

#[test]
fn a_first_run_that_costs_less_or_reads_more_is_nondeterministic() {
    check(
        |processes| processes[1].first.heap.blocks = 1,
        "blocks at 6: 1 in the first run, 8 in the later ones",
    );
    check(
        |processes| processes[1].first.io = Some([0, 3]),
        "writes at 6: 3 in the first run, 0 in the later ones",
    );
}

/// 3 calls of `name` at N and 4 at 2N, and as many bytes mapped for good.
fn calling(name: &str) -> [Repeats; 3] {
    let mut processes = agreed();
    for process in &mut processes {
        for (kept, count) in process.kept.iter_mut().zip([3_u64, 4]) {
            let by_name = [(name.to_owned(), count), ("accept4".to_owned(), 9)].into();
            kept[0].calls = Some(Calls { by_name, mapped: count.cast_signed() });
        }
    }
    processes
}

#[test]
fn system_calls_are_added_up_and_those_that_grow_come_first() {
    let Measured::Counted { counts, calls, .. } = combine(&calling("writev"), STRICT) else {
        panic!("they agree");
    };
    assert_eq!(counts.calls, Some([12, 13]));
    assert_eq!(calls, ["writev 3, 4", "accept4 9, 9"]);
}

#[test]
fn mapped_memory_that_grows_with_the_operations_is_a_leak() {
    let Measured::Counted { live, .. } = combine(&calling("mmap"), STRICT) else {
        panic!("they agree");
    };
    assert_eq!(live.mapped, 1);
}

#[test]
fn a_system_call_that_varies_is_named() {
    let mut processes = calling("writev");
    processes[1].kept = calling("openat")[1].kept.clone();
    let Measured::Counted { wavering, .. } = combine(&processes, STRICT) else {
        panic!("they differ");
    };
    assert_eq!(
        words(&wavering)[0],
        "openat at 3: 0 in run 1 of process 1, 3 in run 1 of process 2"
    );
}

#[test]
fn a_descriptor_or_a_task_that_only_the_first_run_leaves_is_a_leak() {
    let mut processes = agreed();
    for process in &mut processes {
        (process.first.descriptors, process.first.tasks) = (1, 2);
        process.left_open = vec!["fd 9: /dev/null".to_owned()];
    }
    let Measured::Counted { live, left_open, .. } = combine(&processes, STRICT) else {
        panic!("they agree");
    };
    assert_eq!((live.fds, live.tasks), (1, 2));
    assert_eq!(left_open, ["fd 9: /dev/null"]);
}

#[test]
fn a_leak_beside_counts_that_vary_is_told_with_them() {
    let mut processes = agreed();
    for (process, blocks) in processes.iter_mut().zip([1, 2, 3]) {
        process.kept[1][0].heap.live_blocks = 6;
        process.kept[1][0].heap.peak_bytes = blocks;
    }
    let Measured::Counted { live, wavering, .. } = combine(&processes, STRICT) else {
        panic!("they are counted");
    };
    assert_eq!(live.blocks, 6);
    assert_eq!(
        words(&wavering),
        ["peak bytes at 6: 1 in run 1 of process 1, 2 in run 1 of process 2"]
    );
}

#[test]
fn within_a_slack_the_least_is_kept_and_nothing_is_done_once() {
    let mut processes = agreed();
    for (process, more) in processes.iter_mut().zip([0, 1, 2]) {
        process.kept[0][0].heap.blocks += more;
    }
    let slack = [Slack { metric: Metric::Blocks, amount: 2, reason: "a pool".to_owned() }];
    let rules = Rules { slack: &slack, ..STRICT };
    let Measured::Counted { counts, wavering, .. } = combine(&processes, rules) else {
        panic!("they are counted");
    };
    assert_eq!((counts.blocks, counts.once_blocks), ([5, 8], [0, 0]));
    assert!(wavering.is_empty(), "{wavering:?}");
}

#[test]
fn system_calls_that_vary_are_not_measured_unless_strict_and_named_once() {
    let mut processes = calling("writev");
    processes[1].kept = calling("openat")[1].kept.clone();
    let Measured::Counted { counts, notes, wavering, .. } =
        combine(&processes, Rules { is_strict: false, ..STRICT })
    else {
        panic!("they are counted");
    };
    assert_eq!((counts.calls, words(&wavering).len()), (None, 0));
    let sentence = "openat at 3: 0 in run 1 of process 1, 3 in run 1 of process 2";
    assert_eq!(notes, [format!("{CALLS_VARY}: {sentence}")]);
}
