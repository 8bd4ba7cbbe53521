//! Runs every target on one core, with the same settings of criterion, up to the first error.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::Result;
use bench_kit::cores;
use benches::pairs::{self, Pairs};
use benches::turns::Turns;
use criterion::measurement::WallTime;
use criterion::{
    AxisScale, BenchmarkGroup, BenchmarkId, Criterion, PlotConfiguration, PlottingBackend,
    Throughput,
};

/// A group of benchmarks, each with its floor.
pub(crate) struct Group<'a> {
    name: &'static str,
    group: BenchmarkGroup<'a, WallTime>,
    pairs: Pairs,
}

/// Runs the benchmarks of the target `name` with criterion's command line, and writes their times beside those of their
/// floors. Without `--bench`, as in `cargo test`, each runs once and nothing is written.
///
/// Four seconds per benchmark keep `cargo bench` well below six minutes. A ratio to the floor needs a good median, not a
/// narrow interval, so fewer samples and resamples than criterion's defaults are enough.
pub(crate) fn run(
    name: &'static str,
    benchmarks: impl FnOnce(&mut Group<'_>) -> Result<()>,
) -> Result<()> {
    cores::pin()?;
    let mut criterion = Criterion::default()
        .plotting_backend(PlottingBackend::Plotters)
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(3))
        .sample_size(50)
        .nresamples(10_000)
        .configure_from_args();
    let pairs = {
        let mut group = Group { name, group: criterion.benchmark_group(name), pairs: Pairs::new() };
        // Times of one page differ by a factor of a thousand.
        let scale = PlotConfiguration::default().summary_scale(AxisScale::Logarithmic);
        group.group.plot_config(scale);
        benchmarks(&mut group)?;
        group.group.finish();
        group.pairs
    };
    criterion.final_summary();
    if std::env::args().any(|arg| arg == "--bench") {
        pairs::write(&home(), name, &pairs)?;
        let page = home().join("report/index.html");
        eprintln!("pages: {}", page.canonicalize().unwrap_or(page).display());
        eprintln!(
            "these times hold for this machine alone: scripts/check-benches.sh judges the ratios to raw TCP"
        );
    }
    Ok(())
}

impl Group<'_> {
    /// Measures `group/function/parameter`; `benchmark` and `floor` take turns. Both check their answers.
    pub(crate) fn measure(
        &mut self,
        [function, parameter]: [&str; 2],
        throughput: Throughput,
        mut benchmark: impl FnMut(),
        mut floor: impl FnMut(),
    ) {
        let begin = Instant::now();
        let mut turns = Turns::new(|| begin.elapsed());
        self.group.throughput(throughput);
        self.group.bench_function(BenchmarkId::new(function, parameter), |bencher| {
            bencher.iter_custom(|iterations| turns.take(iterations, &mut benchmark, &mut floor));
        });
        if let Some(pair) = turns.pair() {
            self.pairs.insert(format!("{}/{function}/{parameter}", self.name), pair);
        }
    }
}

/// Criterion's folder, which criterion itself looks for in this order.
fn home() -> PathBuf {
    let from_env = |name| std::env::var_os(name).map(PathBuf::from);
    from_env("CRITERION_HOME")
        .or_else(|| Some(from_env("CARGO_TARGET_DIR")?.join("criterion")))
        .unwrap_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/criterion"))
}
