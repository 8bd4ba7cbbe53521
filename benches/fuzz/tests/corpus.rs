//! The corpora, replayed: what a fuzzer once found worth keeping still shows no fault.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use fuzz_targets::TARGETS;

/// Runs `target` on every file of its folder.
fn replay(name: &str) -> Result<()> {
    let (_, target) =
        TARGETS.iter().find(|(target, _)| *target == name).context("there is no such target")?;
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(name);
    let mut inputs = 0;
    for entry in fs::read_dir(&folder).with_context(|| format!("no folder {}", folder.display()))? {
        let path = entry?.path();
        let input = fs::read(&path)?;
        // A panic names the test; this line names the input.
        eprintln!("{}", path.display());
        target(&input);
        inputs += 1;
    }
    ensure!(inputs >= 10, "{} has {inputs} files", folder.display());
    Ok(())
}

macro_rules! replayed {
    ($($test:ident: $name:literal,)*) => {
        $(#[test]
        fn $test() -> Result<()> {
            replay($name)
        })*

        #[test]
        fn every_target_is_replayed_and_has_a_driver() {
            let driver = Path::new(env!("CARGO_MANIFEST_DIR")).join("driver/fuzz_targets");
            assert_eq!(TARGETS.map(|(name, _)| name), [$($name),*]);
            for (name, _) in TARGETS {
                assert!(driver.join(name).with_extension("rs").is_file(), "no driver of {name}");
            }
        }
    };
}

replayed! {
    recorded_numbers_of_the_corpus_are_read_or_refused: "baselines",
    conversations_of_the_corpus_are_read_or_refused: "conversation",
    results_of_criterion_in_the_corpus_are_read_or_refused: "criterion",
    requests_of_the_corpus_are_answered_or_refused: "http",
    profiles_of_the_corpus_are_read_or_refused: "profile",
    sessions_of_the_corpus_are_answered_as_rfc_6455_demands: "session",
}
