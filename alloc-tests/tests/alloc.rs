//! The one runner: `cargo test` and nextest see a test per scenario, `scripts/run-alloc-tests.sh` the whole suite, and
//! each of them starts this program again for every scenario.

use std::process::ExitCode;

#[cfg(feature = "hooks")]
#[global_allocator]
static ALLOCATOR: dhat::Alloc = dhat::Alloc;

mod gate;

include!(concat!(env!("OUT_DIR"), "/scenarios.rs"));

fn main() -> ExitCode {
    let mut registry: alloc_tests::Registry =
        SCENARIOS.iter().map(|(id, scenario)| (*id, scenario())).collect();
    registry.extend(gate::planted());
    alloc_tests::cli::main(&registry, gate::trials())
}
