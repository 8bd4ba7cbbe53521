use super::super::merge;
use super::{check, empty};
use load_plan::model::{Run, TargetAllocations};

fn heap(total_blocks: u64) -> Option<TargetAllocations> {
    Some(TargetAllocations {
        total_blocks,
        total_bytes: 64,
        remaining_blocks: 1,
        remaining_bytes: 8,
    })
}

#[test]
fn shards_with_different_allocations_of_the_target_are_refused() {
    let [mut one, mut other] = [empty(0, 2), empty(1, 2)];
    one.allocations = heap(10);
    assert_eq!(merge(vec![one.clone(), other.clone()]).unwrap().allocations, heap(10));
    other.allocations = heap(10);
    assert_eq!(merge(vec![one.clone(), other.clone()]).unwrap().allocations, heap(10));
    other.allocations = heap(11);
    check([one, other], &["allocations.total_blocks (10 and 11)"]);
}

#[test]
fn allocations_of_whole_runs_add_up() {
    let [mut one, mut other] = [empty(0, 1), empty(0, 1)];
    other.run_id = "s".to_owned();
    (one.allocations, other.allocations) = (heap(10), heap(11));
    let sum = merge(vec![one, other]).unwrap().allocations.unwrap();
    assert_eq!(
        (sum.total_blocks, sum.total_bytes, sum.remaining_blocks, sum.remaining_bytes),
        (21, 128, 2, 16)
    );
}

#[test]
fn memory_that_one_run_saw_freed_does_not_hide_what_another_saw_kept() {
    let [mut one, mut other] = [empty(0, 1), empty(0, 1)];
    other.run_id = "s".to_owned();
    (one.allocations, other.allocations) = (heap(10), heap(10));
    let freed = other.allocations.as_mut().unwrap();
    (freed.remaining_blocks, freed.remaining_bytes) = (-1, -8);
    let sum = merge(vec![one, other]).unwrap().allocations.unwrap();
    assert_eq!((sum.remaining_blocks, sum.remaining_bytes), (1, 8));
}

#[test]
fn allocations_that_one_of_several_whole_runs_does_not_know_are_unknown() {
    let [mut one, mut other] = [empty(0, 1), empty(0, 1)];
    other.run_id = "s".to_owned();
    one.allocations = heap(10);
    let unknown = |runs: &[Run; 2]| {
        let sum = merge(runs.to_vec()).unwrap();
        assert_eq!(sum.allocations, None);
        sum.allocations_unknown.unwrap()
    };
    assert_eq!(unknown(&[one.clone(), other.clone()]), "not all of the runs know them");
    other.allocations_unknown = Some("503".to_owned());
    assert_eq!(unknown(&[other, one]), "503");
}
