//! What a reader is told of counts that are not judged: those that vary, and those that are not the same for every
//! operation.

use crate::measure::{Repeats, Sample};

use super::readings::{Difference, least};

/// Begins the sentence about system calls that differ between runs.
pub(crate) const CALLS_VARY: &str = "not measured: system calls vary";

/// One sentence each.
pub(super) fn of(processes: &[Repeats], wavering_calls: &[Difference]) -> Vec<String> {
    let wavering = wavering_calls.iter().map(|one| format!("{CALLS_VARY}: {one}"));
    let bends = processes.iter().find_map(bends).unwrap_or_default();
    wavering.take(1).chain(bends).collect()
}

/// `not linear: blocks 100, 210, 330 at N, 2N and 3N` for each count whose second N operations cost other than its third.
fn bends(one: &Repeats) -> Option<Vec<String>> {
    type Reading = (&'static str, fn(&Sample) -> u64);
    let triple = one.triple.as_ref()?;
    let [n, double] = one.kept.each_ref().map(|runs| least(runs));
    let readings: [Reading; 4] = [
        ("blocks", |sample| sample.heap.blocks),
        ("bytes", |sample| sample.heap.bytes),
        ("reads", |sample| sample.io.unwrap_or_default()[0]),
        ("writes", |sample| sample.io.unwrap_or_default()[1]),
    ];
    let sentences = readings.iter().filter_map(|(name, reading)| {
        let [one, two, three] = [&n, &double, triple].map(reading);
        (one + three != 2 * two)
            .then(|| format!("not linear: {name} {one}, {two}, {three} at N, 2N and 3N"))
    });
    Some(sentences.collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profiler::Heap;

    fn described(blocks: [u64; 3]) -> Option<Vec<String>> {
        let sample =
            |blocks| Sample { heap: Heap { blocks, ..Heap::default() }, ..Sample::default() };
        let [n, double, triple] = blocks.map(sample);
        let one =
            Repeats { kept: [vec![n], vec![double]], triple: Some(triple), ..Repeats::default() };
        bends(&one)
    }

    #[test]
    fn a_cost_that_grows_with_the_operations_is_not_linear() {
        assert_eq!(described([100, 200, 300]), Some(Vec::new()));
        let sentence = "not linear: blocks 100, 210, 330 at N, 2N and 3N".to_owned();
        assert_eq!(described([100, 210, 330]), Some(vec![sentence]));
    }

    #[test]
    fn two_points_bend_nowhere() {
        assert_eq!(bends(&Repeats::default()), None);
    }
}
