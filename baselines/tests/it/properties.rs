use std::path::Path;

use baselines::{
    AllocBaseline, Error, Recording, Verdict,
    alloc::{self, Counts, Provenance},
    compare::{Live, Measurement, judge},
    ratios::{self, Ratio, Recorded},
    sites::{self, SiteCost, Sites},
    verdict::exit_code,
};
use proptest::{
    collection::{btree_map, vec},
    option,
    prelude::*,
    sample::select,
};

/// Low enough that equal, grown and shrunk totals all occur.
const FEW: u64 = 3;

fn totals(most: u64) -> impl Strategy<Value = [u64; 2]> {
    [0..=most, 0..=most]
}

fn counts(most: u64) -> impl Strategy<Value = Counts> {
    let ops = (1..most).prop_flat_map(move |n| (Just(n), n + 1..=most));
    let metrics = (totals(most), totals(most), totals(most), totals(most), totals(most));
    let once = (totals(most), totals(most));
    (ops, metrics, once, option::of(totals(most))).prop_map(
        |(
            ops,
            (blocks, bytes, reads, writes, peak_bytes),
            (once_blocks, once_bytes),
            held_bytes,
        )| Counts {
            ops: ops.into(),
            blocks,
            bytes,
            reads: Some(reads),
            writes: Some(writes),
            peak_bytes,
            once_blocks,
            once_bytes,
            calls: held_bytes,
            held_fds: held_bytes,
            held_bytes,
        },
    )
}

/// Two sides of one scenario with the same operations and metrics.
fn comparable() -> impl Strategy<Value = (Counts, Counts)> {
    (counts(FEW), counts(FEW), totals(FEW)).prop_map(|(recorded, mut measured, held)| {
        measured.ops = recorded.ops;
        measured.held_bytes = recorded.held_bytes.map(|_| held);
        (measured.calls, measured.held_fds) = (measured.held_bytes, measured.held_bytes);
        (recorded, measured)
    })
}

fn baseline() -> impl Strategy<Value = AllocBaseline> {
    let scenarios = btree_map("[a-z0-9_]{1,12}", counts(u64::MAX), 0..6);
    let packages = btree_map(any::<String>(), any::<String>(), 0..3);
    (any::<[String; 2]>(), packages, scenarios).prop_map(
        |([rustc, profile], packages, scenarios)| AllocBaseline {
            provenance: Provenance { rustc, profile, packages },
            scenarios,
        },
    )
}

fn call_sites() -> impl Strategy<Value = Sites> {
    let cost = any::<[[u64; 2]; 2]>().prop_map(|[blocks, bytes]| SiteCost { blocks, bytes });
    // Any text that a demangler may print, not only Rust paths.
    btree_map("[!-~é]([ -~é]{0,30}[!-~é])?", cost, 0..8)
}

fn bench_ratios() -> impl Strategy<Value = Recorded> {
    let positive = || prop::num::f64::POSITIVE | prop::num::f64::SUBNORMAL;
    let ratio = (positive(), option::of(positive()), "[!-~é]{1,12}");
    let ratios = btree_map(
        any::<String>(),
        ratio.prop_map(|(ratio, tolerance, why)| Ratio { ratio, tolerance, why }),
        0..6,
    );
    (ratios, "[!-~é]{1,12}").prop_map(|(ratios, machine)| Recorded { machine, ratios })
}

/// Commits what `save` adds to a recording.
fn saved(root: &Path, save: impl FnOnce(&mut Recording) -> Result<(), Error>) {
    let mut recording = Recording::begin(root).unwrap();
    save(&mut recording).unwrap();
    recording.commit().unwrap();
}

fn verdict_of(recorded: &Counts, measured: &Counts) -> Verdict {
    let measured =
        Measurement::Counted { counts: measured.clone(), live: Live::default(), wavers: false };
    judge(Some(recorded), Some(&measured), None, &[]).verdict
}

proptest! {
    // Few cases, because each waits for the disk twice.
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_saved_baseline_loads_as_itself(baseline in baseline()) {
        let root = tempfile::tempdir().unwrap();
        let path = alloc::path(root.path(), "target");
        saved(root.path(), |recording| baseline.save(&path, recording));
        prop_assert_eq!(AllocBaseline::load(&path).unwrap(), baseline);
    }

    #[test]
    fn saved_sites_load_as_themselves(recorded in call_sites()) {
        let root = tempfile::tempdir().unwrap();
        let path = sites::path(root.path(), "scenario");
        saved(root.path(), |recording| sites::save(&path, &recorded, recording));
        prop_assert_eq!(sites::load(&path).unwrap(), recorded);
    }

    #[test]
    fn saved_ratios_load_as_themselves_to_the_last_bit(recorded in bench_ratios()) {
        let root = tempfile::tempdir().unwrap();
        let path = ratios::path(root.path());
        saved(root.path(), |recording| ratios::save(&path, &recorded, recording));
        prop_assert_eq!(ratios::load(&path).unwrap(), recorded);
    }
}

proptest! {
    #[test]
    fn judging_is_antisymmetric((a, b) in comparable()) {
        let (there, back) = (verdict_of(&a, &b), verdict_of(&b, &a));
        prop_assert_eq!(there == Verdict::Pass, a == b);
        prop_assert_eq!(back == Verdict::Pass, a == b);
        // Regressed in both directions is a trade; improved in both directions is impossible.
        prop_assert!(there != Verdict::Improved || back == Verdict::Regressed);
        prop_assert!(back != Verdict::Improved || there == Verdict::Regressed);
    }

    #[test]
    fn more_blocks_are_regressed_and_fewer_improved(a in counts(FEW), more in 1..9u64) {
        let grow = |totals: [u64; 2]| totals.map(|total| total + more);
        let b = Counts { blocks: grow(a.blocks), held_bytes: a.held_bytes.map(grow), ..a.clone() };
        prop_assert_eq!(verdict_of(&a, &b), Verdict::Regressed);
        prop_assert_eq!(verdict_of(&b, &a), Verdict::Improved);
    }

    #[test]
    fn counts_with_other_operations_or_metrics_never_pass(a in counts(FEW), b in counts(FEW)) {
        let comparable = a.ops == b.ops && a.held_bytes.is_some() == b.held_bytes.is_some();
        prop_assert_eq!(verdict_of(&a, &b) == Verdict::NotComparable, !comparable);
    }

    #[test]
    fn the_exit_code_is_that_of_one_verdict_in_any_order(
        verdicts in vec(select(Verdict::ALL.to_vec()), 1..12).prop_shuffle(),
        at in any::<prop::sample::Index>(),
    ) {
        let code = exit_code(verdicts.iter().copied());
        prop_assert!(verdicts.iter().any(|verdict| verdict.exit_code() == code));
        prop_assert_eq!(code == 0, verdicts.iter().all(|verdict| *verdict == Verdict::Pass));

        let mut turned = verdicts.clone();
        turned.rotate_left(at.index(verdicts.len()));
        prop_assert_eq!(exit_code(turned), code);

        // The exit code of the whole is the exit code of one of any two halves.
        let (left, right) = verdicts.split_at(at.index(verdicts.len()));
        let halves = [left, right].map(|half| exit_code(half.iter().copied()));
        prop_assert!(halves.contains(&code));
    }
}
