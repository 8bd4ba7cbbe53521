//! Runs every target on one core, with the same settings of criterion, up to the first error.

use std::time::Duration;

use bench_kit::cores;
use criterion::{Criterion, PlottingBackend};

/// Runs `benchmarks` with criterion's command line. Without `--bench`, as in `cargo test`, each runs once.
///
/// Four seconds per benchmark keep `cargo bench` well below six minutes. A ratio to the floor needs a good median, not a
/// narrow interval, so fewer samples and resamples than criterion's defaults are enough.
pub(crate) fn run(
    benchmarks: impl FnOnce(&mut Criterion) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    cores::pin()?;
    let mut criterion = Criterion::default()
        .plotting_backend(PlottingBackend::Plotters)
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(3))
        .sample_size(50)
        .nresamples(10_000)
        .configure_from_args();
    benchmarks(&mut criterion)?;
    criterion.final_summary();
    Ok(())
}
