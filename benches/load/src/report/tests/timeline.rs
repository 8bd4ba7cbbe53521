use crate::report::{fixture, timeline};
use load_plan::model::{Interval, Phase};

#[test]
fn a_long_run_is_drawn_in_few_slots_without_losing_counts() {
    let mut run = fixture::passing();
    let hold = run.intervals.iter().find(|interval| interval.phase == Phase::Hold).unwrap().clone();
    run.intervals = (0..4000).map(|second| Interval { second, ..hold.clone() }).collect();
    let slots = timeline::slots(&run);
    assert!(slots.len() <= 240, "{}", slots.len());
    let received: u64 = slots.iter().map(|slot| slot.sum.sample.counts.received).sum();
    assert_eq!(received, 4000 * hold.sample.counts.received);
    assert!(slots.iter().all(|slot| (slot.sum.generator_cpu - hold.generator_cpu).abs() < 1e-9));
    assert_eq!(slots.last().map(|slot| slot.to.round()), Some(4000.0));
}
